"""The one permission function, for page, socket, search, API and export."""

from typing import Any

from django.core.exceptions import PermissionDenied

from crm.workspace.models import Membership, Role

READ = frozenset({"conversation.view", "customer.view", "record.view", "pulse.view", "learning.view"})
ANSWER = frozenset(
    {"conversation.reply", "conversation.note", "conversation.assign", "conversation.resolve", "message.act"}
)
LEAD = frozenset({"message.act_for_others", "learning.change"})  # edit and delete what a colleague sent; teach triage
WORK = frozenset({"record.change"})
CORRECT = frozenset({"triage.correct"})
RUN = frozenset({"settings.change", "delivery.retry"})

RIGHTS: dict[str, frozenset[str]] = {
    Role.OWNER: READ | ANSWER | WORK | CORRECT | LEAD | RUN,
    Role.ADMIN: READ | ANSWER | WORK | CORRECT | LEAD | RUN,
    Role.MANAGER: READ | ANSWER | WORK | CORRECT | LEAD,
    Role.AGENT: READ | ANSWER | WORK | CORRECT,
    Role.COMMUNITY_MANAGER: READ | ANSWER | WORK | CORRECT,
    Role.ANALYST: READ,
}


def may(membership: Membership | None, verb: str, thing: Any = None) -> bool:
    """Whether the member may do `verb`, and to `thing` when one is given: never outside their workspace."""
    if membership is None or membership.left_at is not None or not membership.agent.is_active:
        return False
    if thing is not None and thing.workspace_id != membership.workspace_id:
        return False
    return verb in RIGHTS[membership.role]


def require(membership: Membership | None, verb: str, thing: Any = None) -> None:
    """Raise PermissionDenied (a 403) unless the member `may`."""
    if not may(membership, verb, thing):
        raise PermissionDenied(f"Your role does not allow {verb}.")
