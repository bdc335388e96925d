"""What a channel can do, in words: for the settings pages and `docs/channels.md`."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from channels_adapters.contract import TAKES_IN, Capabilities, ChannelAdapter

KIB = 1024


@dataclass(frozen=True, slots=True)
class Ability:
    """One line: what, and how much of it; `value` is '' when the channel cannot."""

    what: str
    value: str


def comes_in(adapter: type[ChannelAdapter]) -> list[str]:
    """What comes in, in one order for all channels."""
    return [word for word in TAKES_IN if word in adapter.capabilities.takes_in]


def goes_out(adapter: type[ChannelAdapter]) -> list[Ability]:
    """What we can do there, the same lines for every channel."""
    can = adapter.capabilities
    return [
        Ability(_("text, characters a part"), f"{can.text_limit:,}"),
        Ability(_("files"), _files(can)),
        Ability(_("answers to one message"), _yes(can.replies)),
        Ability(_("buttons"), _buttons(can)),
        Ability(_("templates"), _yes(can.templates)),
        Ability(_("window after their last message"), _window(can)),
        Ability(_("writes first"), _yes(can.starts)),
        Ability(_("shows that we type"), _yes(can.typing)),
        Ability(_("shows that we read"), _yes(can.read_marks)),
        Ability(_("tells us"), ", ".join(can.receipts)),
        Ability(_("edits"), _where(can, "edits", _yes(can.edits))),
        Ability(_("deletes"), _where(can, "deletes", _yes(can.deletes))),
        Ability(_("reactions"), _where(can, "reactions", _reactions(can))),
        Ability(_("public posts"), _yes(can.public_posts)),
        Ability(_("answers a post in private"), _yes(can.private_answers)),
        Ability(_("hides posts"), _yes(can.hides)),
        Ability(_("likes posts"), _yes(can.likes)),
        Ability(_("parts a second"), _rate(can)),
        Ability(_("when nobody knows whether it arrived"), _doubt(can)),
    ]


def _yes(can: bool) -> str:
    return "yes" if can else ""


def _where(can: Capabilities, word: str, told: str) -> str:
    if told and word in can.only_public:
        return f"{told}, of posts"
    return f"{told}, in private" if told and word in can.only_private else told


def _files(can: Capabilities) -> str:
    if not can.files:
        return ""
    kinds = ", ".join(can.media) or "all kinds"
    return f"{kinds}, to {size(can.file_limit)}" if can.file_limit else kinds


def size(count: int) -> str:
    """20 MiB."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < KIB:
            return f"{count:g} {unit}"
        count = count // KIB if count % KIB == 0 else round(count / KIB)
    return f"{count:g} GiB"


def _buttons(can: Capabilities) -> str:
    if not can.buttons:
        return ""
    return f"to {can.buttons}, of {can.button_limit} characters" if can.button_limit else f"to {can.buttons}"


def _window(can: Capabilities) -> str:
    if not can.window_hours:
        return "none"
    late = f", an agent {can.tag_hours} h" if can.tag_hours > can.window_hours else ""
    where = f", on `{can.window_on}` only" if can.window_on else ""
    return f"{can.window_hours} h{late}{where}"


def _reactions(can: Capabilities) -> str:
    return ("yes" if not can.emojis else f"{len(can.emojis)} of them") if can.reactions else ""


def _rate(can: Capabilities) -> str:
    rates = [f"{can.per_second:g}"] if can.per_second else []
    return ", ".join([*rates, *([f"{can.per_thread_second:.2g} a thread"] if can.per_thread_second else [])])


def _doubt(can: Capabilities) -> str:
    if can.looks_up:
        return "the platform is asked"
    return "sent again, which does no harm" if can.repeatable else "an agent decides"
