"""Template: a text that a platform approved beforehand, as it listed it last."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.inbox import Inbox
from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Template(WorkspaceOwned):
    class Status(models.TextChoices):
        APPROVED = "approved", _("approved")
        PENDING = "pending", _("being looked at")
        REJECTED = "rejected", _("rejected")
        PAUSED = "paused", _("paused")

    inbox = models.ForeignKey(Inbox, models.CASCADE, related_name="message_templates")
    name = models.CharField(max_length=255)
    language = models.CharField(max_length=20)  # as the platform writes it
    text = models.TextField(blank=True)  # with {{1}} or {{name}} where a value goes
    variables: Any = models.JSONField(default=list)  # the names of its values, in order
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    category = models.CharField(max_length=40, blank=True)  # marketing, utility, authentication
    reason = models.CharField(max_length=300, blank=True)  # why it was rejected or paused
    listed_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(fields=["inbox", "name", "language"], name="a_template_is_known_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"

    @property
    def is_usable(self) -> bool:
        return self.status == self.Status.APPROVED
