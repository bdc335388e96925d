"""Delivery: one row per outgoing part. The edge's worker claims it; the row is the truth about whether it left."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.message import File, Message
from conversations.models.thread import Thread
from conversations.text import ID_LIMIT
from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Delivery(WorkspaceOwned):
    class Kind(models.TextChoices):
        SEND = "send", _("send")
        EDIT = "edit", _("edit")
        DELETE = "delete", _("delete")
        REACT = "react", _("react")
        TYPING = "typing", _("typing")
        READ = "read", _("read")
        HIDE = "hide", _("hide")
        UNHIDE = "unhide", _("show again")
        LIKE = "like", _("like")
        UNLIKE = "unlike", _("take the like back")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNCERTAIN = "uncertain", _("may or may not have arrived")
        DEAD = "dead", _("given up")

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="deliveries")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="deliveries")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.SEND)
    part = models.PositiveSmallIntegerField(default=0)  # parts of a message leave in this order
    text = models.TextField(blank=True)
    target = models.CharField(max_length=ID_LIMIT, blank=True)  # the platform's id of the message it does something to
    details: Any = models.JSONField(
        default=dict
    )  # its buttons or template, as the contract names them; of an edit: whole
    file = models.ForeignKey(File, models.PROTECT, null=True, related_name="deliveries")
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)  # also the fence: a worker writes only its own attempt
    due_at = models.DateTimeField(default=clock.now)
    leased_until = models.DateTimeField(null=True)
    external_id = models.CharField(max_length=ID_LIMIT, blank=True)
    reason = models.CharField(max_length=300, blank=True)  # in plain words, for the agent
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    let_go_at = models.DateTimeField(null=True)  # it failed, and a person leaves it so

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["message", "kind", "part"], name="a_part_is_queued_once"),
            models.CheckConstraint(
                condition=models.Q(state="sending", leased_until__isnull=False) | ~models.Q(state="sending"),
                name="a_delivery_in_sending_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="deliveries_due"),
            models.Index(fields=["thread", "state", "id"], name="oldest_unsent_of_a_thread"),
            models.Index(fields=["external_id"], name="deliveries_by_external_id"),
            models.Index(
                fields=["workspace", "id"],
                condition=models.Q(state__in=("refused", "uncertain", "dead"), let_go_at=None),
                name="deliveries_that_failed",
            ),
        ]

    OPEN_STATES = (State.QUEUED, State.SENDING)
    STUCK_STATES = (State.REFUSED, State.DEAD, State.UNCERTAIN)  # waits for a person's word

    @property
    def is_act(self) -> bool:
        """Whether it does something to a message that exists: doing it twice does no harm."""
        return self.kind != self.Kind.SEND

    @property
    def is_stuck(self) -> bool:
        return self.state in self.STUCK_STATES and self.let_go_at is None
