"""The demo shop: loaded once per test by the functions that real messages use."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scope

import nlp
from conversations.models import Conversation, Delivery, Inbox, Message, Note
from crm.marketing.models import Campaign
from crm.models import Event, Membership, Origin, Workspace
from crm.people.models import Customer
from crm.sales.models import Opportunity
from crm.workspace import clock
from project.demo import load_demo, scenes
from tests.factories import a_triage, make_workspace

pytestmark = pytest.mark.django_db
EVERY = scenes.read()
FEW = [scene for scene in EVERY if scene.key in {"d01", "d02", "d10", "d20", "d24", "d34", "d40", "d41", "d42"}]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the demo, its messages read as sales by a stand-in for the pipeline."""

    def read(readings: list[nlp.Reading]) -> list[nlp.Triage]:
        return [a_triage("sales", sentiment=1, sentiment_score=0.6) for _reading in readings]

    monkeypatch.setattr(nlp, "load", lambda: None)
    monkeypatch.setattr(nlp, "ready", lambda: True)
    monkeypatch.setattr(nlp, "triage", read)
    monkeypatch.setattr(scenes, "read", lambda: FEW)
    workspace = make_workspace(name="Luz & Co.")
    load_demo(workspace, io.StringIO())
    return workspace


def test_every_scene_becomes_a_conversation_with_its_turns(shop: Workspace) -> None:
    told = FEW

    with scope(workspace=shop):
        assert Conversation.objects.count() == len(told)
        said = Message.objects.count() + Note.objects.count()
        assert said == sum(len(scene.turns) for scene in told)
        assert Customer.objects.count() == len(told)


def test_the_events_are_numbered_without_gaps(shop: Workspace) -> None:
    with scope(workspace=shop):
        numbers = list(Event.objects.values_list("number", flat=True))

    assert numbers == list(range(1, len(numbers) + 1))


def test_it_happened_in_the_last_three_days_and_the_newest_minutes_ago(shop: Workspace) -> None:
    with scope(workspace=shop):
        times = list(Message.objects.order_by("at").values_list("at", flat=True))

    assert clock.now() - times[0] < timedelta(days=3, minutes=5)
    assert clock.now() - times[-1] < timedelta(minutes=10)


def test_the_demo_inboxes_neither_poll_nor_send(shop: Workspace) -> None:
    with scope(workspace=shop):
        assert set(Inbox.objects.values_list("state", flat=True)) == {Inbox.State.DEMO}
        assert not Delivery.objects.exists()


def test_there_are_waiting_answered_resolved_and_assigned_ones(shop: Workspace) -> None:
    with scope(workspace=shop):
        every: Any = Conversation.objects
        assert every.open().filter(waiting_since__isnull=False).exists()
        assert every.open().filter(waiting_since=None).exists()
        assert every.resolved().exists()
        assert every.open().unassigned().exists()
        assert len(set(every.exclude(assignee=None).values_list("assignee", flat=True))) == 3


def test_nobody_can_sign_in_as_a_colleague(shop: Workspace) -> None:
    with scope(workspace=shop):
        members = list(Membership.objects.select_related("agent"))

    assert len(members) == 3
    assert not any(member.agent.has_usable_password() for member in members)


def test_some_customers_came_by_a_campaign(shop: Workspace) -> None:
    with scope(workspace=shop):
        assert Campaign.objects.count() == 3
        assert Origin.objects.filter(campaign__isnull=False).count() == 3


def test_leads_became_deals_with_an_amount(shop: Workspace) -> None:
    with scope(workspace=shop):
        assert Opportunity.objects.filter(won_at__isnull=False).exists()
        assert Opportunity.objects.filter(won_at=None).exists()
        assert not Opportunity.objects.filter(amount=None).exists()


def test_all_of_it_loads_without_the_pipeline_and_waits_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise OSError("no such folder")

    monkeypatch.setattr(nlp, "load", load)
    monkeypatch.setattr(nlp, "ready", lambda: False)
    workspace, out = make_workspace(), io.StringIO()

    load_demo(workspace, out)

    assert "no such folder" in out.getvalue()

    with scope(workspace=workspace):
        assert Conversation.objects.count() == len(EVERY)
        heard = Message.objects.filter(direction=Message.Direction.IN)
        assert heard.filter(awaits_triage=True).count() == heard.count()


def test_two_workspaces_may_hold_the_demo(shop: Workspace) -> None:
    second = make_workspace(name="Second")

    load_demo(second, io.StringIO())

    with scope(workspace=second):
        assert Conversation.objects.count() == len(FEW)


def test_a_scene_s_turns_end_when_it_says_and_lie_apart_by_their_gaps() -> None:
    for scene in EVERY:
        minutes = [turn.minutes_ago for turn in scene.turns]
        assert minutes == sorted(minutes, reverse=True)
        assert minutes[-1] >= 0
