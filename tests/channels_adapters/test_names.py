"""Names of people whose messages come without one."""

import threading
from datetime import UTC, datetime

import pytest
from django_scopes import scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import Capabilities, Refused
from channels_adapters.workers import names
from channels_adapters.workers.dispatch import Dispatch
from conversations.inbound import receive_message
from conversations.normalized import InboundMessage, Sender
from crm.models import Customer, Identity
from crm.workspace import hints
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inbox(toy, monkeypatch):
    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100, profiles=True))
    names.forget()
    return connections.connect(make_workspace(), "toy", name="Toys", given={})


def write(inbox, sender):
    receive_message(inbox, InboundMessage("1", sender.address, sender, "hello", datetime.now(UTC)), triage=None)


def look(until):
    told, dispatch = threading.Event(), Dispatch()

    def hear(workspace_id, number, verbs):
        if "customer.named" in verbs:
            told.set()

    hints.listen(hear)
    dispatch.start()
    dispatch.wake()
    try:
        return until(told)
    finally:
        hints.forget(hear)
        dispatch.stop()


def test_a_person_without_a_name_is_asked_for(inbox, toy, monkeypatch):
    async def profile(self, address):
        return Sender(address, "Ada Lind", "ada.l")

    monkeypatch.setattr(toy, "profile", profile)
    write(inbox, Sender("77"))

    assert look(lambda told: told.wait(10))

    with scopes_disabled():
        assert Customer.objects.get().name == "Ada Lind"
        assert Identity.objects.get().handle == "@ada.l"


@pytest.mark.parametrize("answer", [None, Refused("they have not agreed"), ValueError("odd")], ids=str)
def test_of_whom_nothing_is_told_is_asked_for_once(inbox, toy, monkeypatch, answer):
    asked, seen = [], threading.Event()

    async def profile(self, address):
        asked.append(address)
        seen.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(toy, "profile", profile)
    monkeypatch.setattr(names, "LOOK_EVERY", 0.0)
    write(inbox, Sender("77"))

    look(lambda told: seen.wait(10))
    names.ask()

    assert asked == ["77"]
    with scopes_disabled():
        assert Customer.objects.get().name == "Visitor"


def test_who_has_a_name_is_not_asked_for(inbox, toy, monkeypatch):
    asked = []

    async def profile(self, address):
        asked.append(address)

    monkeypatch.setattr(toy, "profile", profile)
    write(inbox, Sender("77", "Ada"))

    names.ask()

    assert (asked, names._asked) == ([], {})


def test_where_the_platform_tells_no_names_none_is_asked_for(inbox, toy, monkeypatch):
    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100))
    write(inbox, Sender("77"))

    names.ask()

    assert names._asked == {}
