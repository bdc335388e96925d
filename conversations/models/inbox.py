"""Inbox: our account on a channel, as the hub sees it. Its secrets live at the edge."""

import secrets
import string
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


def new_key() -> str:
    """128 bits nobody can guess: the address of the inbox's hook. Never begins like a command's option."""
    return f"{secrets.choice(string.ascii_letters)}{secrets.token_urlsafe(16)}"


class Inbox(WorkspaceOwned):
    class State(models.TextChoices):
        DRAFT = "draft", _("not connected yet")
        LIVE = "live", _("live")
        PAUSED = "paused", _("paused")
        DEMO = "demo", _("demo: nothing is received or sent")
        LOST = "lost", _("shut out by the platform")
        REMOVED = "removed", _("removed: what was said can still be read")

    channel = models.CharField(max_length=20)  # a kind: "telegram"
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=40, unique=True, default=new_key)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    identity_scope = models.CharField(max_length=80, blank=True)  # what addresses are unique within
    lost_reason = models.CharField(max_length=300, blank=True)  # why the platform shut us out, in plain words
    mended_at = models.DateTimeField(null=True)  # a word of being shut out that is older counts no more
    capabilities: Any = models.JSONField(default=dict)  # written by the edge at start, read by the composer
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return self.name

    @property
    def sends(self) -> bool:
        return self.state == self.State.LIVE
