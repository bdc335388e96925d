"""What a customer agreed to hear, append-only: the newest row per purpose and kind of channel counts."""

from typing import Any, ClassVar

from django.db import models

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned, scoped


class ConsentQuerySet(models.QuerySet["Consent"]):
    def stands(self, *, customer_id: int, purpose: str, kind: str) -> bool:
        """Whether the customer's newest word on this purpose and kind of channel was yes."""
        said = self.filter(customer_id=customer_id, purpose=purpose, kind=kind)
        newest = said.order_by("-at", "-pk").values_list("given", flat=True).first()
        return bool(newest)

    def refused_by(self, purpose: str) -> set[int]:
        """The customers whose newest word on this purpose, on any kind of channel, was no."""
        said = self.filter(purpose=purpose).order_by("at", "pk").values_list("customer", "given")
        newest = dict(said)
        return {customer for customer, given in newest.items() if not given}


class Consent(WorkspaceOwned):
    customer = models.ForeignKey("crm.Customer", models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=20)  # "marketing"
    kind = models.CharField(max_length=20)  # the kind of channel
    given = models.BooleanField()
    at = models.DateTimeField(default=clock.now)
    wording = models.CharField(max_length=400, blank=True)  # what they were asked, or what they wrote
    source = models.CharField(max_length=120)  # "message 812", "web form"

    objects: ClassVar[Any] = scoped(ConsentQuerySet)

    class Meta:
        indexes = [models.Index(fields=["workspace", "customer", "purpose", "kind", "-at"], name="newest_consent")]
