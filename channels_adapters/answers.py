"""What a platform's HTTP API answered: its status, its fields, and how long it asks us to wait."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from channels_adapters.reading import Fields
from crm.workspace import clock

PAUSE = 300.0  # seconds, where a person has to mend something
_LONGEST_PAUSE = 86_400.0
_LONGEST_NUMBER = 400  # digits
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """What the body says as JSON, None when it is none. A number too long to read is 0: the rest still counts."""
        try:
            return json.loads(self.body.decode("utf-8", "replace"), parse_int=_number)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> Fields:
        """The JSON object that the body is; an empty one when it is none."""
        said = self.json()
        return Fields(said if isinstance(said, dict) else {})

    def items(self) -> list[Fields]:
        """The objects of the JSON list that the body is."""
        said = self.json()
        return [Fields(item) for item in said if isinstance(item, dict)] if isinstance(said, list) else []

    def pause(self, header: str = "retry-after") -> float | None:
        """The seconds that a header asks us to wait: a number of them, a moment in unix time, or an ISO time."""
        now, said = clock.now(), self.headers.get(header, "").strip()
        moments = now.timestamp() / 2  # from here on a number is a moment: nobody asks for decades
        try:
            seconds = float(said)
            seconds = seconds - now.timestamp() if seconds > moments else seconds
        except ValueError:
            try:
                seconds = (datetime.fromisoformat(said) - now).total_seconds()
            except (ValueError, TypeError):
                return None
        return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None


def _number(digits: str) -> int:
    return int(digits) if len(digits) < _LONGEST_NUMBER else 0


def trouble(label: str, answer: Answer, *, pause: float | None = None) -> SendFailed:
    """What a status means that says nothing about the message itself."""
    if answer.status == _TOO_MANY:
        return Retryable(f"{label} asks us to slow down", answer.pause() if pause is None else pause)
    if answer.status in (502, 504):
        return Uncertain(f"{label} has trouble (status {answer.status})")
    if answer.status >= 500:
        return Retryable(f"{label} has trouble (status {answer.status})", answer.pause())
    return Refused(f"{label} refused it (status {answer.status})")
