"""What a message was understood to be, what was decided from it, which records it opened, and who corrected it."""

from typing import Any

from django.db import models
from django.db.models import Q

from conversations.models.message import Message
from conversations.models.thread import Conversation
from crm.marketing.models import CampaignResponse
from crm.sales.models import Lead, Opportunity
from crm.support.models import Ticket
from crm.workspace import clock
from crm.workspace.models import Membership
from crm.workspace.owned import WorkspaceOwned


class Triage(WorkspaceOwned):
    """What the pipeline read in a message, kept as it was read: a correction stands beside it, not in its place."""

    message = models.OneToOneField(Message, models.CASCADE, related_name="triage")
    function = models.CharField(max_length=10)  # marketing, sales, support, none
    functions: Any = models.JSONField(default=list)  # [["support", 0.94], ["sales", 0.61]], main first
    confidence = models.FloatField()  # 0..1, calibrated
    intent = models.CharField(max_length=40, blank=True)
    sentiment = models.SmallIntegerField()  # -1, 0, 1
    sentiment_score = models.FloatField()  # -1..1
    urgency = models.PositiveSmallIntegerField()  # 0..3
    language = models.CharField(max_length=12)
    entities: Any = models.JSONField(default=list)  # [["order_number", "88213"]]
    because: Any = models.JSONField(default=list)  # the words that weighed
    model_version = models.CharField(max_length=40)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["workspace", "at"], name="triage_by_time")]
        constraints = [
            models.CheckConstraint(condition=Q(sentiment__gte=-1, sentiment__lte=1), name="sentiment_is_of_three"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_is_a_share"),
        ]


class Route(WorkspaceOwned):
    """What was decided for a message, by whom or what, and why."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="routes")
    message = models.ForeignKey(Message, models.CASCADE, related_name="routes")
    outcome = models.CharField(max_length=12)  # opened, joined, nothing, person
    functions: Any = models.JSONField(default=list)  # those it led to, main first
    confidence = models.FloatField()
    threshold = models.FloatField()  # of the workspace, at the time
    decider = models.CharField(max_length=12)  # policy, agent
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # when an agent decided
    model_version = models.CharField(max_length=40, blank=True)
    policy_version = models.PositiveIntegerField()
    because: Any = models.JSONField(default=list)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]


class RoutedRecord(WorkspaceOwned):
    """The one link between a conversation and a record it opened or joined."""

    KINDS = ("ticket", "lead", "opportunity", "campaign_response")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="routed_records")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="routed_records")  # that caused it
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, null=True, related_name="+")
    opportunity = models.ForeignKey(Opportunity, models.CASCADE, null=True, related_name="+")
    campaign_response = models.ForeignKey(CampaignResponse, models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="a_link_has_exactly_one_record",
                condition=Q(
                    Q(ticket__isnull=False, lead=None, opportunity=None, campaign_response=None)
                    | Q(ticket=None, lead__isnull=False, opportunity=None, campaign_response=None)
                    | Q(ticket=None, lead=None, opportunity__isnull=False, campaign_response=None)
                    | Q(ticket=None, lead=None, opportunity=None, campaign_response__isnull=False)
                ),
            ),
            models.UniqueConstraint(fields=["conversation", "ticket"], name="a_ticket_is_linked_once"),
            models.UniqueConstraint(fields=["conversation", "lead"], name="a_lead_is_linked_once"),
            models.UniqueConstraint(fields=["conversation", "opportunity"], name="an_opportunity_is_linked_once"),
            models.UniqueConstraint(fields=["conversation", "campaign_response"], name="a_response_is_linked_once"),
        ]

    @property
    def record(self) -> Any:
        """The ticket, lead, opportunity or campaign response."""
        return self.ticket or self.lead or self.opportunity or self.campaign_response


class Correction(WorkspaceOwned):
    """An agent said what a message really was. Kept to learn from, without the text, which the message has redacted."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="corrections")
    triage = models.ForeignKey(Triage, models.CASCADE, related_name="corrections")
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="corrections")
    before: Any = models.JSONField()  # {"functions": ["sales"], "intent": "pricing", "sentiment": 0}
    after: Any = models.JSONField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]

    @property
    def is_confirmation(self) -> bool:
        """Whether it says that the message was read rightly."""
        return bool(self.before == self.after)
