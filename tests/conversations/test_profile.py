"""What the pages of crm load of the conversations."""

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from conversations import desk
from conversations.models import Conversation, RoutedRecord
from conversations.profile.between import SHOWN, between
from crm.models import Lead, Membership, Ticket, Workspace
from crm.sales import deals
from tests.factories import a_triage, make_conversation, make_inbox, make_workspace


@pytest.fixture
def agent(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


@pytest.fixture
def conversation(workspace: Workspace) -> Conversation:
    return make_conversation(make_inbox(workspace), "The <b>blue</b> lamp", triage=a_triage("support"))


def test_a_profile_shows_what_was_said_and_what_it_opened(agent: Client, conversation: Conversation) -> None:
    page = agent.get(reverse("customer-conversations", args=[conversation.customer_id])).content.decode()

    assert reverse("conversation", args=[conversation.pk]) in page
    assert reverse("ticket", args=[1]) in page
    assert "<b>blue" not in page


def test_a_view_shows_one_function_or_the_talk_alone(conversation: Conversation) -> None:
    customer = conversation.customer

    assert [entry.function for entry in between(customer, view="sales").entries] == []
    assert {entry.function for entry in between(customer, view="support").entries} == {"support"}
    assert [entry.conversation for entry in between(customer, view="talk").entries] == [conversation]


def test_pages_of_everything_between_us_hold_each_entry_once(workspace: Workspace, member: Membership) -> None:
    inbox = make_inbox(workspace)
    for number in range(SHOWN):
        desk.resolve(make_conversation(inbox, f"Lamp {number}", triage=a_triage("support")), by=member)
    customer = Conversation.objects.first().customer
    seen: list[tuple[str, int]] = []
    after = ""

    while after or not seen:
        page = between(customer, after=after)
        times = [entry.at for entry in page.entries]
        assert times == sorted(times, reverse=True)
        for entry in page.entries:
            thing = entry.conversation or entry.event
            assert thing is not None
            seen.append((type(thing).__name__, thing.pk))
        after = page.after

    assert len(seen) == len(set(seen)) == 3 * SHOWN  # each was said, opened a ticket, and solved it


def test_a_record_shows_the_conversation_that_led_to_it(agent: Client, conversation: Conversation) -> None:
    ticket = Ticket.objects.get()

    page = agent.get(reverse("record-conversations", args=["ticket", ticket.pk])).content.decode()

    assert reverse("conversation", args=[conversation.pk]) in page


def test_an_opportunity_shows_the_conversations_of_its_lead(
    agent: Client, workspace: Workspace, member: Membership
) -> None:
    conversation = make_conversation(make_inbox(workspace), "How much?", triage=a_triage("sales"))
    opportunity = deals.qualify(Lead.objects.get(), by=member)
    assert opportunity is not None
    assert RoutedRecord.objects.filter(opportunity=opportunity).count() == 0

    page = agent.get(reverse("record-conversations", args=["opportunity", opportunity.pk])).content.decode()

    assert reverse("conversation", args=[conversation.pk]) in page


def test_the_fragments_of_another_workspace_are_not_found(agent: Client) -> None:
    other = make_workspace()
    with scope(workspace=other):
        conversation = make_conversation(make_inbox(other), triage=a_triage("support"))
        ticket = Ticket.objects.get()

    customer = reverse("customer-conversations", args=[conversation.customer_id])
    record = reverse("record-conversations", args=["ticket", ticket.pk])
    assert [agent.get(address).status_code for address in (customer, record)] == [404, 404]


def test_a_kind_of_record_that_there_is_not_is_not_found(agent: Client, workspace: Workspace) -> None:
    assert agent.get(reverse("record-conversations", args=["inbox", 1])).status_code == 404
