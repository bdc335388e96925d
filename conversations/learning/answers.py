"""What is known about how right triage was: the workspace's own messages, or ours where those are too few."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

import nlp
from conversations.models import Correction, Message, Route
from nlp.calibration import Answer

LOOKED_BACK = timedelta(days=90)
ENOUGH = 50  # answers, from which on a workspace's own curve says more than ours


@dataclass(frozen=True, slots=True)
class Basis:
    """What precision is drawn from. `is_own`: the workspace's messages; else those that we wrote, each read by a
    pipeline that had not seen it."""

    answers: Sequence[Answer]
    is_own: bool
    corrected: int
    confirmed: int
    stood: int

    @property
    def said(self) -> int:
        """Messages that an agent spoke about. Only they count toward ENOUGH: silence alone would call all right."""
        return self.corrected + self.confirmed


def basis(now: datetime) -> Basis:
    """How sure triage was of each message that people have looked at, and whether it was right about the function.

    Looked at: an agent corrected or confirmed it, or it went alone, a person answered or resolved its conversation,
    and nobody corrected it.
    """
    said, stood = _said(now - LOOKED_BACK), _stood(now - LOOKED_BACK)
    confirmed = sum(is_right for _confidence, is_right in said)
    found = Basis([*said, *stood], True, len(said) - confirmed, confirmed, len(stood))
    if found.said >= ENOUGH:
        return found
    return Basis(nlp.standing_answers(), False, found.corrected, found.confirmed, found.stood)


def confidences(since: datetime) -> list[float]:
    """How sure triage was of each message that the policy routed, whoever looked at it."""
    routed = Route.objects.filter(decider="policy", at__gte=since)
    return list(routed.values_list("confidence", flat=True))


def _said(since: datetime) -> list[Answer]:
    newest: dict[int, Answer] = {}
    told = Correction.objects.filter(triage__at__gte=since, message__direction=Message.Direction.IN).order_by("pk")
    for pk, after, function, confidence in told.values_list(
        "message", "after", "triage__function", "triage__confidence"
    ):
        newest[pk] = (confidence, function in (after["functions"] or ["none"]))
    return list(newest.values())


def _stood(since: datetime) -> list[Answer]:
    alone = Route.objects.filter(decider="policy", at__gte=since, confidence__gte=F("threshold"))
    looked_at = Q(conversation__first_answered_at__isnull=False) | Q(conversation__resolved_at__isnull=False)
    alone = alone.filter(looked_at, message__corrections=None, message__deleted_at=None).exclude(outcome="person")
    return [(confidence, True) for confidence in alone.values_list("confidence", flat=True)]
