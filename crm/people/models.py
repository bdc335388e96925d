"""The unified profile: one customer, the addresses we know them by, the company, and how they first came."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Company(WorkspaceOwned):
    name = models.CharField(max_length=160)
    domain = models.CharField(max_length=160, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "domain"], condition=~Q(domain=""), name="a_domain_is_of_one_company"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Customer(WorkspaceOwned):
    """One person, however many addresses. The last four facts are written down by the layers above."""

    name = models.CharField(max_length=160)
    language = models.CharField(max_length=12, blank=True)
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="customers")
    created_at = models.DateTimeField(default=clock.now)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)  # oldest customer message without an answer
    mood = models.FloatField(null=True, blank=True)  # -1..1, newest messages weigh most
    picture = models.CharField(max_length=40, blank=True)  # the token of a file; '' when none is known

    class Meta:
        indexes = [models.Index(fields=["workspace", "-last_contact_at"], name="customers_by_last_contact")]

    def __str__(self) -> str:
        return self.name


class Identity(WorkspaceOwned):
    """A person's address on one kind of channel. `scope` is what the address is unique within: '' for the world."""

    class KnownBy(models.TextChoices):
        CHANNEL = "channel", _("the channel says so")
        CUSTOMER = "customer", _("the customer said so")
        SIGNATURE = "signature", _("signed by our own site")
        AGENT = "agent", _("an agent wrote it down")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=20)  # "telegram", "email", "webchat"
    scope = models.CharField(max_length=80, blank=True)
    address = models.CharField(max_length=255)
    handle = models.CharField(max_length=160, blank=True)  # as people write it: "@adalind"; may change
    known_by = models.CharField(max_length=12, choices=KnownBy)
    known_at = models.DateTimeField(default=clock.now)
    verified_at = models.DateTimeField(null=True, blank=True)  # null: claimed only, never a ground to join profiles
    blocked_at = models.DateTimeField(null=True, blank=True)  # they blocked us: nothing can be sent there
    stopped_at = models.DateTimeField(
        null=True, blank=True
    )  # they opted out of everything: as above, until they opt in
    picture_source = models.CharField(max_length=400, blank=True)  # what the channel fetches their picture by
    picture_seen = models.CharField(max_length=400, blank=True)  # the source that was fetched last
    picture_at = models.DateTimeField(null=True, blank=True)  # when

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "scope", "address"], name="an_address_is_of_one_customer"
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=~Q(picture_source=models.F("picture_seen")), name="pictures_to_fetch")
        ]

    def __str__(self) -> str:
        return self.handle or self.address


class Origin(WorkspaceOwned):
    """How a customer first came to us."""

    customer = models.OneToOneField(Customer, models.CASCADE, related_name="origin")
    at = models.DateTimeField(default=clock.now)
    channel = models.CharField(max_length=20)
    url = models.CharField(max_length=1000, blank=True)
    referrer = models.CharField(max_length=1000, blank=True)
    utm_source = models.CharField(max_length=120, blank=True)
    utm_medium = models.CharField(max_length=120, blank=True)
    utm_campaign = models.CharField(max_length=120, blank=True)
    payload = models.CharField(max_length=120, blank=True)  # of a deep link: t.me/bot?start=PAYLOAD
    campaign = models.ForeignKey("crm.Campaign", models.SET_NULL, null=True, blank=True, related_name="origins")
