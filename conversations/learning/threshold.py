"""The threshold under which a person decides: its curve, what another one would have done, and setting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import nlp
from conversations.models import Route
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace
from nlp.calibration import Answer

MONTH = timedelta(days=30)
STEPS = 50
PRECISION = 0.95  # what a suggested threshold keeps


@dataclass(frozen=True, slots=True)
class Month:
    """The last 30 days: how many messages were sure enough at the time, and how many would be at another threshold."""

    messages: int
    alone: int
    would: int
    to_people: int  # went alone, and would be left to a person
    to_alone: int  # were left to a person, and would go alone
    wrong: int  # of those that would go alone, how many are wrong by the curve

    @property
    def people(self) -> int:
        return self.messages - self.alone

    @property
    def would_people(self) -> int:
        return self.messages - self.would


def last_month(threshold: float, now: datetime, precision: float) -> Month:
    """What `threshold` would have done with the messages that the policy routed in the last 30 days."""
    read = Route.objects.filter(decider="policy", at__gte=now - MONTH).values_list("confidence", "threshold")
    alone = to_people = to_alone = would = messages = 0
    for confidence, then in read:
        was, goes = confidence >= then, confidence >= threshold
        messages, alone, would = messages + 1, alone + was, would + goes
        to_people, to_alone = to_people + (was and not goes), to_alone + (goes and not was)
    return Month(messages, alone, would, to_people, to_alone, round(would * (1 - precision)))


@dataclass(frozen=True, slots=True)
class Curve:
    """Two lines over the threshold from 0 to 1, as points of an SVG of 100 by 100, and the same as rows of a table."""

    points: list[nlp.Point]  # coverage of all messages, precision of those that are known
    chosen: nlp.Point
    suggested: float | None  # the lowest threshold above which PRECISION is kept

    @property
    def coverage_line(self) -> str:
        return " ".join(f"{100 * point.threshold:.1f},{100 - 100 * point.coverage:.1f}" for point in self.points)

    @property
    def precision_line(self) -> str:
        return " ".join(f"{100 * point.threshold:.1f},{100 - 100 * point.precision:.1f}" for point in self._told)

    @property
    def _told(self) -> list[nlp.Point]:
        """Where nothing goes alone there is no precision to draw."""
        return [point for point in self.points if point.coverage]

    @property
    def rows(self) -> list[nlp.Point]:
        return self.points[:: STEPS // 10]

    @property
    def x(self) -> float:
        return round(100 * self.chosen.threshold, 1)


def curve(confidences: Sequence[float], answers: Sequence[Answer], threshold: float) -> Curve:
    """How many go alone is counted over all `confidences`; how many of those are right is known of `answers` only."""
    asked = [*(step / STEPS for step in range(STEPS + 1)), threshold]
    *points, chosen = (_point(confidences, answers, at) for at in asked)
    return Curve(points, chosen, nlp.threshold_for(answers, PRECISION))


def _point(confidences: Sequence[float], answers: Sequence[Answer], threshold: float) -> nlp.Point:
    going = sum(confidence >= threshold for confidence in confidences)
    precision = nlp.at_threshold(answers, threshold).precision
    return nlp.Point(threshold, going / max(1, len(confidences)), precision)


def move(workspace: Workspace, threshold: float, *, by: Membership) -> None:
    """Messages read less surely than this (0..1) are left to a person from now on: a new version of the policy."""
    with change(workspace, actor=by, cause="page") as event:
        held = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if held.triage_threshold == threshold:
            return
        changed = {"triage_threshold": [held.triage_threshold, threshold]}
        held.triage_threshold, held.policy_version = threshold, held.policy_version + 1
        held.save(update_fields=["triage_threshold", "policy_version"])
        workspace.triage_threshold, workspace.policy_version = held.triage_threshold, held.policy_version
        event.record("settings.changed", changed=changed)
