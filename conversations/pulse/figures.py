"""The card Mood: what was felt in a period, on all channels or one, and how fast we answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Correction, Message, Triage
from conversations.pulse.curve import Count, Feeling, Stretch, curve, first_start, total

PROMPT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Period:
    label: Promise
    step: timedelta
    step_label: Promise
    number: int  # of steps
    form: str  # of a moment under the curve


PERIODS: Mapping[str, Period] = {
    "24h": Period(_("Last 24 hours"), timedelta(minutes=30), _("per half hour"), 48, "H:i"),
    "7d": Period(_("Last 7 days"), timedelta(hours=4), _("per 4 hours"), 42, "D H:i"),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Of `opened` conversations, so many were answered within PROMPT."""

    opened: int
    prompt: int

    @property
    def share(self) -> int | None:
        """In percent; None when none was opened."""
        return round(100 * self.prompt / self.opened) if self.opened else None


@dataclass(frozen=True, slots=True)
class Figures:
    start: datetime
    count: Count
    people: int
    answers: Answers
    stretches: list[Stretch]


def figures(period: Period, *, channel: str, now: datetime, zone: ZoneInfo) -> Figures:
    """The figures of a period up to `now`; `channel` '' means all."""
    start = first_start(now, period.step, period.number, zone)
    felt = feelings(start, channel)
    people = len({feeling.customer_id for feeling in felt})
    return Figures(
        start, total(felt), people, answers(start, channel, now), curve(felt, start, period.step, period.number)
    )


def feelings(start: datetime, channel: str) -> list[Feeling]:
    """The customer messages since `start` that were read; an agent's correction counts instead of what was read."""
    read = Triage.objects.filter(at__gte=start, message__at__gte=start)  # never read before it was written
    read = read.filter(message__direction=Message.Direction.IN, message__deleted_at=None)
    said = Correction.objects.filter(message__at__gte=start)
    if channel:
        read = read.filter(message__conversation__inbox__channel=channel)
    right = {pk: after["sentiment"] for pk, after in said.order_by("pk").values_list("message", "after")}
    rows = read.values_list("message", "message__at", "message__conversation__customer", "sentiment")
    return [Feeling(at, customer, right.get(pk, sentiment)) for pk, at, customer, sentiment in rows]


def answers(start: datetime, channel: str, now: datetime) -> Answers:
    """Of the conversations opened since `start` and at least PROMPT ago."""
    opened = Conversation.objects.filter(opened_at__gte=start, opened_at__lte=now - PROMPT)
    opened = opened.filter(last_message_at__gte=start)  # it follows from the line above, and there is an index for it
    if channel:
        opened = opened.filter(inbox__channel=channel)
    prompt = opened.filter(first_answered_at__lte=F("opened_at") + PROMPT)
    return Answers(opened.count(), prompt.count())
