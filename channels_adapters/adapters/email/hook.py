"""Mail that is posted to us, and links to unsubscribe."""

import hmac
import html
import re
from urllib.parse import parse_qs

from django.utils.translation import gettext as _

from channels_adapters.adapters.email.account import Account
from channels_adapters.adapters.email.parsing import fingerprint, is_unique
from channels_adapters.contract import HookAnswer, HookRequest, WebhookRejected
from crm.workspace import clock

LEAVES = b"X-Rapport-Unsubscribed: "  # begins what is kept of a request to unsubscribe
_HEAD = 65_536  # bytes
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_KNOWN = re.compile(
    rb"^(from|to|subject|date|received|message-id|return-path|mime-version|content-type)[ \t]*:", re.I | re.M
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f<>]")


def verify(account: Account, request: HookRequest) -> None:
    """Return when the request proves itself: by our secret, or by a link that we made. Raises WebhookRejected."""
    if account.tokens.read_link(_asked(request, "unsubscribe")):
        return
    secret = account.said("hook_secret")
    scheme, _sep, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else request.headers.get("x-hook-secret", "")
    if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
        raise WebhookRejected("the secret is missing or wrong: send it as Authorization: Bearer …", status=401)


def page(account: Account, request: HookRequest) -> HookAnswer | None:
    """What a person sees who follows the link to unsubscribe; a mail program posts to it instead."""
    address = account.tokens.read_link(_asked(request, "unsubscribe"))
    if not address or request.method != "GET":
        return None
    question = _("Do you want no more news from us at %(address)s?") % {"address": address}
    body = (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(_('Unsubscribe'))}</title><p>{html.escape(question)}</p>"
        f'<form method="post"><button>{html.escape(_("Unsubscribe"))}</button></form>'
    )
    return HookAnswer(200, body.encode(), "text/html; charset=utf-8")


def keep(account: Account, request: HookRequest) -> bytes:
    """The mail with its envelope on top, as mail servers write it there."""
    address = account.tokens.read_link(_asked(request, "unsubscribe"))
    if address:
        return LEAVES + f"{address} {clock.now().isoformat()}".encode()  # whoever leaves twice, leaves twice
    envelope = b""
    sender = request.headers.get("x-envelope-from", _asked(request, "from", missing=None))
    if sender is not None:
        envelope += f"Return-Path: <{_plain(sender)}>\r\n".encode()
    for recipient in request.headers.get("x-envelope-to", _asked(request, "to")).split(","):
        if _plain(recipient):
            envelope += f"Delivered-To: {_plain(recipient)}\r\n".encode()
    return envelope + request.body


def _asked(request: HookRequest, name: str, missing: "str | None" = "") -> "str":
    found = parse_qs(request.query, keep_blank_values=True).get(name)
    return found[0] if found else missing  # type: ignore[return-value]  # None is asked for by one caller


def _plain(address: str) -> str:
    return _CONTROL.sub("", address).strip()[:254]


def identify(body: bytes) -> str:
    """The same for every copy of a mail, by whatever way it came. Raises WebhookRejected when it is no mail."""
    if body.startswith(LEAVES):
        return fingerprint(body)
    head, content = _split(body)
    if not (_FIELD.match(body) and _KNOWN.search(head)):
        raise WebhookRejected("this is not a mail: post it as it came, as message/rfc822", status=400)
    said = {name: _value(head, name) for name in (b"message-id", b"from", b"date", b"subject")}
    message_id = said[b"message-id"].strip(b"<> ")
    if is_unique(message_id.decode("utf-8", "replace")):
        return fingerprint(message_id, said[b"from"], said[b"date"])
    return fingerprint(*said.values(), content)


def _split(body: bytes) -> tuple[bytes, bytes]:
    end = re.search(rb"\r?\n\r?\n", body)
    return (body[: min(end.start(), _HEAD)], body[end.end() :]) if end else (body[:_HEAD], b"")


def _value(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"^" + name + rb"[ \t]*:(.*(?:\n[ \t].*)*)", head, re.IGNORECASE | re.MULTILINE)
    return b" ".join(found[1].split()) if found else b""
