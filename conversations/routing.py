"""Where a message leads: a pure decision from what was read and what is open. Tables and time stay outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field

FUNCTIONS = ("marketing", "sales", "support")
ANOTHER = 0.8  # how sure another function must be beside an open record: most of what follows is more of the same


@dataclass(frozen=True, slots=True)
class Reading:
    """The part of a triage that routing looks at. `functions`: each that the message asks for, main first."""

    function: str
    confidence: float
    functions: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class State:
    """What the conversation has already led to: the functions that have an open record in it."""

    open_functions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    threshold: float = 0.6  # 0..1: under it a person decides
    functions: frozenset[str] = field(default_factory=lambda: frozenset(FUNCTIONS))  # those switched on


@dataclass(frozen=True, slots=True)
class Decision:
    """`outcome`: opened (at least one new record), joined, nothing, or person (nobody is sure enough)."""

    outcome: str
    functions: tuple[str, ...] = ()  # those it led to, main first
    opens: tuple[str, ...] = ()  # of these, the ones that get a new record; the others join theirs


PERSON = Decision("person")
NOTHING = Decision("nothing")


def decide(reading: Reading | None, state: State, policy: Policy) -> Decision:
    """A record to open or join for each function the message surely asks for; another beside an open one needs more.

    Unsure, unread or for a function that is switched off: a person decides, unless the conversation has an open
    record, which the message then belongs to.
    """
    if reading is None:
        return PERSON
    if reading.function not in FUNCTIONS:
        return NOTHING if reading.confidence >= policy.threshold else _unsure(state)
    sure = [name for name, confidence in reading.functions if confidence >= _needed(name, state, policy)]
    wanted = [name for name in sure if name in policy.functions]
    if reading.confidence < _needed(reading.function, state, policy) or not wanted:
        return _unsure(state)
    return settle(wanted, state)


def _needed(function: str, state: State, policy: Policy) -> float:
    """How sure a reading must be to lead to a record of this function."""
    is_another = bool(state.open_functions) and function not in state.open_functions
    return max(policy.threshold, ANOTHER) if is_another else policy.threshold


def settle(wanted: Sequence[str], state: State) -> Decision:
    """Open or join a record for each wanted function; none wanted leads to nothing."""
    opens = tuple(name for name in wanted if name not in state.open_functions)
    outcome = "opened" if opens else "joined" if wanted else "nothing"
    return Decision(outcome, tuple(wanted), opens)


def _unsure(state: State) -> Decision:
    if not state.open_functions:
        return PERSON
    return Decision("joined", tuple(name for name in FUNCTIONS if name in state.open_functions))
