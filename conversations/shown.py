"""What a message's `details` show on pages: the keys that `normalized` names. Whatever does not fit is left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from conversations.models import File, Message

CHECKS = ("spf", "dkim", "dmarc")
_INLINE = re.compile(r"\[cid:([^\]\s]{1,400})\]")


@dataclass(frozen=True, slots=True)
class Invite:
    """A calendar invitation. A whole day has no clock time: `is_day`."""

    title: str
    starts: datetime | None
    ends: datetime | None
    is_day: bool
    place: str
    method: str


@dataclass(frozen=True, slots=True)
class Referral:
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    subject: str = ""
    folded: str = ""
    copied: list[str] = field(default_factory=list)  # addresses
    checks: list[tuple[str, str]] = field(default_factory=list)  # ("SPF", "pass")
    invite: Invite | None = None
    referral: Referral | None = None
    is_forwarded: bool = False
    is_automatic: bool = False
    buttons: list[tuple[str, str]] = field(default_factory=list)  # label and address
    template: str = ""
    permalink: str = ""


def of(message: Message) -> Shown:
    """What the message's details show."""
    details = _mapping(message.details)
    flags = details.get("flags")
    flags = flags if isinstance(flags, list) else []
    return Shown(
        subject=_text(details, "subject"),
        folded=_text(details, "folded"),
        copied=_words(details.get("copied")),
        checks=_checks(_mapping(details.get("checks"))),
        invite=_invite(_mapping(details.get("invite"))),
        referral=_referral(_mapping(details.get("referral"))),
        is_forwarded="forwarded" in flags,
        is_automatic="auto_reply" in flags,
        buttons=_buttons(details.get("buttons")),
        template=_text(_mapping(details.get("template")), "name"),
        permalink=web_address(_text(details, "permalink")),
    )


def _words(said: Any) -> list[str]:
    return [word for word in said if isinstance(word, str)] if isinstance(said, list) else []


def web_address(text: str) -> str:
    """The address when a link may lead there: nothing but http and https."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def pieces(message: Message) -> list[str | File]:
    """The text with its inline pictures in their places: `[cid:...]` where such a picture is there."""
    inline = {file.details.get("cid"): file for file in message.files.all() if file.is_shown_inline}
    if not inline or message.deleted_at:
        return [message.text] if message.text else []
    found: list[str | File] = []
    for number, piece in enumerate(_INLINE.split(message.text)):  # every second one is an id
        file = inline.get(piece) if number % 2 else None
        words = f"[cid:{piece}]" if number % 2 else piece.strip("\n")
        found += [file] if file is not None else [words] if words else []
    return found


def below(message: Message) -> list[File]:
    """The files that stand below the text: all but those inside it."""
    inside = {piece.pk for piece in pieces(message) if isinstance(piece, File)}
    return [file for file in message.files.all() if file.pk not in inside]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(details: Mapping[str, Any], key: str) -> str:
    value = details.get(key)
    return value.strip() if isinstance(value, str) else ""


def _checks(checks: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.upper(), found) for name in CHECKS if (found := _text(checks, name).lower())]


def _invite(invite: Mapping[str, Any]) -> Invite | None:
    if not invite:
        return None
    starts, is_day = _moment(_text(invite, "starts"))
    ends, _is_day = _moment(_text(invite, "ends"))
    return Invite(_text(invite, "title"), starts, ends, is_day, _text(invite, "place"), _text(invite, "method").lower())


def _moment(text: str) -> tuple[datetime | None, bool]:
    """The moment, and whether it is a whole day; None when it cannot be read."""
    try:
        if len(text) == len("2026-11-22"):
            return timezone.make_aware(datetime.combine(date.fromisoformat(text), time())), True
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None, False
    return (moment if moment.tzinfo else timezone.make_aware(moment)), False


def _referral(referral: Mapping[str, Any]) -> Referral | None:
    words = _text(referral, "headline") or _text(referral, "ref") or _text(referral, "source")
    url = web_address(_text(referral, "url"))
    return Referral(words or url, url) if words or url else None


def _buttons(buttons: Any) -> list[tuple[str, str]]:
    given = [_mapping(button) for button in buttons] if isinstance(buttons, list) else []
    return [(label, web_address(_text(one, "url"))) for one in given if (label := _text(one, "label"))]
