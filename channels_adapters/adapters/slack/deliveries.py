"""What Slack posts: JSON for events, a form for buttons and slash commands. Over Socket Mode all of it is JSON.

Nothing here trusts a shape: Bolt's own request would raise on `[1]` or `null` before it has looked at the signature.
"""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

from slack_bolt.middleware.request_verification import RequestVerification

from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.reading import NO_TIME, Broken, Fields, read_object

_FORM_FIELDS = 100


def verify(secret: str, request: HookRequest) -> None:
    """Return when Slack signed these bytes in the last five minutes; raises WebhookRejected otherwise."""
    sent_at = request.headers.get("x-slack-request-timestamp")
    signature = request.headers.get("x-slack-signature")
    try:
        is_theirs = RequestVerification(secret).verifier.is_valid(request.body, sent_at, signature)
    except (ValueError, TypeError, OverflowError):  # no secret; not a number; not UTF-8; not ASCII
        is_theirs = False
    if not is_theirs:
        raise WebhookRejected("the signature is missing, wrong or too old", status=401)


def read_delivery(body: bytes) -> Fields:
    """The event envelope, the interaction or the slash command; raises Broken."""
    if body.lstrip()[:1] in (b"{", b"["):
        return read_object(body)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS, errors="replace"))
    except ValueError as error:
        raise Broken("the body is neither JSON nor a form") from error
    if "payload" in form:
        return read_object(form["payload"].encode("utf-8", "surrogatepass"))
    if not form.get("command"):
        raise Broken("the body is neither an event nor a form of Slack's")
    return Fields(form)


def identify(delivery: Fields) -> str:
    """Slack's id of an event, the same on each of its retries; '' for what is sent once only."""
    if delivery.has("event") or delivery.text("type") == "event_callback":
        if not delivery.text("event_id"):
            raise Broken("the event has no event_id")
        return delivery.text("event_id")
    if not (delivery.text("type") or delivery.text("command")):
        raise Broken("the body has no type")
    return ""


def moment(ts: str) -> datetime:
    """The time in a ts, "seconds.micros". It is read as text: as a number it would lose its last digits."""
    seconds, _, rest = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return NO_TIME
    micros = int(rest[:6].ljust(6, "0")) if rest.isascii() and rest.isdigit() else 0
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=micros)
    except (ValueError, OverflowError, OSError):
        return NO_TIME
