"""Twilio's addresses: a number alone is SMS, others have a prefix: whatsapp:+46701234567."""

import re

from channels_adapters.numbers import e164

_PREFIXED = re.compile(r"(whatsapp|rcs|messenger):(.+)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9 &+_.-]{1,40}")
WHATSAPP = "whatsapp:"


def thread_of(address: str) -> str:
    """The place of a talk with this address: the address in one spelling; '' when it is none."""
    found = _PREFIXED.fullmatch(address.strip())
    if found:
        return f"{found[1].lower()}:{e164(found[2]) or found[2].strip()}"[:200]
    name = address.strip()
    return _number(name) or (name if _NAME.fullmatch(name) else "")


def _number(address: str) -> str:
    """Of a phone; short codes have too few digits for one."""
    return e164(address) if address.startswith("+") else ""


def is_number(address: str) -> bool:
    return bool(_number(address))


def can_answer(thread_id: str) -> bool:
    """Names of senders, such as a bank's, take no answer."""
    place = thread_id.partition(":")[2]
    return bool(place) or is_number(thread_id) or (thread_id.isascii() and thread_id.isdigit())
