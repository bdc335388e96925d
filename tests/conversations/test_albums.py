"""Pictures that a platform delivers one by one are one message."""

from datetime import timedelta

import pytest

from conversations.inbound import Arrival, receive_message, receive_messages
from conversations.inbound_changes import apply
from conversations.models import Conversation, File, Message, Triage
from conversations.normalized import Attachment, Edit, Reacted
from conversations.timeline import messages_for_page
from crm.models import Event
from crm.workspace import clock
from tests.factories import a_sender, a_triage, an_inbound, make_inbox


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace)


def a_part(number, text="", album="trip", **facts):
    file = Attachment("image", external_id=f"file-{number}", details={"album": album} if album else {})
    return an_inbound(text, external_id=f"p{number}", attachments=(file,), **facts)


def take(inbox, *parts, at_once=False):
    arrivals = [Arrival(part, a_triage() if part.text else a_triage("none", confidence=0.5)) for part in parts]
    if at_once:
        receive_messages(inbox, arrivals)
    else:
        for arrival in arrivals:
            receive_message(inbox, arrival.message, triage=arrival.triage)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_parts_of_an_album_are_one_message_with_a_file_each(inbox, at_once):
    take(inbox, a_part(1, "Look at my holiday"), a_part(2), a_part(3), at_once=at_once)

    message = Message.objects.get()
    assert message.text == "Look at my holiday"
    assert [file.external_id for file in File.objects.order_by("pk")] == ["file-1", "file-2", "file-3"]
    conversation = Conversation.objects.get()
    assert (conversation.unread, conversation.last_seq, conversation.last_text) == (1, 1, "Look at my holiday")
    assert Event.objects.filter(verb="message.received").count() == 1
    assert Event.objects.filter(verb="message.edited").count() == 2  # so that pages show it anew


@pytest.mark.parametrize("at_once", [True, False])
def test_words_on_a_later_part_are_the_message_s_and_are_read(inbox, at_once):
    take(inbox, a_part(1), a_part(2, "It came broken, I want my money back"), a_part(3), at_once=at_once)

    message = Message.objects.get()
    assert message.text == "It came broken, I want my money back"
    assert Triage.objects.get().function == "support"
    conversation = Conversation.objects.get()
    assert (conversation.function, conversation.last_text) == ("support", message.text)


def test_a_part_that_cannot_be_read_in_time_is_read_later(inbox):
    take(inbox, a_part(1))
    receive_message(inbox, a_part(2, "Where is it?"), triage=None)

    assert Message.objects.get().awaits_triage


def test_a_part_that_is_read_at_last_is_not_read_once_more(inbox):
    receive_message(inbox, a_part(1), triage=None)
    take(inbox, a_part(2, "Where is it?"))

    assert not Message.objects.get().awaits_triage


def test_an_id_counts_in_its_own_chat_only(inbox):
    """Telegram numbers the messages of each chat anew."""
    other = a_sender(address="9")
    take(inbox, a_part(1, "Look"), a_part(2))
    for number in (1, 2):
        take(inbox, an_inbound(f"other {number}", external_id=f"p{number}", sender=other))
    now = clock.now() + timedelta(seconds=1)

    assert apply(Edit("9", "p2", "another", now), inbox)
    assert apply(Reacted("9", "p2", other, ("❤",), now), inbox)

    texts = {(m.thread.external_id, m.text, m.reactions.count()) for m in Message.objects.select_related("thread")}
    assert texts == {("77", "Look", 0), ("9", "other 1", 0), ("9", "another", 1)}


def test_a_part_that_comes_twice_is_there_once(inbox):
    take(inbox, a_part(1), a_part(2))

    for again in (1, 2):
        assert receive_message(inbox, a_part(again), triage=a_triage("none")) is None
    assert File.objects.count() == 2


def test_another_album_and_another_person_s_are_other_messages(inbox):
    take(inbox, a_part(1), a_part(2, album="house"), a_part(3, album=""), a_part(4, sender=a_sender(address="9")))

    assert Message.objects.count() == 4


def test_an_album_that_goes_on_after_the_conversation_was_closed_opens_one(inbox):
    take(inbox, a_part(1))
    Conversation.objects.update(status=Conversation.Status.RESOLVED, resolved_at=clock.now())

    take(inbox, a_part(2, "One more"))

    assert Message.objects.count() == 2


def test_what_is_said_about_any_part_is_said_about_the_message(inbox):
    take(inbox, a_part(1, "Look"), a_part(2))
    now = clock.now() + timedelta(seconds=1)

    assert apply(Edit("77", "p2", "Look at this", now), inbox)
    assert apply(Reacted("77", "p2", a_sender(), ("❤",), now), inbox)
    take(inbox, an_inbound("That one", reply_to="p2"))

    message = Message.objects.first()
    assert message.text == "Look at this"
    assert message.reactions.count() == 1
    answer = Message.objects.last()
    assert messages_for_page([answer.pk])[answer.pk].quoted == message
    assert not apply(Edit("77", "p9", "Nothing", now), inbox)
