"""Who really asks, when a proxy stands before us: what X-Forwarded-For says counts only from a proxy that we trust."""

import ipaddress
from typing import Any

from django.conf import settings


def with_real_client(scope: dict[str, Any]) -> dict[str, Any]:
    """The scope with the address of the nearest caller that is none of our proxies: what is before it is a claim."""
    client = scope.get("client")
    if not settings.TRUSTED_PROXIES or not client or not _is_ours(client[0]):
        return scope
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    for address in reversed([part.strip() for part in said.split(",") if part.strip()]):
        if not _is_ours(address):
            return {**scope, "client": [address if _is_address(address) else client[0], 0]}
    return scope


def _is_ours(address: str) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in net for net in settings.TRUSTED_PROXIES)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
