"""What every template may use: our nouns in the trade's words, people, moods, channels and times."""

import zlib
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django import template
from django.db.models import Model
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language_info, gettext, ngettext
from django.utils.translation import gettext_lazy as _
from lucide.templatetags.lucide import lucide as drawn

from conversations import mood as moods
from crm.workspace import clock

register = template.Library()

TERMS: dict[str, str | Promise] = {
    "customer": _("customer"),
    "customers": _("customers"),
    "ticket": _("ticket"),
    "tickets": _("tickets"),
    "lead": _("lead"),
    "leads": _("leads"),
    "opportunity": _("opportunity"),
    "opportunities": _("opportunities"),
    "campaign": _("campaign"),
    "campaigns": _("campaigns"),
    "campaign response": _("campaign response"),
    "campaign responses": _("campaign responses"),
    "company": _("company"),
    "companies": _("companies"),
}
CHANNELS: dict[str, tuple[str, str | Promise]] = {  # icon and name; a channel that is not here has the generic icon
    "telegram": ("send", "Telegram"),
    "webchat": ("message-circle", _("web chat")),
    "email": ("mail", _("email")),
    "mail": ("mail", _("email")),
    "whatsapp": ("phone", "WhatsApp"),
    "sms": ("smartphone", "SMS"),
    "voice": ("phone", _("phone")),
    "slack": ("hash", "Slack"),
    "discord": ("gamepad-2", "Discord"),
    "matrix": ("brackets", "Matrix"),
    "messenger": ("message-circle-more", "Messenger"),
    "instagram": ("camera", "Instagram"),
    "x": ("at-sign", "X"),
    "mastodon": ("globe", "Mastodon"),
    "bluesky": ("cloud", "Bluesky"),
    "reddit": ("globe", "Reddit"),
    "line": ("message-square", "LINE"),
    "viber": ("phone", "Viber"),
    "twilio": ("smartphone", "Twilio"),
    "webhook": ("webhook", _("webhook")),
}
MOODS = {"negative": _("Feels negative"), "neutral": _("Feels neutral"), "positive": _("Feels positive")}


@register.simple_tag(takes_context=True)
def term(context: Context, noun: str) -> str:
    """The workspace's word for our noun; with a capital when asked for with one: `{% term "Customers" %}`."""
    ours = noun.lower()
    membership = context.get("membership")
    vocabulary: dict[str, str] = membership.workspace.vocabulary if membership is not None else {}
    word = vocabulary.get(ours) or str(TERMS.get(ours, ours))
    return str(capfirst(word)) if noun[:1].isupper() else word


@register.simple_tag
def url_if(name: str, *args: Any) -> str:
    """The page's address, '' when nobody has built that page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.inclusion_tag("_rail_link.html", takes_context=True)
def rail_link(context: Context, name: str, icon: str, label: str, *also: str) -> dict[str, object]:
    """A link of the rail; nothing when nobody has built that page. `also`: names of the pages below it."""
    return {"href": url_if(name), "icon": icon, "label": label, "is_here": context.get("here") in (name, *also)}


@register.filter
def dom_id(thing: Model) -> str:
    """`message-12`."""
    return f"{thing._meta.model_name}-{thing.pk}"


@register.filter
def hue(name: object) -> int:
    """0..359, always the same for a name."""
    return zlib.crc32(str(name).encode()) % 360


@register.filter
def initials(name: object) -> str:
    """Of the first and the last word; two letters of a single word."""
    words = [letters for word in str(name).split() if (letters := "".join(filter(str.isalnum, word)))]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.simple_tag
def mood(value: float | None) -> str:
    """The face beside a name: its shape, its colour and its words say the mood. Nothing when none is known."""
    word = moods.word(value)
    if not word:
        return ""
    return format_html('<span class="mood" data-mood="{}" role="img" aria-label="{}"></span>', word, MOODS[word])


@register.filter
def mood_word(value: float | None) -> str:
    """`negative`, `neutral`, `positive` or ''."""
    return moods.word(value)


@register.filter
def channel_icon(channel: str) -> str:
    return CHANNELS[channel][0] if channel in CHANNELS else "message-square"


@register.filter
def channel_label(channel: str) -> str:
    """As it stands inside a sentence: "Telegram", "web chat"."""
    return str(CHANNELS[channel][1]) if channel in CHANNELS else str(capfirst(channel))


@register.simple_tag
@cache
def lucide(name: str, *, size: int = 24, **attributes: str) -> str:
    """The icon as the package's own tag draws it, but drawn once: that copies and writes out a tree each time."""
    return drawn(name, size=size, **attributes)


@register.filter
def language_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


@register.filter
def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago: "now", "2m", "3h", "5d", then the date; exact on hover. The browser keeps it fresh."""
    return _time(moment, "ago", short_ago(moment)) if moment else ""


@register.simple_tag(name="clock")
def clock_time(moment: datetime | None) -> SafeString | str:
    """The time of day. The browser shows it in the reader's zone."""
    return _time(moment, "clock", formats.date_format(timezone.localtime(moment), "H:i")) if moment else ""


@register.simple_tag
def day(moment: datetime | None) -> SafeString | str:
    """The day. The browser says today and yesterday in the reader's zone."""
    return _time(moment, "day", formats.date_format(timezone.localtime(moment), "j F Y")) if moment else ""


def short_ago(moment: datetime) -> str:
    minutes = int((clock.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return gettext("now")
    if minutes < 60:
        return ngettext("%(count)dm", "%(count)dm", minutes) % {"count": minutes}
    if minutes < 24 * 60:
        return ngettext("%(count)dh", "%(count)dh", minutes // 60) % {"count": minutes // 60}
    if minutes < 7 * 24 * 60:
        return ngettext("%(count)dd", "%(count)dd", minutes // 1440) % {"count": minutes // 1440}
    return formats.date_format(timezone.localtime(moment), "j M")


def _time(moment: datetime, show: str, text: str) -> SafeString:
    exact = formats.date_format(timezone.localtime(moment), "j F Y, H:i")
    return format_html(
        '<local-time show="{}"><time datetime="{}" title="{}">{}</time></local-time>',
        show,
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        exact,
        text,
    )
