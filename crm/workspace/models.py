"""Who we are: the workspace, its agents, their memberships and teams, and the numbered events of all that happens."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.workspace import clock
from crm.workspace.owned import WorkspaceOwned


class Function(models.TextChoices):
    """What a conversation is for. Marketing, sales and support are one house; a workspace may switch some off."""

    MARKETING = "marketing", _("Marketing")
    SALES = "sales", _("Sales")
    SUPPORT = "support", _("Support")


def every_function() -> list[str]:
    return list(Function.values)


class Workspace(models.Model):
    name = models.CharField(max_length=120)
    functions = models.JSONField(default=every_function)  # those switched on
    vocabulary = models.JSONField(default=dict, blank=True)  # our noun -> this trade's word: {"customer": "patient"}
    time_zone = models.CharField(max_length=64, default="UTC")
    languages = models.JSONField(default=list, blank=True)  # expected ones, as "en"; empty: any
    products = models.JSONField(default=list, blank=True)  # names that triage should recognise
    triage_threshold = models.FloatField(default=0.6)  # confidence (0..1) under which a person decides
    policy_version = models.PositiveIntegerField(default=1)
    teaches_since = models.DateTimeField(
        null=True, blank=True
    )  # when it allowed its messages to teach triage; null: no
    event_head = models.BigIntegerField(default=0)  # number of the newest event; raised last in a change
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class Counter(WorkspaceOwned):
    """The last number given to a kind of record, so that a ticket is #12 of its workspace and not of the table."""

    kind = models.CharField(max_length=20)
    value = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "kind"], name="a_counter_per_kind")]


class AgentManager(BaseUserManager["Agent"]):
    def create_agent(self, email: str, password: str | None, name: str = "") -> "Agent":
        """A saved agent who can sign in with `password`, or not yet when it is None."""
        agent = self.model(email=email.strip().lower(), name=name or email.split("@")[0])
        agent.set_password(password)
        agent.save(using=self._db)
        return agent


class Agent(AbstractBaseUser):
    """A person's login. What they may do is said by their memberships."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    objects = AgentManager()

    def __str__(self) -> str:
        return self.name


class Team(WorkspaceOwned):
    name = models.CharField(max_length=80)
    functions = models.JSONField(default=every_function)  # those it serves

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="a_team_name_is_used_once")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    AGENT = "agent", _("Agent")
    COMMUNITY_MANAGER = "community_manager", _("Community manager")
    ANALYST = "analyst", _("Analyst")


class Membership(WorkspaceOwned):
    """An agent's place in a workspace."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    teams = models.ManyToManyField(Team, blank=True, related_name="members")
    reports_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="reports")
    joined_at = models.DateTimeField(default=clock.now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "agent"], name="an_agent_joins_a_workspace_once")]

    def __str__(self) -> str:
        return self.agent.name

    @property
    def name(self) -> str:
        return self.agent.name


class Event(WorkspaceOwned):
    """Something that happened: the audit trail, the live feed and the source of every figure.

    Written by `change()` only. `conversation_id` and `subject_id` name rows of the layers above, which crm
    does not know, so they are plain numbers.
    """

    number = models.BigIntegerField()  # without gaps inside a workspace, in the order of commits
    at = models.DateTimeField()
    verb = models.CharField(max_length=40)  # "message.received"
    actor = models.ForeignKey(
        Membership, models.SET_NULL, null=True, related_name="+"
    )  # null: a customer or the system
    cause = models.CharField(max_length=120, blank=True)  # what led to it: "delivery 812", "page", "API: Till"
    changed: Any = models.JSONField(default=dict)  # {"status": ["open", "resolved"]}
    customer = models.ForeignKey("crm.Customer", models.SET_NULL, null=True, related_name="events")
    conversation_id = models.BigIntegerField(null=True)
    subject_kind = models.CharField(max_length=20, blank=True)  # "message", "ticket"
    subject_id = models.BigIntegerField(null=True)
    policy_version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="an_event_number_is_given_once")]
        indexes = [
            models.Index(fields=["workspace", "conversation_id", "number"], name="events_of_a_conversation"),
            models.Index(fields=["workspace", "customer", "number"], name="events_of_a_customer"),
        ]
