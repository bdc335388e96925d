"""How long a request says its body is, before any of it is read."""

from typing import Any


def told_length(scope: dict[str, Any]) -> int:
    """Content-Length in bytes; 0 when the request does not say."""
    told = dict(scope["headers"]).get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < 19 else 0
