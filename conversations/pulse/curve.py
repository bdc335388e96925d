"""The figures of the mood curve: counts per stretch of time, net sentiment, and where the bars stand. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SLOT, BAR, MIDDLE, REACH = 10.0, 7.0, 50.0, 46.0  # of the drawing: a bar's place and width, its axis, its longest
FEWEST = 4  # the longest bar stands for at least so many messages: one message is not a peak


@dataclass(frozen=True, slots=True)
class Feeling:
    """One customer message: when, by whom, and -1, 0 or 1."""

    at: datetime
    customer_id: int
    sentiment: int


@dataclass(frozen=True, slots=True)
class Count:
    positive: int = 0
    neutral: int = 0
    negative: int = 0

    @property
    def messages(self) -> int:
        return self.positive + self.neutral + self.negative

    @property
    def net(self) -> int | None:
        """Share positive minus share negative, in points from -100 to 100; None without a message."""
        return round(100 * (self.positive - self.negative) / self.messages) if self.messages else None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Messages from `start` on, with the bar above the axis and the one below it."""

    start: datetime
    count: Count
    x: float
    up: float
    down: float

    @property
    def top(self) -> float:
        return MIDDLE - self.up


def first_start(now: datetime, step: timedelta, number: int, zone: ZoneInfo) -> datetime:
    """Where a curve of `number` stretches begins, so that they lie on the zone's clock and the last holds `now`."""
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since = local.replace(tzinfo=None) - midnight.replace(tzinfo=None)
    return now - since % step - (number - 1) * step


def total(feelings: Iterable[Feeling]) -> Count:
    tally = {-1: 0, 0: 0, 1: 0}
    for feeling in feelings:
        tally[feeling.sentiment] += 1
    return Count(positive=tally[1], neutral=tally[0], negative=tally[-1])


def curve(feelings: Sequence[Feeling], start: datetime, step: timedelta, number: int) -> list[Stretch]:
    """`number` stretches of `step` from `start`; what lies outside is left out."""
    heard: list[list[Feeling]] = [[] for _place in range(number)]
    for feeling in feelings:
        place = (feeling.at - start) // step
        if 0 <= place < number:
            heard[place].append(feeling)
    counts = [total(some) for some in heard]
    longest = max([FEWEST, *(max(count.positive, count.negative) for count in counts)])
    return [_stretch(start + place * step, count, place, longest) for place, count in enumerate(counts)]


def _stretch(start: datetime, count: Count, place: int, longest: int) -> Stretch:
    x = place * SLOT + (SLOT - BAR) / 2
    return Stretch(start, count, x, REACH * count.positive / longest, REACH * count.negative / longest)
