import pytest

from crm.models import Workspace
from crm.workspace import clock
from crm.workspace.models import Role
from crm.workspace.permissions import may
from tests.factories import make_conversation, make_inbox, make_member, make_workspace


@pytest.mark.parametrize(
    "verb,roles",
    [
        ("conversation.view", set(Role.values)),
        ("conversation.reply", set(Role.values) - {"analyst"}),
        ("triage.correct", set(Role.values) - {"analyst"}),
        ("settings.change", {"owner", "admin"}),
        ("delivery.retry", {"owner", "admin"}),
        ("anything.else", set()),
    ],
)
def test_the_table_of_rights(workspace, verb, roles):
    allowed = {role for role in Role.values if may(make_member(workspace, role=role), verb)}

    assert allowed == roles


def test_nobody_reaches_into_another_workspace(workspace):
    conversation = make_conversation(make_inbox(workspace))
    stranger = make_member(make_workspace(name="Other"), role=Role.OWNER)

    assert may(stranger, "conversation.view", conversation) is False


def test_who_left_may_nothing(workspace: Workspace):
    member = make_member(workspace, role=Role.OWNER, left_at=clock.now())

    assert may(member, "conversation.view") is False


def test_whose_login_is_closed_may_nothing(workspace):
    member = make_member(workspace, role=Role.OWNER)
    member.agent.is_active = False

    assert may(member, "conversation.view") is False


def test_who_is_not_signed_in_may_nothing():
    assert may(None, "conversation.view") is False
