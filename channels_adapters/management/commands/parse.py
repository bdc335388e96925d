"""`manage.py parse INBOX_KEY`: what an adapter makes of a request, without storing anything.

Reads a request as JSON on standard input: {"method", "path", "query", "headers", "body" | "body_b64"}, or a mail as a
mailbox holds it: {"via": "email", "eml_text" | "body_b64", "envelope_from", "envelope_to"}. Prints one line of JSON
with status, outcome (accept, ignore, reject, challenge) and events, these on the thread that they would join. As on
the hook, a delivery that came
before changes nothing: it is ignored as a duplicate when the hook has it, or when it was parsed here within the last
quarter of an hour. `--fresh` forgets what was parsed here.
"""

import base64
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope

from channels_adapters import connections, plain
from channels_adapters.contract import HookRequest, Unreadable, WebhookRejected
from channels_adapters.models import RawDelivery
from conversations.normalized import Inbound, InboundMessage
from conversations.places import thread_id_of
from crm.workspace import clock

REMEMBERED = 900  # seconds


class Command(BaseCommand):
    help = "Parse one request for an inbox without storing it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("inbox_key")
        parser.add_argument("--fresh", action="store_true", help="forget the deliveries that were parsed here before")

    def handle(self, *args: Any, inbox_key: str, **options: Any) -> None:
        served = connections.serving(inbox_key)
        if served is None:
            raise CommandError(f"There is no inbox with the key {inbox_key!r}.")
        if options["fresh"]:
            _memory().unlink(missing_ok=True)
        request, is_proven = _request(sys.stdin.buffer.read())
        self.stdout.write(json.dumps(_answer(served, request, is_proven=is_proven)))


def _request(given: bytes) -> tuple[HookRequest, bool]:
    """The request, and whether it needs no proof: a mail that a mailbox holds has none."""
    try:
        fields = json.loads(given)
        if fields.get("via") == "email":
            return _mail(fields), True
        body = base64.b64decode(fields["body_b64"]) if "body_b64" in fields else _bytes(fields.get("body", ""))
        headers = {str(key).lower(): str(value) for key, value in (fields.get("headers") or {}).items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CommandError(f"Standard input must be a request as a JSON object: {error}") from error
    method, path, query = fields.get("method") or "POST", fields.get("path") or "", fields.get("query") or ""
    return HookRequest(method, path, query, headers, body), False


def _mail(fields: dict[str, Any]) -> HookRequest:
    """The mail with its envelope, as it would be posted. The lines of a text end as they do in mail."""
    if "body_b64" in fields:
        body = base64.b64decode(fields["body_b64"])
    else:
        text = str(fields.get("eml_text", fields.get("body", "")))
        body = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    headers = {"content-type": "message/rfc822"}
    if fields.get("envelope_from") is not None:
        headers["x-envelope-from"] = str(fields["envelope_from"])
    recipients = fields.get("envelope_to") or []
    headers["x-envelope-to"] = ",".join(map(str, recipients if isinstance(recipients, list) else [recipients]))
    return HookRequest("POST", "", "", headers, body)


def _bytes(body: Any) -> bytes:
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()


def _is_known(served: connections.Served, delivery_id: str) -> bool:
    """Whether this delivery came to the hook, or here, before: a repeat changes nothing."""
    with scope(workspace=served.inbox.workspace):
        on_the_hook = RawDelivery.objects.filter(inbox=served.inbox, delivery_id=delivery_id[:200]).exists()
    return bool(on_the_hook) or not _remember(f"{served.inbox.key} {delivery_id}")


def _memory() -> Path:
    return Path(settings.DATA_DIR) / "parsed.json"


def _remember(name: str) -> bool:
    """Keep the name for a while; False when it is kept already."""
    now = clock.now().timestamp()
    try:
        kept = json.loads(_memory().read_text())
    except (OSError, ValueError):
        kept = {}
    kept = {old: at for old, at in kept.items() if now - at < REMEMBERED}
    is_new = kept.setdefault(name, now) == now
    _memory().write_text(json.dumps(kept))
    return is_new


def _in_its_thread(served: connections.Served, event: Inbound) -> Inbound:
    if not isinstance(event, InboundMessage):
        return event
    with scope(workspace=served.inbox.workspace):
        return replace(event, thread_id=thread_id_of(served.inbox, event))


def _answer(served: connections.Served, request: HookRequest, *, is_proven: bool) -> dict[str, Any]:
    adapter = served.adapter
    if len(request.body) > adapter.body_limit:
        return {"status": 413, "outcome": "reject", "events": [], "reason": "too large"}
    try:
        if not is_proven:
            adapter.authenticate(request)
        handshake = adapter.answer(request)
        if handshake is not None:
            return {
                "status": handshake.status,
                "outcome": "challenge",
                "events": [],
                "body": handshake.body.decode("utf-8", "replace"),
            }
        body = adapter.keep(request)
        delivery_id = adapter.delivery_id(body)
        if _is_known(served, delivery_id):
            return {"status": 200, "outcome": "ignore", "events": [], "duplicate": True, "delivery_id": delivery_id}
        events = [plain.event(_in_its_thread(served, inbound)) for inbound in adapter.parse(body)]
    except WebhookRejected as error:
        return {"status": error.status, "outcome": "reject", "events": [], "reason": error.reason}
    except Unreadable as error:
        return {"status": 200, "outcome": "ignore", "events": [], "parked": error.reason}
    return {"status": 200, "outcome": "accept" if events else "ignore", "events": events, "delivery_id": delivery_id}
