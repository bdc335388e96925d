"""Tickets: something already bought, used or owed needs us."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Ticket(WorkspaceOwned):
    class Status(models.TextChoices):
        OPEN = "open", _("open")
        SOLVED = "solved", _("solved")
        VOID = "void", _("opened by mistake")

    number = models.PositiveIntegerField()
    customer = models.ForeignKey("crm.Customer", models.PROTECT, related_name="tickets")
    title = models.CharField(max_length=200)
    intent = models.CharField(max_length=40, blank=True)
    urgency = models.PositiveSmallIntegerField(default=1)  # 0 nobody has to act .. 3 now
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    owner = models.ForeignKey("crm.Membership", models.SET_NULL, null=True, blank=True, related_name="tickets")
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="a_ticket_number_is_given_once"),
            models.CheckConstraint(condition=models.Q(urgency__lte=3), name="urgency_is_0_to_3"),
        ]
        indexes = [models.Index(fields=["workspace", "-opened_at"], name="tickets_by_age")]

    function = "support"

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"
