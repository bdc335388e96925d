"""A calendar invitation, as its page shows it."""

from datetime import UTC, date, datetime
from email.message import Message
from typing import Any

from icalendar import Calendar

from channels_adapters.mailreading.body import data_of, leaves
from channels_adapters.mailreading.headers import unturned
from conversations.text import clean_line

_LARGEST = 500_000  # bytes


def invite_of(mail: Message) -> dict[str, str]:
    """The first event that the mail carries; {} when it carries none that can be read."""
    for _, part, _ in leaves(mail):
        if part.get_content_type() in ("text/calendar", "application/ics"):
            data = data_of(part)
            if len(data) <= _LARGEST and (found := _event(data)):
                return found
    return {}


def _event(data: bytes) -> dict[str, str]:
    try:
        calendar = Calendar.from_ical(data)
        event = next(iter(calendar.walk("VEVENT")), None)
        if event is None:
            return {}
        return _shown(calendar, event)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return {}  # the file is there all the same


def _shown(calendar: Any, event: Any) -> dict[str, str]:
    starts, ends = _moment(event, "DTSTART"), _moment(event, "DTEND")
    if not ends and starts and event.get("DURATION") is not None:
        ends = _iso(event.decoded("DTSTART") + event.decoded("DURATION"))
    said = {
        "title": clean_line(unturned(str(event.get("SUMMARY", ""))), 300),
        "starts": starts,
        "ends": ends,
        "place": clean_line(unturned(str(event.get("LOCATION", ""))), 300),
        "method": clean_line(str(calendar.get("METHOD", "publish")), 20).lower(),
    }
    return {key: value for key, value in said.items() if value}


def _moment(event: Any, name: str) -> str:
    return _iso(event.decoded(name)) if event.get(name) is not None else ""


def _iso(moment: date) -> str:
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return moment.isoformat()
