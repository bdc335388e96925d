"""What a webhook says, in the hub's words. Pure: no network, no clock; Twilio tells no time either."""

from collections.abc import Collection, Mapping

from channels_adapters.adapters.twilio.addresses import is_number, thread_of
from channels_adapters.adapters.twilio.attachments import read_attachments
from channels_adapters.adapters.twilio.errors import words_of
from channels_adapters.adapters.twilio.signing import read_form
from channels_adapters.reading import NO_TIME, Broken, read_object
from conversations.normalized import FirstTouch, Inbound, InboundMessage, OptedOut, Receipt, Sender
from conversations.text import clean

PART = "rapport_part"  # the query of the address that statuses are posted to: our number of the part
_RECEIVED = ("", "received", "receiving")
_STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read"}
_STATUSES |= dict.fromkeys(("failed", "undelivered", "canceled"), "failed")
_STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
_START = ("START", "UNSTOP")
_HELP = ("HELP", "INFO")

Said = Mapping[str, str]


def read_webhook(body: bytes) -> dict[str, str]:
    """The fields of what was posted, a form or a JSON object; of a repeated field the first. Raises Broken."""
    if body.lstrip()[:1] in (b"{", b"["):
        raw = read_object(body).raw
        fields = [(key, value if isinstance(value, str) else str(value)) for key, value in raw.items()]
        fields = [(key, value) for key, value in fields if isinstance(raw[key], str | int)]
    else:
        fields = read_form(body)
    said = {clean(key): clean(value) for key, value in reversed(fields)}
    if not (sid_of(said) or said.get("AccountSid")):
        raise Broken("the body is none of Twilio's: it has no MessageSid")
    return said


def sid_of(said: Said) -> str:
    """Of the message that it is about."""
    return next((said[key] for key in ("MessageSid", "SmsMessageSid", "SmsSid") if said.get(key)), "")


def status_of(said: Said) -> str:
    """The message's status; '' of one that comes in."""
    status = (said.get("MessageStatus") or said.get("SmsStatus") or "").lower()
    return "" if status in _RECEIVED else status


def read_events(said: Said, own: Collection[str]) -> list[Inbound]:
    """The events of a webhook; none of other products' and of what our own numbers (`own`) sent. Raises Broken."""
    is_ours = thread_of(said.get("From", "")) in own and not status_of(said)
    if is_ours or not sid_of(said):
        return []
    return _receipt(said) if status_of(said) else _message(said)


def _receipt(said: Said) -> list[Inbound]:
    status = _STATUSES.get(status_of(said))
    if status is None:  # queued, sending, ...: we know that it left
        return []
    part = said.get(PART, "")
    code = said.get("ErrorCode", "")
    code = "" if code == "0" else code
    return [
        Receipt(
            thread_id="",  # the message's id is enough, and unique
            target=sid_of(said),
            status=status,
            at=NO_TIME,
            reason=_reason(status_of(said), code, said.get("ErrorMessage", "")) if status == "failed" else "",
            code=code,
            part=int(part) if part.isascii() and part.isdigit() and len(part) < 19 else None,
        )
    ]


def _reason(status: str, code: str, words: str) -> str:
    if status == "canceled":
        return "it was called back before it left"
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else None
    return words_of(number, words)


def _message(said: Said) -> list[Inbound]:
    thread_id = thread_of(said.get("From", ""))
    if not thread_id:
        raise Broken("From is missing: nobody wrote it")
    attachments, text = read_attachments(said), said.get("Body", "")
    payload = said.get("ButtonPayload") or said.get("ListId") or ""
    text = text or said.get("ButtonText") or said.get("ListTitle") or ""
    kind = said.get("MessageType", "")
    unshown = () if text or attachments else (f"unsupported:{kind[:40] or 'empty'}",)
    forwarded = ("forwarded",) if "true" in (said.get("Forwarded"), said.get("FrequentlyForwarded")) else ()
    sender, keyword = _sender(said, thread_id), _keyword(said, text)
    message = InboundMessage(
        external_id=sid_of(said),
        thread_id=thread_id,
        sender=sender,
        text=text,
        at=NO_TIME,
        attachments=attachments,
        reply_to=said.get("OriginalRepliedMessageSid", ""),
        payload=payload,
        flags=forwarded + unshown + (("auto_reply",) if keyword else ()),  # Twilio answers those itself
        first_touch=_first_touch(said),
        details=_details(said),
    )
    return [message, *_choice(sender, keyword, text, is_sms=":" not in thread_id)]


def _choice(sender: Sender, keyword: str, text: str, *, is_sms: bool) -> list[Inbound]:
    """By SMS Twilio itself lets nothing through after STOP."""
    if keyword not in ("STOP", "START"):
        return []
    return [OptedOut(sender, keyword == "STOP", NO_TIME, everything=is_sms, wording=text.strip()[:100])]


def _sender(said: Said, thread_id: str) -> Sender:
    """A number is the person's wherever they write from; a hidden one leaves what Twilio calls them here."""
    address = thread_id.partition(":")[2] or thread_id
    hidden = said.get("ExternalUserId", "")
    number = is_number(address)
    return Sender(
        address=address,
        name=said.get("ProfileName", ""),
        phone=address if number else "",
        kind="phone" if number else "",
        also=(hidden,) if hidden and hidden != address and not number else (),
    )


def _keyword(said: Said, text: str) -> str:
    told, word = said.get("OptOutType", "").upper(), text.strip().upper()
    if told in ("STOP", "START", "HELP"):
        return told
    known = {"STOP": _STOP, "START": _START, "HELP": _HELP}
    return next((name for name, words in known.items() if word in words), "")


def _details(said: Said) -> dict[str, object]:
    """`to` is whom they wrote to, and what the answer leaves from."""
    asked = {
        "source": said.get("ReferralSourceType", ""),
        "headline": said.get("ReferralHeadline", ""),
        "url": said.get("ReferralSourceUrl", ""),
        "ad_id": said.get("ReferralSourceId", ""),
        "ref": said.get("ReferralCtwaClid", ""),
    }
    referral = {key: value for key, value in asked.items() if value}
    details: dict[str, object] = {"to": said.get("To", "")[:80]}
    return details | ({"referral": referral} if referral else {})


def _first_touch(said: Said) -> FirstTouch | None:
    """A WhatsApp conversation that began at an advertisement or a post."""
    if not (said.get("ReferralSourceUrl") or said.get("ReferralSourceId")):
        return None
    kind, number = said.get("ReferralSourceType", ""), said.get("ReferralSourceId", "")
    clicked = said.get("ReferralCtwaClid", "")
    return FirstTouch(url=said.get("ReferralSourceUrl", ""), utm_source=kind, utm_campaign=number, payload=clicked)
