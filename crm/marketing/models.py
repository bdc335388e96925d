"""Campaigns, the groups they are for, and what people answer."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Segment(WorkspaceOwned):
    """A group of customers, by a rule that is read anew each time."""

    name = models.CharField(max_length=120)
    rule = models.JSONField(default=dict)  # {"language": "es", "mood": ["<", 0]}

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="a_segment_name_is_used_once")]

    def __str__(self) -> str:
        return self.name


class Campaign(WorkspaceOwned):
    name = models.CharField(max_length=160)
    code = models.SlugField(max_length=64, blank=True)  # as it comes back in a deep link or utm_campaign
    segment = models.ForeignKey(Segment, models.SET_NULL, null=True, blank=True, related_name="campaigns")
    starts_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "code"], condition=~Q(code=""), name="a_campaign_code_is_used_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class CampaignResponse(WorkspaceOwned):
    """What a customer said to our marketing: about a campaign where we know which, about the brand otherwise."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        VOID = "void", _("opened by mistake")

    number = models.PositiveIntegerField()
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="responses")
    customer = models.ForeignKey("crm.Customer", models.PROTECT, related_name="campaign_responses")
    title = models.CharField(max_length=200)
    intent = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="a_response_number_is_given_once")]
        indexes = [models.Index(fields=["workspace", "-opened_at"], name="responses_by_age")]

    function = "marketing"

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"
