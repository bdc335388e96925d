"""The edge's tables: the connection of each inbox, and what came in, as it came."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import Inbox
from crm.web.encrypted import EncryptedBytes, EncryptedJSON
from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Connection(WorkspaceOwned):
    """How we reach an inbox's platform, and how it has gone lately."""

    inbox = models.OneToOneField(Inbox, models.CASCADE, related_name="connection")
    settings: Any = EncryptedJSON(default=dict)  # the adapter's own form: tokens, secrets, addresses
    poll_cursor = models.TextField(blank=True)  # where the adapter is; moved in the transaction that stores
    poll_holder = models.CharField(max_length=40, blank=True)  # the process that polls
    poll_until = models.DateTimeField(null=True)  # its lease
    last_in_at = models.DateTimeField(null=True)
    last_out_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)  # in plain words
    last_error_at = models.DateTimeField(null=True)
    templates_at = models.DateTimeField(null=True)  # when its templates were asked for last
    facts: Any = models.JSONField(default=dict)  # what the last test found, label by label; never a secret
    checked_at = models.DateTimeField(null=True)


class RawDelivery(WorkspaceOwned):
    """One request or update of a platform, byte for byte, stored before it is acknowledged."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("taken in")
        PARKED = "parked", _("could not be read")

    inbox = models.ForeignKey(Inbox, models.CASCADE, related_name="raw_deliveries")
    delivery_id = models.CharField(max_length=200)  # the platform's, or a hash of the bytes
    body = EncryptedBytes()
    received_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "raw deliveries"
        constraints = [models.UniqueConstraint(fields=["inbox", "delivery_id"], name="a_raw_delivery_is_stored_once")]
        indexes = [
            models.Index(fields=["state", "inbox", "id"], name="raw_deliveries_to_take"),
        ]
