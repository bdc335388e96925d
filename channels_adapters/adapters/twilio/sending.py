"""One part of a message on its way out, and the templates that WhatsApp approved."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from channels_adapters.adapters.twilio.addresses import WHATSAPP, can_answer, thread_of
from channels_adapters.adapters.twilio.errors import failed_at_once, failure
from channels_adapters.adapters.twilio.parsing import PART
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import (
    OutboundFile,
    OutboundPart,
    Refused,
    SendReceipt,
    Template,
    TemplateUse,
    Uncertain,
)
from channels_adapters.reading import Fields
from conversations.text import clean

API = "https://api.twilio.com/2010-04-01/Accounts"
CONTENT = "https://content.twilio.com/v1"
HOSTS = ("api.twilio.com", "content.twilio.com", "messaging.twilio.com")
_MMS_LIMIT = 5 * 1024 * 1024  # bytes
_MMS = ("image/jpeg", "image/png", "image/gif")
_CONTENT_SID = re.compile("HX[0-9a-fA-F]{32}")
_STATES = {"approved": "approved", "rejected": "rejected", "paused": "paused", "disabled": "paused"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who sends, and from what."""

    sid: str
    headers: Mapping[str, str]
    sms_number: str
    whatsapp_number: str
    messaging_service_sid: str
    status_url: str  # where statuses are posted to; '' when nobody outside reaches us

    def address(self, path: str) -> str:
        return f"{API}/{quote(self.sid, safe='')}/{path}"


async def send(platform: Platform, account: Account, part: OutboundPart) -> SendReceipt:
    """Twilio's id of the message that it made of the part; raises SendFailed."""
    if thread_of(part.thread_id) != part.thread_id or not can_answer(part.thread_id):
        raise Refused("this address takes no answers")
    form = [("To", part.thread_id), *_sender(account, part), *await _content(platform, account, part)]
    if account.status_url:
        form.append(("StatusCallback", f"{account.status_url}?{urlencode({PART: part.delivery_id})}"))
    answer = await platform.call("POST", account.address("Messages.json"), headers=account.headers, form=form)
    if not answer.is_good:
        raise failure(answer)
    said = answer.fields()
    if refusal := failed_at_once(said):
        raise refusal
    if not said.text("sid"):
        raise Uncertain("Twilio's answer made no sense")
    segments = said.text("num_segments")
    return SendReceipt(said.text("sid"), {"segments": segments} if segments.isdigit() and segments != "0" else {})


async def list_templates(platform: Platform, account: Account) -> list[Template]:
    """The account's content that WhatsApp was asked about, or that needs no asking; raises SendFailed."""
    with nothing_to_lose():
        answer = await platform.call("GET", f"{CONTENT}/ContentAndApprovals?PageSize=500", headers=account.headers)
        if not answer.is_good:
            raise failure(answer)
    return [_template(said) for said in answer.fields().many("contents") if said.text("sid")]


def _template(said: Fields) -> Template:
    asked = said.one("approval_requests")
    bodies = (Fields(kind).text("body") for kind in said.one("types").raw.values() if isinstance(kind, dict))
    name = said.text("friendly_name") or asked.text("name")
    return Template(
        name=f"{name} {said.text('sid')}".strip(),  # what it is sent by stands at the end
        language=said.text("language"),
        text=next((body for body in bodies if body), name),
        variables=_variables(said),
        status=_STATES.get(asked.text("status"), "pending"),
        category=asked.text("category").lower(),
        reason=asked.text("rejection_reason"),
    )


def _variables(said: Fields) -> tuple[str, ...]:
    """Their names in order: numbers by size."""
    names = sorted(said.one("variables").raw, key=lambda name: (not name.isdigit(), name.zfill(9)))
    return tuple(clean(name) for name in names)


def _sender(account: Account, part: OutboundPart) -> list[tuple[str, str]]:
    """The number they wrote to, else this inbox's own."""
    is_whatsapp = part.thread_id.startswith(WHATSAPP)
    wrote_to = thread_of(str(part.answers.get("to") or ""))
    if account.messaging_service_sid and not (is_whatsapp and account.whatsapp_number):
        return [("MessagingServiceSid", account.messaging_service_sid)]
    if wrote_to and wrote_to.startswith(WHATSAPP) == is_whatsapp:
        return [("From", wrote_to)]
    number = account.whatsapp_number if is_whatsapp else account.sms_number
    if not number:
        what = "whatsapp_number" if is_whatsapp else "sms_number"
        raise Refused(f"this inbox has no number to send from: give it {what} in the settings")
    return [("From", f"{WHATSAPP}{number}" if is_whatsapp else number)]


async def _content(platform: Platform, account: Account, part: OutboundPart) -> list[tuple[str, str]]:
    if part.template is not None:
        return await _template_fields(platform, account, part.template)
    text = clean(part.text)
    if part.file is None:
        return [("Body", text)]
    url = _address_of(part.file, is_local=bool(platform.api_url))
    is_whatsapp = part.thread_id.startswith(WHATSAPP)
    if is_whatsapp or (part.file.mime in _MMS and len(part.file.data) <= _MMS_LIMIT):
        return [("MediaUrl", url), *([("Body", text)] if text else [])]
    return [("Body", f"{text}\n{url}".strip())]  # SMS carries few kinds of file: the customer opens it instead


async def _template_fields(platform: Platform, account: Account, use: TemplateUse) -> list[tuple[str, str]]:
    sid = use.name.rpartition(" ")[2]
    if not _CONTENT_SID.fullmatch(sid):
        raise Refused("this is no template of Twilio's")
    with nothing_to_lose():
        answer = await platform.call("GET", f"{CONTENT}/Content/{sid}", headers=account.headers)
        if not answer.is_good:
            raise failure(answer)
    names = _variables(answer.fields())
    if len(names) != len(use.values):
        raise Refused(f"this template has {len(names)} values to fill in, not {len(use.values)}")
    values = json.dumps(dict(zip(names, use.values, strict=True)), ensure_ascii=False)
    return [("ContentSid", sid), *([("ContentVariables", values)] if names else [])]


def _address_of(file: OutboundFile, *, is_local: bool) -> str:
    if not file.url or not (is_local or _is_public(file.url)):
        raise Refused("Twilio fetches files from us: set PUBLIC_URL to a public https address")
    return file.url


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname not in (None, "localhost", "127.0.0.1")
