"""Flow: how fast an inbox may send just now, one row for every process that sends."""

from django.db import models

from conversations.models.inbox import Inbox
from crm.workspace.owned import WorkspaceOwned


class Flow(WorkspaceOwned):
    inbox = models.OneToOneField(Inbox, models.CASCADE, related_name="flow")
    paced_until = models.DateTimeField(null=True)  # the time up to which its rate is spent
    held_until = models.DateTimeField(null=True)  # nothing leaves before: the platform said so, or it failed too often
    hold_reason = models.CharField(max_length=300, blank=True)  # in plain words
    failures = models.PositiveIntegerField(default=0)  # one after the other
