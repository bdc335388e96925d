"""Whether a request is Meta's: a signature over the bytes as they came, and the handshake when a webhook is set."""

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl

from channels_adapters.contract import HookAnswer, HookRequest, WebhookRejected

_SIGNATURE = "x-hub-signature-256"
_FIELDS = 20  # of a handshake's query, at most


def verify(secrets: Iterable[str], request: HookRequest) -> None:
    """Return when the body was signed with one of the secrets; raises WebhookRejected otherwise.

    The older SHA-1 header proves nothing. There is no time in the signature: a replay is known by its delivery id.
    """
    given = _bytes(request.headers.get(_SIGNATURE, ""))
    for secret in filter(None, secrets):
        expected = b"sha256=" + hmac.new(_bytes(secret), request.body, hashlib.sha256).hexdigest().encode()
        if hmac.compare_digest(given, expected):
            return
    raise WebhookRejected("the signature is missing or wrong", status=401)


def shake_hands(token: str, request: HookRequest) -> HookAnswer | None:
    """The answer to Meta's challenge; None when the request is none. Raises WebhookRejected when the token is wrong."""
    if request.method != "GET":
        return None
    try:
        asked = dict(parse_qsl(request.query, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        asked = {}
    given = _bytes(asked.get("hub.verify_token", ""))
    is_theirs = bool(token) and hmac.compare_digest(given, _bytes(token))
    if asked.get("hub.mode") != "subscribe" or not is_theirs:
        raise WebhookRejected("the verify token is missing or wrong", status=403)
    return HookAnswer(200, _bytes(asked.get("hub.challenge", "")))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
