import pytest

from conversations import deliveries, desk
from conversations.errors import CannotReply, NothingToSay
from conversations.models import Delivery, Inbox, Message, Note
from conversations.outbound import queue_reply
from conversations.parts import split
from crm.workspace import clock
from tests.factories import make_conversation, make_inbox, make_member


def test_a_reply_is_queued_once_however_often_it_is_submitted(workspace, member):
    conversation = make_conversation(make_inbox(workspace))
    first = queue_reply(conversation, member, "On its way", client_id="c1")

    again = queue_reply(conversation, member, "On its way", client_id="c1")

    assert again == first
    assert Delivery.objects.count() == 1


def test_the_same_client_id_of_another_agent_is_another_reply(workspace, member):
    conversation = make_conversation(make_inbox(workspace))
    queue_reply(conversation, member, "On its way", client_id="c1")

    queue_reply(conversation, make_member(workspace), "On its way", client_id="c1")

    assert Message.objects.filter(direction="out").count() == 2


def test_who_answers_first_has_the_conversation_and_it_is_no_longer_unread(workspace, member):
    conversation = make_conversation(make_inbox(workspace))

    queue_reply(conversation, member, "Hello", client_id="c1")

    conversation.refresh_from_db()
    assert conversation.assignee == member
    assert conversation.unread == 0
    assert conversation.waiting_since is None
    assert conversation.customer.waiting_since is None


def test_an_empty_reply_is_refused_and_nothing_is_stored(workspace, member):
    conversation = make_conversation(make_inbox(workspace))

    with pytest.raises(NothingToSay):
        queue_reply(conversation, member, "  \x00 ", client_id="c1")

    assert Message.objects.filter(direction="out").count() == 0


def test_a_customer_who_blocked_us_is_not_written_to(workspace, member):
    conversation = make_conversation(make_inbox(workspace))
    conversation.customer.identities.update(blocked_at=clock.now())

    with pytest.raises(CannotReply, match="blocked"):
        queue_reply(conversation, member, "Hello", client_id="c1")


def test_a_paused_inbox_takes_no_reply(workspace, member):
    conversation = make_conversation(make_inbox(workspace, state=Inbox.State.PAUSED))

    with pytest.raises(CannotReply, match="not live"):
        queue_reply(conversation, member, "Hello", client_id="c1")


def test_a_reply_in_a_demo_inbox_is_kept_and_never_sent(workspace, member):
    conversation = make_conversation(make_inbox(workspace, state=Inbox.State.DEMO))

    message = queue_reply(conversation, member, "Hello", client_id="c1")

    assert message.pk
    assert Delivery.objects.count() == 0


def test_a_long_reply_leaves_in_parts_that_the_platform_takes(workspace, member):
    inbox = make_inbox(workspace, capabilities={"text_limit": 10})
    conversation = make_conversation(inbox)

    queue_reply(conversation, member, "one two three four", client_id="c1")

    assert list(Delivery.objects.values_list("text", flat=True)) == ["one two", "three four"]


def test_a_note_is_never_sent(workspace, member):
    conversation = make_conversation(make_inbox(workspace))

    desk.write_note(conversation, member, "she is a regular", client_id="n1")
    desk.write_note(conversation, member, "she is a regular", client_id="n1")

    assert Note.objects.count() == 1
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize(
    "text,limit,parts",
    [
        ("short", 10, ["short"]),
        ("", 10, []),
        ("one two three", 8, ["one two", "three"]),
        ("first line\nsecond", 12, ["first line", "second"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
    ],
)
def test_a_text_is_cut_between_words(text, limit, parts):
    assert split(text, limit) == parts


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧", "👍🏽", "e\u0301", "❤️"])
def test_an_emoji_or_accent_is_not_cut_in_two(cluster):
    text = "x" * 8 + cluster + "y" * 8

    assert any(cluster in part for part in split(text, 9 + len(cluster) // 2))


def a_claimed(workspace, member, text="Hello", **facts):
    conversation = make_conversation(make_inbox(workspace, **facts))
    queue_reply(conversation, member, text, client_id="c1")
    (delivery,) = deliveries.claim(10)
    return delivery


def test_a_part_is_claimed_by_one_worker_only(workspace, member):
    a_claimed(workspace, member)

    assert deliveries.claim(10) == []


def test_parts_of_a_thread_leave_one_after_the_other(workspace, member):
    conversation = make_conversation(make_inbox(workspace))
    queue_reply(conversation, member, "first", client_id="c1")
    queue_reply(conversation, member, "second", client_id="c2")

    (first,) = deliveries.claim(10)
    assert first.text == "first"
    deliveries.sent(first, "501")

    (second,) = deliveries.claim(10)
    assert second.text == "second"


def test_a_refused_part_holds_back_the_rest_of_its_message_but_not_the_next_one(workspace, member):
    conversation = make_conversation(make_inbox(workspace, capabilities={"text_limit": 5}))
    queue_reply(conversation, member, "aaaa bbbb", client_id="c1")
    queue_reply(conversation, member, "next", client_id="c2")
    (first,) = deliveries.claim(10)

    deliveries.refused(first, "no")

    held = Delivery.objects.get(text="bbbb")
    assert held.state == "queued"
    assert [delivery.text for delivery in deliveries.claim(10)] == []  # the held part is older than the next message
    deliveries.send_again(Delivery.objects.get(pk=first.pk))
    assert [delivery.text for delivery in deliveries.claim(10)] == ["aaaa"]


def test_a_part_that_is_put_off_comes_back_when_the_platform_says(workspace, member, time_machine):
    time_machine.move_to("2026-11-22T10:00:00Z", tick=False)
    delivery = a_claimed(workspace, member)

    deliveries.put_off(delivery, "throttled", 30)

    assert deliveries.claim(10) == []
    time_machine.shift(31)
    assert len(deliveries.claim(10)) == 1


def test_after_a_day_of_trying_a_part_is_given_up(workspace, member, time_machine):
    time_machine.move_to("2026-11-22T10:00:00Z", tick=False)
    delivery = a_claimed(workspace, member)
    time_machine.shift(25 * 3600)

    deliveries.put_off(delivery, "down", None)

    assert Delivery.objects.get().state == "dead"


def test_a_worker_that_slept_past_its_lease_writes_nothing(workspace, member, time_machine):
    time_machine.move_to("2026-11-22T10:00:00Z", tick=False)
    sleeper = a_claimed(workspace, member, channel="webchat")
    time_machine.shift(61)
    deliveries.expire_leases(repeatable_channels=["webchat"])
    (other,) = deliveries.claim(10)

    late = deliveries.refused(sleeper, "too late")

    assert late is False
    assert Delivery.objects.get().state == "sending"
    assert deliveries.sent(other, "1")


def test_a_sender_that_vanished_leaves_its_part_uncertain_and_the_agent_decides(workspace, member, time_machine):
    time_machine.move_to("2026-11-22T10:00:00Z", tick=False)
    delivery = a_claimed(workspace, member)
    time_machine.shift(61)

    deliveries.expire_leases(repeatable_channels=["webchat"])

    assert Delivery.objects.get().state == "uncertain"
    assert deliveries.status_of(delivery.message) == "uncertain"
    assert deliveries.claim(10) == []  # never sent again by itself
    assert deliveries.take_as_sent(Delivery.objects.get())
    assert deliveries.status_of(delivery.message) == "sent"


def test_a_sent_part_cannot_be_sent_again_by_hand(workspace, member):
    delivery = a_claimed(workspace, member)
    deliveries.sent(delivery, "1")

    assert deliveries.send_again(Delivery.objects.get()) is False
