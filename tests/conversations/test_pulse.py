"""Pulse: what is counted, in which order voices stand, and who may see it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from conversations import desk
from conversations.inbound import receive_message
from conversations.models import Conversation, Inbox, Message
from conversations.outbound import queue_reply
from conversations.pulse.curve import Count, Feeling, curve, first_start, total
from conversations.pulse.figures import PERIODS, Figures, figures
from conversations.pulse.voices import voices
from crm.models import Membership, Workspace
from crm.workspace import clock
from tests.factories import a_sender, a_triage, an_inbound, make_inbox, make_workspace

NOON = datetime(2026, 3, 10, 12, 10, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def felt(sentiment: int, minutes: int = 0, customer: int = 1) -> Feeling:
    return Feeling(NOON - timedelta(minutes=minutes), customer, sentiment)


def heard(inbox: Inbox, text: str = "Hello", *, who: str = "1", minutes: int = 0, sentiment: int = 0) -> Message:
    """A message of a customer, so many minutes ago."""
    triage = a_triage("none", sentiment=sentiment, sentiment_score=sentiment * 0.9)
    inbound = an_inbound(text, sender=a_sender(address=who, name=f"Customer {who}"))
    message = receive_message(inbox, inbound, triage=triage, at=clock.now() - timedelta(minutes=minutes))
    assert message is not None
    return message


def now_figures(channel: str = "") -> Figures:
    return figures(PERIODS["24h"], channel=channel, now=clock.now(), zone=ZoneInfo("UTC"))


@pytest.fixture
def agent(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


def test_net_sentiment_is_the_share_positive_minus_the_share_negative() -> None:
    assert total([felt(1), felt(1), felt(0), felt(-1)]).net == 25
    assert Count(negative=3).net == -100


def test_without_a_message_there_is_no_net_sentiment() -> None:
    assert total([]).net is None


def test_a_message_counts_in_its_half_hour_and_outside_in_none() -> None:
    start = NOON - timedelta(minutes=10) - HALF_HOUR

    stretches = curve([felt(1), felt(-1, 11), felt(0, 41), felt(1, -31)], start, HALF_HOUR, 2)

    assert [stretch.count for stretch in stretches] == [Count(negative=1), Count(positive=1)]


def test_one_message_is_not_drawn_as_a_peak() -> None:
    few = curve([felt(1)], NOON - timedelta(minutes=10), HALF_HOUR, 1)[0]
    many = curve([felt(1)] * 40, NOON - timedelta(minutes=10), HALF_HOUR, 1)[0]

    assert few.up < many.up / 2


@pytest.mark.parametrize(
    "zone, clock_time", [("UTC", "12:00"), ("Asia/Kathmandu", "17:30"), ("Europe/Madrid", "13:00")]
)
def test_stretches_lie_on_the_workspace_s_clock(zone: str, clock_time: str) -> None:
    start = first_start(NOON, HALF_HOUR, 48, ZoneInfo(zone))

    last = start + 47 * HALF_HOUR
    assert last.astimezone(ZoneInfo(zone)).strftime("%H:%M") == clock_time
    assert last <= NOON < last + HALF_HOUR


def test_figures_count_messages_and_people_of_the_period(inbox: Inbox) -> None:
    heard(inbox, who="1", sentiment=1)
    heard(inbox, who="1", sentiment=-1, minutes=60)
    heard(inbox, who="2", sentiment=-1, minutes=90)
    heard(inbox, who="3", sentiment=-1, minutes=60 * 30)

    found = now_figures()

    assert (found.count, found.people) == (Count(positive=1, negative=2), 2)


def test_what_an_agent_corrected_counts_as_corrected(inbox: Inbox, member: Membership) -> None:
    message = heard(inbox, "Wonderful, my lamp is in Frankfurt", sentiment=1)

    desk.correct(message, by=member, functions=["support"], intent="delivery_problem", sentiment=-1)

    assert now_figures().count == Count(negative=1)


def test_our_own_replies_and_messages_not_read_yet_are_not_counted(inbox: Inbox, member: Membership) -> None:
    conversation = heard(inbox).conversation
    queue_reply(conversation, member, "We are sorry", client_id="1")
    receive_message(inbox, an_inbound("unread"), triage=None)

    assert now_figures().count.messages == 1


def test_a_channel_is_counted_alone(inbox: Inbox, workspace: Workspace) -> None:
    heard(inbox, who="1", sentiment=1)
    heard(make_inbox(workspace, channel="webchat", name="Shop"), who="2", sentiment=-1)

    assert now_figures("webchat").count == Count(negative=1)
    assert now_figures("telegram").count == Count(positive=1)


def test_an_answer_within_five_minutes_counts_and_a_later_one_does_not(inbox: Inbox, member: Membership) -> None:
    now = clock.now()
    for who, waited in (("1", 4), ("2", 6), ("3", None)):
        conversation = heard(inbox, who=who, minutes=30).conversation
        if waited is not None:
            answered = now - timedelta(minutes=30 - waited)
            queue_reply(conversation, member, "Yes", client_id=who, at=answered)
    heard(inbox, who="4", minutes=2)  # too young to be late

    answers = now_figures().answers

    assert (answers.opened, answers.prompt, answers.share) == (3, 1, 33)


def names(view: str, channel: str = "") -> list[str]:
    return [voice.conversation.customer.name[-1] for voice in voices(view, channel)]


def test_newest_shows_each_open_conversation_once_by_its_newest_message(inbox: Inbox, member: Membership) -> None:
    heard(inbox, "first", who="1", minutes=50)
    heard(inbox, "second", who="2", minutes=40)
    heard(inbox, "third", who="1", minutes=30)
    desk.resolve(heard(inbox, who="3").conversation, by=member)

    assert [voice.text for voice in voices("newest", "")] == ["third", "second"]


def test_unhappy_first_means_lowest_mood_then_longest_waiting(inbox: Inbox) -> None:
    heard(inbox, who="1", minutes=5, sentiment=-1)
    heard(inbox, who="2", minutes=50, sentiment=-1)
    heard(inbox, who="3", minutes=90, sentiment=1)
    heard(inbox, who="4", minutes=80)

    assert names("unhappy") == ["2", "1", "4", "3"]


def test_unanswered_shows_who_waits_longest_first_and_nobody_who_was_answered(inbox: Inbox, member: Membership) -> None:
    heard(inbox, who="1", minutes=5)
    heard(inbox, who="2", minutes=50)
    queue_reply(heard(inbox, who="3", minutes=90).conversation, member, "Yes", client_id="1")

    assert names("unanswered") == ["2", "1"]


def test_the_page_shows_figures_voices_and_the_way_to_answer(agent: Client, inbox: Inbox) -> None:
    message = heard(inbox, "I <i>love</i> it", sentiment=1)

    page = agent.get(reverse("pulse")).content.decode()

    assert "+100" in page
    assert reverse("conversation", args=[message.conversation_id]) in page
    assert "I &lt;i&gt;love&lt;/i&gt; it" in page
    assert ' style="--hue' in page


@pytest.mark.parametrize("name", ["pulse", "pulse-mood", "pulse-voices"])
def test_an_address_that_asks_for_what_there_is_not_shows_the_first_choice(
    agent: Client, inbox: Inbox, name: str
) -> None:
    answer = agent.get(reverse(name), {"channel": "fax", "period": "9y", "voices": "<b>"})

    assert answer.status_code == 200


def test_an_empty_workspace_has_a_pulse_page_that_says_so(agent: Client, workspace: Workspace) -> None:
    page = agent.get(reverse("pulse")).content.decode()

    assert "Nobody wrote in this period" in page
    assert "Nobody is waiting or talking" in page
    assert '<svg class="curve' not in page


def test_nothing_of_another_workspace_is_counted_or_heard(agent: Client, inbox: Inbox) -> None:
    other = make_workspace()
    with scope(workspace=other):
        heard(make_inbox(other), "their words", sentiment=-1)

    page = agent.get(reverse("pulse")).content.decode()

    assert "their words" not in page
    assert "Nobody wrote in this period" in page


@pytest.mark.parametrize("name", ["pulse", "pulse-mood", "pulse-voices"])
def test_nobody_sees_pulse_without_signing_in(client: Client, workspace: Workspace, name: str) -> None:
    assert client.get(reverse(name)).status_code == 302


def test_a_page_of_many_voices_asks_the_database_as_often_as_one_of_few(
    agent: Client, inbox: Inbox, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        heard(inbox, who=str(number))
    assert Conversation.objects.count() == 25

    with django_assert_max_num_queries(20):
        agent.get(reverse("pulse"))
