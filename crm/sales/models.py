"""From interest to order: lead, opportunity, quote."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Lead(WorkspaceOwned):
    """Someone asked before buying; nobody has said yet whether it is worth pursuing."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        QUALIFIED = "qualified", _("qualified")
        DISQUALIFIED = "disqualified", _("disqualified")
        VOID = "void", _("opened by mistake")

    number = models.PositiveIntegerField()
    customer = models.ForeignKey("crm.Customer", models.PROTECT, related_name="leads")
    title = models.CharField(max_length=200)
    intent = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    owner = models.ForeignKey("crm.Membership", models.SET_NULL, null=True, blank=True, related_name="leads")
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="a_lead_number_is_given_once")]
        indexes = [models.Index(fields=["workspace", "-opened_at"], name="leads_by_age")]

    function = "sales"

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class Opportunity(WorkspaceOwned):
    """A deal we pursue. Its stage is data of the workspace's sales policy, not a state machine."""

    number = models.PositiveIntegerField()
    customer = models.ForeignKey("crm.Customer", models.PROTECT, related_name="opportunities")
    lead = models.OneToOneField(Lead, models.SET_NULL, null=True, blank=True, related_name="opportunity")
    title = models.CharField(max_length=200)
    stage = models.CharField(max_length=40, default="qualified")
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)  # ISO 4217
    owner = models.ForeignKey("crm.Membership", models.SET_NULL, null=True, blank=True, related_name="opportunities")
    opened_at = models.DateTimeField(default=clock.now)
    closes_on = models.DateField(null=True, blank=True)
    won_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "opportunities"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="an_opportunity_number_is_given_once")
        ]

    function = "sales"

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def status(self) -> str:
        """`open`, `won` or `lost`."""
        return "won" if self.won_at else "lost" if self.lost_at else "open"

    def get_status_display(self) -> str:
        """The status in words, as a record with a status column says it."""
        return {"open": gettext("open"), "won": gettext("won"), "lost": gettext("lost")}[self.status]


class Quote(WorkspaceOwned):
    number = models.PositiveIntegerField()
    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="quotes")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="a_quote_number_is_given_once")]
