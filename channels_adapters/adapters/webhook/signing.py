"""How a call of this channel proves who made it: `docs/webhook-channel.md` tells the other side the same."""

import hashlib
import hmac
from collections.abc import Sequence

from channels_adapters.contract import HookRequest, WebhookRejected
from crm.workspace import clock

TOLERANCE = 300  # seconds that the two clocks may differ
_REFUSED = "the call is not signed, or not with this inbox's secret"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-CRM-Signature."""
    said = b"%d." % timestamp + body
    return "sha256=" + hmac.new(_bytes(secret), said, hashlib.sha256).hexdigest()


def verify(request: HookRequest, *, secrets: Sequence[str], api_key: str) -> None:
    """Raise WebhookRejected unless one of the secrets signed the request just now, or it shows the key."""
    if api_key and _is_same(request.headers.get("authorization", ""), f"Bearer {api_key}"):
        return
    said_at, signature = (request.headers.get(f"x-crm-{name}", "") for name in ("timestamp", "signature"))
    if not (said_at.isascii() and said_at.isdigit() and len(said_at) <= 12):
        raise WebhookRejected(_REFUSED, status=401)
    signatures = [sign(secret, int(said_at), request.body) for secret in secrets if secret]
    if not any(_is_same(signature, expected) for expected in signatures):
        raise WebhookRejected(_REFUSED, status=401)
    if abs(clock.now().timestamp() - int(said_at)) > TOLERANCE:
        raise WebhookRejected("the call was signed more than five minutes ago", status=401)


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
