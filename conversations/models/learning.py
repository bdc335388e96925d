"""What a workspace teaches triage in its own words, and the pipelines that were trained for it."""

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.models import Membership
from crm.workspace.owned import WorkspaceOwned, scoped


class OwnWord(WorkspaceOwned):
    """An intent that the workspace added, with the phrases and examples that show it."""

    class Function(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SALES = "sales", _("Sales")
        SUPPORT = "support", _("Support")
        NONE = "none", _("None of these")

    name = models.CharField(max_length=40)  # as people read it; the intent's name in triage
    function = models.CharField(max_length=10, choices=Function)
    phrases: Any = models.JSONField(default=list)  # patterns: words, `*`, `|`, `..`
    examples: Any = models.JSONField(default=list)  # redacted when they were written down
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="an_own_intent_is_named_once")]

    def __str__(self) -> str:
        return self.name


class TrainingQuerySet(models.QuerySet["Training"]):
    def unfinished(self) -> "TrainingQuerySet":
        return self.filter(state__in=Training.UNFINISHED)

    def in_use(self) -> "Training | None":
        """The one whose pipeline reads the workspace's messages; None: the shipped pipeline does."""
        return self.filter(promoted_at__isnull=False, retired_at=None).first()


class Training(WorkspaceOwned):
    """A candidate: asked for, trained, compared with what was in use, and then used or not. Its files lie on disk."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for its turn")
        RUNNING = "running", _("being trained")
        DONE = "done", _("trained")
        FAILED = "failed", _("not trained")

    UNFINISHED = (State.WAITING, State.RUNNING)

    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # null: the command line
    asked_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)  # the last sign of life of who trains it
    ended_at = models.DateTimeField(null=True)
    step = models.PositiveSmallIntegerField(default=0)
    steps = models.PositiveSmallIntegerField(default=1)
    problem = models.CharField(max_length=400, blank=True)
    version = models.CharField(max_length=40, blank=True)
    shipped = models.CharField(max_length=40, blank=True)  # the version of the shipped pipeline it was made from
    lessons = models.PositiveIntegerField(default=0)  # corrections, confirmations, own phrases and examples
    fresh = models.PositiveIntegerField(default=0)  # of these, what the one in use had not been taught
    taught: Any = models.JSONField(default=list)  # the lessons' keys
    compared_with = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")  # null: the shipped one
    current: Any = models.JSONField(default=dict)  # figures, 0..1: {"corrections": 0.4, "support": 0.97, ...}
    candidate: Any = models.JSONField(default=dict)
    fell: Any = models.JSONField(default=list)  # functions that fell by over a point
    promoted_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    replaced = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")  # null: the shipped one

    objects: ClassVar[Any] = scoped(TrainingQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(state__in=["waiting", "running"]), name="one_training_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=Q(promoted_at__isnull=False, retired_at=None),
                name="one_pipeline_in_use",
            ),
        ]

    @property
    def folder(self) -> Path:
        path: Path = settings.MODELS_ROOT / str(self.workspace_id) / str(self.pk)
        return path

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED

    @property
    def is_in_use(self) -> bool:
        return self.promoted_at is not None and self.retired_at is None

    @property
    def has_learnt(self) -> bool:
        """Whether more of the new lessons are right than before."""
        return bool(self.candidate.get("corrections", 0) > self.current.get("corrections", 0))

    @property
    def can_be_used(self) -> bool:
        return self.state == self.State.DONE and self.folder.is_dir()
