"""Conversations: whether each turn of a customer opens the right record or nothing, and what context is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ..labels import NONE
from ..measuring import Figures
from .crossvalidation import Scored

_SURE = 0.8  # how sure another record must be in a conversation that has one, as in the product
_OPENED_BY = {"ticket": "support", "lead": "sales", "campaign_response": "marketing", "none": NONE}


def outcomes(scored: Sequence[Scored]) -> Figures:
    """Shares of 0..1. A turn opens a record of its main function, unless the conversation has it or nobody is sure.

    The first record needs no certainty here: under the workspace's threshold the product leaves it to a person.

    `turns_right` open what people said, or nothing where they said nothing; `turns_not_wrong` open that or nothing:
    what is missed a person sees in the conversation, what is wrong has to be put away. A hub that is silent is never
    wrong: `records_opened`, of those that people said, tells it from one that listens.
    """
    turns = [one for one in scored if one.written.opens is not None]
    opened = [pair for _, talk in groupby(turns, key=lambda one: one.written.group) for pair in _opened(talk)]
    fragments = [(one.pair, one.alone) for one in turns if one.alone is not None]
    return {
        "turns": len(opened),
        "turns_right": _share([opens == told for opens, told in opened]),
        "turns_not_wrong": _share([opens in (told, NONE) for opens, told in opened]),
        "records_opened": _share([opens == told for opens, told in opened if told != NONE]),
        "fragments": len(fragments),
        "fragments_with_context": _share([pair.is_acceptable for pair, _ in fragments]),
        "fragments_alone": _share([alone.is_acceptable for _, alone in fragments]),
    }


def _opened(talk: Iterable[Scored]) -> Iterator[tuple[str, str]]:
    """For each turn of one conversation, what it opens and what people said."""
    under_way: set[str] = set()
    for turn in talk:
        read = turn.pair.read
        doubted = bool(under_way) and read.confidence < _SURE
        opens = NONE if doubted or read.function in under_way else read.function
        under_way |= {opens} - {NONE}
        yield opens, _OPENED_BY[turn.written.opens or "none"]


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / max(1, len(facts))
