"""Who may teach: messages only where the workspace allowed it, and no customer's who said no."""

from datetime import datetime

from conversations.models import Message
from crm.consent.models import Consent
from crm.people.models import Customer
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace

PURPOSE = "learning"


def allow(workspace: Workspace, *, by: Membership) -> None:
    """What agents correct is used to teach triage from now on, also what they corrected before."""
    _set(workspace, by, clock.now())


def forbid(workspace: Workspace, *, by: Membership) -> None:
    """No message teaches any more. What was learnt stays in the pipeline in use until that is rolled back."""
    _set(workspace, by, None)


def _set(workspace: Workspace, by: Membership, at: datetime | None) -> None:
    with change(workspace, actor=by, cause="page") as event:
        held = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if bool(held.teaches_since) == bool(at):
            return
        changed = {"teaches": [bool(held.teaches_since), bool(at)]}
        held.teaches_since = workspace.teaches_since = at
        held.save(update_fields=["teaches_since"])
        event.record("settings.changed", changed=changed)


def refused() -> set[int]:
    """The customers whose messages do not teach."""
    return Consent.objects.refused_by(PURPOSE)


def say(customer: Customer, *, may: bool, message: Message | None = None, kind: str, wording: str) -> None:
    """Keep a customer's word on whether their messages may teach. Saying the same again changes nothing."""
    with change(customer.workspace, cause="customer") as event:
        if (customer.pk not in refused()) == may:
            return
        source = f"message {message.pk}" if message else "their own page"
        consent = Consent(workspace=customer.workspace, customer=customer, purpose=PURPOSE, kind=kind, given=may)
        consent.wording, consent.source = wording[:400], source
        consent.save()
        event.record("consent.given" if may else "consent.withdrawn", consent, customer=customer)
