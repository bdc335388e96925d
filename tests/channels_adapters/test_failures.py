"""The worklist of what did not leave."""

import json

import pytest
from django.urls import reverse

from channels_adapters import connections
from channels_adapters.models import RawDelivery
from channels_adapters.settings_pages import failures
from channels_adapters.workers.intake import Arrival, store
from channels_adapters.workers.taking_in import take_in_waiting
from conversations import deliveries
from conversations.models import Delivery
from conversations.outbound import queue_reply
from crm.workspace.models import Role
from tests.factories import a_sender, make_inbox, make_member, make_message, make_workspace


@pytest.fixture(autouse=True)
def still_workers(monkeypatch):
    quiet = type("Quiet", (), {"wake": lambda self: None})()
    monkeypatch.setattr(failures, "workers", lambda: type("Still", (), {"intake": quiet})())


@pytest.fixture
def browser(client, member):
    client.force_login(member.agent)
    return client


@pytest.fixture
def inbox(workspace, toy):
    return connections.connect(workspace, "toy", name="Toys", given={})


def failed(inbox, member, *, state="refused", reason="they left the chat", thread="77"):
    conversation = make_message(inbox, sender=a_sender(address=thread)).conversation
    message = queue_reply(conversation, member, "Hello", client_id=f"{inbox.pk}{thread}")
    Delivery.objects.filter(message=message).update(state=state, reason=reason)
    return message.deliveries.get()


def test_what_failed_stands_there_with_its_reason(browser, inbox, member):
    failed(inbox, member)

    page = browser.get("/failures/").content.decode()

    assert "they left the chat" in page
    assert "Ada Lind" in page


def test_the_rail_counts_what_failed(browser, inbox, member):
    assert 'aria-label="1 failed"' not in browser.get("/inbox/").content.decode()

    failed(inbox, member)

    assert 'aria-label="1 failed"' in browser.get("/inbox/").content.decode()


def test_one_is_tried_again(browser, inbox, member):
    part = failed(inbox, member)

    browser.post(reverse("failure-retry", args=[part.pk]))

    part.refresh_from_db()
    assert (part.state, part.reason) == ("queued", "")


def test_one_is_left_as_it_is_and_gone_from_the_list(browser, inbox, member):
    part = failed(inbox, member)

    browser.post(reverse("failure-let-go", args=[part.pk]))

    assert "they left the chat" not in browser.get("/failures/").content.decode()
    assert deliveries.status_of(part.message) == "refused"  # the thread still says so


def test_all_are_tried_again_but_what_may_have_arrived(browser, inbox, member):
    sure = failed(inbox, member, thread="1")
    dead = failed(inbox, member, thread="2", state="dead")
    unsure = failed(inbox, member, thread="3", state="uncertain")

    answer = browser.post(reverse("failures-retry-all"), follow=True)

    states = [Delivery.objects.get(pk=part.pk).state for part in (sure, dead, unsure)]
    assert states == ["queued", "queued", "uncertain"]
    assert "2 are tried again." in answer.content.decode()


def test_all_of_one_inbox_are_tried_again(browser, inbox, member, workspace):
    other = failed(make_inbox(workspace), member)
    mine = failed(inbox, member)

    browser.post(reverse("failures-retry-all"), {"inbox": inbox.pk})

    assert [Delivery.objects.get(pk=part.pk).state for part in (mine, other)] == ["queued", "refused"]
    assert "they left the chat" not in browser.get(f"/failures/?inbox={inbox.pk}").content.decode()


@pytest.fixture
def parked(inbox):
    store([Arrival(inbox, "7", json.dumps({"id": 7}).encode())])
    take_in_waiting()
    return RawDelivery.objects.get(state="parked")


def test_what_could_not_be_read_is_there_for_who_may_look_into_it(client, browser, parked, workspace):
    assert "it has no text" not in browser.get("/failures/").content.decode()

    client.force_login(make_member(workspace, role=Role.ADMIN).agent)
    assert "it has no text" in client.get("/failures/").content.decode()
    client.post(reverse("failures-retry-all"))

    parked.refresh_from_db()
    assert parked.state == "waiting"


def test_an_agent_s_try_of_all_leaves_what_could_not_be_read(browser, parked):
    browser.post(reverse("failures-retry-all"))

    parked.refresh_from_db()
    assert parked.state == "parked"


def test_an_analyst_sees_no_worklist(client, workspace):
    client.force_login(make_member(workspace, role=Role.ANALYST).agent)

    assert client.get("/failures/").status_code == 403


def test_another_workspace_s_failures_are_not_there(client, inbox, member):
    part = failed(inbox, member)
    client.force_login(make_member(make_workspace(name="Other"), role=Role.OWNER).agent)

    assert "they left the chat" not in client.get("/failures/").content.decode()
    assert client.post(reverse("failure-retry", args=[part.pk])).status_code == 404
    assert client.get(f"/failures/?inbox={inbox.pk}").status_code == 404
