"""Thread and Conversation: where it is said, and the matter that it is about."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from conversations.models.inbox import Inbox
from crm.people.models import Customer
from crm.workspace import clock
from crm.workspace.models import Function, Membership, Team
from crm.workspace.owned import WorkspaceOwned, scoped


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def open(self) -> "ConversationQuerySet":
        return self.filter(status=Conversation.Status.OPEN)

    def resolved(self) -> "ConversationQuerySet":
        return self.filter(status=Conversation.Status.RESOLVED)

    def of(self, membership: Membership) -> "ConversationQuerySet":
        return self.filter(assignee=membership)

    def unassigned(self) -> "ConversationQuerySet":
        return self.filter(assignee=None)

    def newest_first(self) -> "ConversationQuerySet":
        return self.order_by("-last_message_at", "-pk")

    def with_people(self) -> "ConversationQuerySet":
        return self.select_related("customer", "inbox", "assignee__agent")


class Conversation(WorkspaceOwned):
    """One matter between a customer and us, until it is resolved.

    What the list shows (last message, unread, waiting) is written down here with each message, so that the list
    reads one table.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="conversations")
    inbox = models.ForeignKey(Inbox, models.PROTECT, related_name="conversations")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    function = models.CharField(max_length=10, choices=Function, blank=True)  # the main one; '': none, or not said yet
    intent = models.CharField(max_length=40, blank=True)
    urgency = models.PositiveSmallIntegerField(default=0)  # the highest of its messages, 0..3
    language = models.CharField(max_length=12, blank=True)
    mood = models.FloatField(null=True)  # -1..1, newest messages weigh most
    assignee = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="conversations")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="conversations")
    is_public = models.BooleanField(default=False)  # it began in public; what is answered in private stays private
    needs_person = models.BooleanField(default=False)  # triage was unsure and nobody has corrected it yet
    last_seq = models.PositiveIntegerField(default=0)  # raised under this row's lock
    last_message_at = models.DateTimeField(default=clock.now)
    last_text = models.CharField(max_length=200, blank=True)
    last_by_us = models.BooleanField(default=False)
    unread = models.PositiveIntegerField(default=0)  # customer messages no agent has opened
    waiting_since = models.DateTimeField(null=True)  # oldest customer message without an answer
    opened_at = models.DateTimeField(default=clock.now)
    first_answered_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = scoped(ConversationQuerySet)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False) | Q(status="open", resolved_at=None),
                name="a_resolved_conversation_says_when",
            ),
            models.CheckConstraint(condition=Q(unread__lte=F("last_seq")), name="unread_messages_exist"),
        ]
        indexes = [
            models.Index(fields=["workspace", "status", "-last_message_at", "-id"], name="list_of_all"),
            models.Index(fields=["workspace", "status", "assignee", "-last_message_at", "-id"], name="list_of_one"),
            models.Index(fields=["workspace", "customer", "-last_message_at"], name="conversations_of_a_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.inbox}"

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    def next_seq(self) -> int:
        """The next place in this conversation. The caller holds the row's lock and saves it."""
        self.last_seq += 1
        return self.last_seq


class Thread(WorkspaceOwned):
    """One place on a platform where a customer and we write: a Telegram chat, a mail thread, a public mention."""

    inbox = models.ForeignKey(Inbox, models.PROTECT, related_name="threads")
    external_id = models.CharField(max_length=200)  # the platform's own id
    is_public = models.BooleanField(default=False)
    is_group = models.BooleanField(default=False)
    conversation = models.ForeignKey(
        Conversation, models.SET_NULL, null=True, related_name="threads"
    )  # null: none open
    paced_until = models.DateTimeField(null=True)  # when we last sent here, or up to when its rate is spent: see `flow`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["inbox", "external_id"], name="a_thread_is_known_once")]

    def __str__(self) -> str:
        return self.external_id
