"""Webhooks: who wants to be told of what, and each telling with how it went. The rows are the truth."""

import base64
import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.web.encrypted import EncryptedJSON
from crm.workspace import clock
from crm.workspace.models import Membership
from crm.workspace.owned import WorkspaceOwned


def new_secret() -> str:
    """192 random bits as the standard writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def new_id() -> str:
    return "msg_" + secrets.token_urlsafe(18)


class WebhookSubscription(WorkspaceOwned):
    """An address that is told of events."""

    url = models.CharField(max_length=2000)
    secret: Any = EncryptedJSON(default=new_secret)  # signs what we send
    old_secret: Any = EncryptedJSON(null=True)  # signs beside it, so that the receiver can change over
    old_secret_until = models.DateTimeField(null=True)
    verbs: Any = models.JSONField(default=list)  # ["message.received"]; empty: all
    cursor = models.BigIntegerField()  # number of the last event that was turned into deliveries
    may_be_private = models.BooleanField(default=False)  # set from the command line only
    created_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True)  # null: the last delivery arrived
    quiet_until = models.DateTimeField(null=True)  # as it asked with Retry-After

    def __str__(self) -> str:
        return self.url

    @property
    def is_quiet(self) -> bool:
        """It asked for a pause that is not over."""
        return self.quiet_until is not None and self.quiet_until > clock.now()

    def secrets_now(self) -> tuple[str, ...]:
        """What to sign with: the secret, and for a while after a change the one before."""
        is_old_valid = self.old_secret_until is not None and self.old_secret_until > clock.now()
        return (self.secret, self.old_secret) if is_old_valid else (self.secret,)


class WebhookDelivery(WorkspaceOwned):
    """One event for one subscription: what is sent, and what came back."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("arrived")
        DEAD = "dead", _("given up")

    subscription = models.ForeignKey(WebhookSubscription, models.CASCADE, related_name="deliveries")
    event_number = models.BigIntegerField()
    verb = models.CharField(max_length=40)
    webhook_id = models.CharField(max_length=40, unique=True, default=new_id)  # the same with each attempt and replay
    body = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)  # also the fence: a worker writes only its own attempt
    round_began = models.PositiveSmallIntegerField(default=0)  # attempts before the last replay
    due_at = models.DateTimeField(default=clock.now)
    leased_until = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_text = models.CharField(max_length=1000, blank=True)  # its beginning
    reason = models.CharField(max_length=300, blank=True)  # why it did not arrive
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event_number"], name="an_event_is_told_once_to_each")
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="webhook_deliveries_due"),
            models.Index(fields=["subscription", "-created_at", "-id"], name="webhook_log"),
        ]
