"""How fast parts leave: rates, the platform's waits, the break after failures, and turns between threads."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from conversations import deliveries, flow
from conversations.models import Delivery, Flow, Thread
from conversations.outbound import queue_reply
from crm.workspace import clock
from tests.factories import a_sender, make_inbox, make_message

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def time():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def queue(inbox, member, *, thread="77", text="Hello", count=1):
    conversation = make_message(inbox, sender=a_sender(address=thread)).conversation
    for number in range(count):
        queue_reply(conversation, member, f"{text} {number}", client_id=f"{thread}-{text}-{number}")


def leaving(limit=50):
    """What leaves now, one after the other, each taken by the platform."""
    left = []
    while found := deliveries.claim(limit):
        for part in found:
            deliveries.sent(part, str(part.pk))
        left += [part.text for part in found]
    return left


def test_a_rate_lets_a_second_s_worth_go_and_then_one_each_time():
    until, let = None, 0
    while (spent := flow.spent(until, NOON, 5, flow.BURST)) is not None:
        until, let = spent, let + 1

    assert let == 6  # a second's worth, and the first
    assert flow.spent(until, NOON + timedelta(milliseconds=200), 5, flow.BURST) is not None


def test_a_rate_that_was_not_used_is_not_saved_up():
    long_ago = NOON - timedelta(hours=1)

    assert flow.spent(long_ago, NOON, 5, flow.BURST) == NOON + timedelta(milliseconds=200)


def test_breaks_grow_to_a_quarter_of_an_hour():
    assert [flow.break_after(failures) for failures in (0, 4, 5, 6, 7, 30)] == [0, 0, 15, 30, 60, 900]


def test_an_inbox_sends_no_faster_than_its_platform_takes(workspace, member, time):
    inbox = make_inbox(workspace, capabilities={"per_second": 2})
    for thread in "abcdefgh":
        queue(inbox, member, thread=thread)

    assert len(leaving()) == 3
    time.shift(timedelta(seconds=1))
    assert len(leaving()) == 2


def test_a_thread_has_a_rate_of_its_own(workspace, member, time):
    inbox = make_inbox(workspace, capabilities={"per_thread_second": 1 / 6})
    queue(inbox, member, thread="a", count=5)
    queue(inbox, member, thread="b")

    assert sorted(leaving()) == ["Hello 0", "Hello 0", "Hello 1", "Hello 2"]  # a few parts may leave together
    assert flow.next_look(10) == 6
    time.shift(timedelta(seconds=6))
    assert leaving() == ["Hello 3"]


def test_threads_take_turns(workspace, member, time):
    inbox = make_inbox(workspace)
    queue(inbox, member, thread="busy", text="many", count=3)
    time.shift(timedelta(seconds=1))
    queue(inbox, member, thread="quiet", text="one")

    order = []
    while found := deliveries.claim(1):
        time.shift(timedelta(seconds=1))
        deliveries.sent(found[0], str(found[0].pk))
        order.append(found[0].text)

    assert order == ["many 0", "one 0", "many 1", "many 2"]


def test_a_slow_inbox_leaves_room_for_the_others(workspace, member):
    slow, quick = make_inbox(workspace, name="Slow"), make_inbox(workspace, name="Quick")
    for number in range(12):
        queue(slow, member, thread=str(number))
    queue(quick, member, thread="q", text="quick")

    in_hand = [part.text for part in deliveries.claim(32)]

    assert len(in_hand) == deliveries.AT_ONCE_PER_INBOX + 1
    assert "quick 0" in in_hand
    assert deliveries.claim(32, busy={slow.pk: 8}) == []


def test_the_platform_s_wait_holds_every_process(workspace, member, time):
    inbox = make_inbox(workspace)
    queue(inbox, member, thread="a")
    queue(inbox, member, thread="b")
    flow.note_trouble(inbox, "too many requests", 30)

    assert leaving() == []
    assert flow.next_look(60) == 30
    time.shift(timedelta(seconds=30))
    assert len(leaving()) == 2


def test_a_shorter_wait_does_not_end_a_longer_one(workspace, time):
    inbox = make_inbox(workspace)
    flow.note_trouble(inbox, "too many requests", 60)
    flow.note_trouble(inbox, "too many requests", 5)

    assert Flow.objects.get().held_until == NOON + timedelta(seconds=60)


def test_other_inboxes_go_on_while_one_is_held(workspace, member, time):
    held, other = make_inbox(workspace), make_inbox(workspace)
    queue(held, member, thread="a")
    queue(other, member, thread="b", text="other")
    flow.note_trouble(held, "too many requests", 30)

    assert leaving() == ["other 0"]


def broken(inbox):
    for _failure in range(flow.BREAK_AFTER):
        flow.note_trouble(inbox, "The platform is down.", None)


def test_after_many_failures_nothing_leaves_for_a_while_and_health_says_why(workspace, member, time):
    inbox = make_inbox(workspace)
    queue(inbox, member)
    broken(inbox)

    assert leaving() == []
    assert Flow.objects.get().hold_reason == "The platform is down."


def test_after_the_break_one_part_goes_first(workspace, member, time):
    inbox = make_inbox(workspace)
    for thread in "abc":
        queue(inbox, member, thread=thread)
    broken(inbox)
    time.shift(timedelta(seconds=16))

    (probe,) = deliveries.claim(10)
    assert deliveries.claim(10) == []
    deliveries.sent(probe, "1")
    flow.note_success(inbox)

    assert len(leaving()) == 2


def test_a_probe_that_fails_makes_the_break_longer(workspace, member, time):
    inbox = make_inbox(workspace)
    broken(inbox)

    flow.note_trouble(inbox, "The platform is down.", None)

    assert Flow.objects.get().held_until == NOON + timedelta(seconds=30)


def test_a_success_ends_the_count(workspace, time):
    inbox = make_inbox(workspace)
    for _time in range(3):
        flow.note_trouble(inbox, "?", None)
        flow.note_success(inbox)

    assert Flow.objects.get().failures == 0


def test_being_told_to_wait_is_no_failure(workspace, time):
    inbox = make_inbox(workspace)
    for _time in range(9):
        flow.note_trouble(inbox, "too many requests", 1)

    assert Flow.objects.get().failures == 0


def test_whoever_moves_the_rate_on_has_the_slot(workspace, member, time):
    inbox = make_inbox(workspace, capabilities={"per_thread_second": 1})
    queue(inbox, member)
    mine = Delivery.objects.select_related("thread__inbox").get()
    Thread.objects.update(paced_until=NOON - timedelta(seconds=1))  # another process was here

    assert flow.admit(mine, clock.now()) is False


def test_a_look_is_soon_enough_for_what_is_due_next(workspace, member, time):
    queue(make_inbox(workspace), member)
    Delivery.objects.update(due_at=NOON + timedelta(seconds=2))

    assert flow.next_look(5) == 2
    Delivery.objects.update(due_at=NOON + timedelta(seconds=9))
    assert flow.next_look(5) == 5
