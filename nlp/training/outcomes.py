"""Conversations: whether each turn of a customer opens the right record or nothing, and what context is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..labels import NONE
from ..measuring import Figures
from .crossvalidation import Scored

_SURE = 0.6  # how sure another record must be in a conversation that has one: the product's rule
_OPENED_BY = {"ticket": "support", "lead": "sales", "campaign_response": "marketing", "none": NONE}


def outcomes(scored: Sequence[Scored]) -> Figures:
    """Shares of 0..1. A turn opens a record of its main function, unless the conversation has it or nobody is sure."""
    turns = [one for one in scored if one.written.opens is not None]
    right = [is_right for _, talk in groupby(turns, key=lambda one: one.written.group) for is_right in _rights(talk)]
    fragments = [(one.pair, one.alone) for one in turns if one.alone is not None]
    return {
        "turns": len(right),
        "turns_right": _share(right),
        "fragments": len(fragments),
        "fragments_with_context": _share([pair.is_acceptable for pair, _ in fragments]),
        "fragments_alone": _share([alone.is_acceptable for _, alone in fragments]),
    }


def _rights(talk: Iterable[Scored]) -> list[bool]:
    """For each turn of one conversation, whether what it opens is what people said."""
    under_way: set[str] = {NONE}
    rights = []
    for turn in talk:
        function = turn.pair.read.function
        doubted = len(under_way) > 1 and turn.pair.read.confidence < _SURE
        opens = NONE if doubted or function in under_way else function
        under_way.add(function)
        rights.append(opens == _OPENED_BY[turn.written.opens or "none"])
    return rights


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / max(1, len(facts))
