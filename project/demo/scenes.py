"""The demo's conversations as they are written in conversations.jsonl."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("conversations.jsonl")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message or note. `who` is customer, agent or note."""

    who: str
    text: str
    minutes_ago: int


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation, with what came of it."""

    key: str
    channel: str
    name: str
    username: str
    language: str
    colleague: str  # who has it; '' when nobody does
    is_resolved: bool
    campaign: str  # the code they came by
    amount: str  # of the deal it led to
    is_won: bool
    turns: tuple[Turn, ...]

    def said_before(self, index: int) -> tuple[str, ...]:
        """The customer's last three texts before a turn, oldest first."""
        return tuple(turn.text for turn in self.turns[:index] if turn.who == "customer")[-3:]


@dataclass(frozen=True, slots=True)
class Step:
    scene: Scene
    index: int
    at: datetime

    @property
    def turn(self) -> Turn:
        return self.scene.turns[self.index]


def read() -> list[Scene]:
    """Every scene of the file."""
    return [_scene(json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines()]


def in_order(scenes: list[Scene], now: datetime) -> list[Step]:
    """Every turn of every scene, oldest first, as it happened up to `now`."""
    steps = [
        Step(scene, index, now - timedelta(minutes=turn.minutes_ago))
        for scene in scenes
        for index, turn in enumerate(scene.turns)
    ]
    return sorted(steps, key=lambda step: (step.at, step.scene.key, step.index))


def _scene(told: dict[str, Any]) -> Scene:
    deal = told.get("deal", {})
    return Scene(
        key=told["id"],
        channel=told["channel"],
        name=told["name"],
        username=told["username"],
        language=told["language"],
        colleague=told["by"],
        is_resolved=told.get("resolved", False),
        campaign=told.get("campaign", ""),
        amount=deal.get("amount", ""),
        is_won=deal.get("won", False),
        turns=_turns(told["turns"], told["minutes_ago"]),
    )


def _turns(told: list[tuple[str, int, str]], minutes_ago: int) -> tuple[Turn, ...]:
    """Each turn is told as who, minutes after the turn before, text; the last one was `minutes_ago`."""
    left = minutes_ago + sum(gap for _who, gap, _text in told)
    turns = []
    for who, gap, text in told:
        left -= gap
        turns.append(Turn(who, text, left))
    return tuple(turns)
