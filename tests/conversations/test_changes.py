"""What comes in about messages that exist, and what agents say about them."""

from datetime import timedelta

import pytest

from conversations import deliveries, desk
from conversations.inbound_changes import apply
from conversations.models import Conversation, Correction, Delivery, Message, Reaction, RoutedRecord, Thread
from conversations.normalized import Blocked, Deletion, Edit, Reacted, ReadUpTo, Receipt, ThreadMoved
from conversations.outbound import queue_reply
from crm.models import Event, Lead, Ticket
from crm.workspace import clock
from tests.factories import a_sender, a_triage, make_inbox, make_member, make_message


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace)


def test_an_edit_keeps_what_was_said_before(inbox):
    message = make_message(inbox, "tva", external_id="12")

    changed = apply(Edit("77", "12", "två", clock.now()), inbox)

    message.refresh_from_db()
    assert changed
    assert message.text == "två"
    assert message.revisions.get().text == "tva"
    assert Conversation.objects.get().last_text == "två"


def test_an_older_edit_changes_nothing(inbox):
    make_message(inbox, "a", external_id="12")
    apply(Edit("77", "12", "c", clock.now()), inbox)

    assert apply(Edit("77", "12", "b", clock.now() - timedelta(minutes=1)), inbox) is False


def test_an_edit_of_a_message_we_do_not_have_changes_nothing(inbox):
    assert apply(Edit("77", "404", "b", clock.now()), inbox) is False


def test_a_deleted_message_is_marked_and_kept(inbox):
    message = make_message(inbox, external_id="12")

    apply(Deletion("77", "12", clock.now()), inbox)

    message.refresh_from_db()
    assert message.deleted_at is not None
    assert message.text


def test_reactions_are_what_the_platform_says_last(inbox):
    make_message(inbox, external_id="12")
    apply(Reacted("77", "12", a_sender(), ("👍", "🔥"), clock.now()), inbox)

    apply(Reacted("77", "12", a_sender(), ("🔥",), clock.now()), inbox)

    assert list(Reaction.objects.values_list("emoji", flat=True)) == ["🔥"]
    assert apply(Reacted("77", "12", a_sender(), ("🔥",), clock.now()), inbox) is False


def test_a_platform_may_tell_of_one_reaction_at_a_time(inbox):
    make_message(inbox, external_id="12")
    for emoji in ("eyes", "tada"):
        apply(Reacted("77", "12", a_sender(), (emoji,), clock.now(), others_stand=True), inbox)

    apply(Reacted("77", "12", a_sender(), (), clock.now(), before=("eyes",), others_stand=True), inbox)

    assert list(Reaction.objects.values_list("emoji", flat=True)) == ["tada"]


def test_a_reaction_finds_its_message_where_the_platform_does_not_name_the_thread(inbox):
    make_message(inbox, thread_id="C1:5", external_id="12")
    make_message(inbox, thread_id="C2:5", external_id="12")

    apply(Reacted("C1:12", "12", a_sender(), ("eyes",), clock.now(), others_stand=True, within="C1:"), inbox)

    assert Reaction.objects.get().message.thread.external_id == "C1:5"


@pytest.fixture
def sent(inbox, member):
    message = queue_reply(make_message(inbox).conversation, member, "Hello", client_id="c1")
    (delivery,) = deliveries.claim(1)
    deliveries.sent(delivery, "501")
    return message


def test_receipts_only_move_forward(inbox, sent):
    apply(Receipt("77", "501", "read", clock.now()), inbox)

    late = apply(Receipt("77", "501", "delivered", clock.now()), inbox)

    assert late is False
    assert deliveries.status_of(sent) == "read"


def test_a_late_failure_is_shown_to_the_agent(inbox, sent):
    apply(Receipt("77", "501", "failed", clock.now(), "the file could not be shown"), inbox)

    assert deliveries.status_of(sent) == "refused"
    assert Delivery.objects.get().reason == "the file could not be shown"


def test_a_failure_after_it_was_read_is_not_believed(inbox, sent):
    apply(Receipt("77", "501", "read", clock.now()), inbox)

    assert apply(Receipt("77", "501", "failed", clock.now(), "?"), inbox) is False


def test_a_receipt_for_an_unknown_message_changes_nothing(inbox, sent):
    assert apply(Receipt("77", "999", "read", clock.now()), inbox) is False


def test_a_read_mark_turns_the_ticks_of_what_was_sent_before_it(inbox, sent):
    apply(ReadUpTo("77", clock.now()), inbox)

    assert deliveries.status_of(sent) == "read"


def test_a_block_and_its_end_are_noted(inbox):
    identity = make_message(inbox).identity
    assert apply(Blocked("77", a_sender(), True, clock.now()), inbox)
    identity.refresh_from_db()
    assert identity.blocked_at

    assert apply(Blocked("77", a_sender(), False, clock.now()), inbox)


def test_a_moved_thread_keeps_its_conversation(inbox):
    conversation = make_message(inbox).conversation
    apply(ThreadMoved("77", "-10077", clock.now()), inbox)

    message = make_message(inbox, thread_id="-10077")

    assert message.conversation == conversation
    assert Thread.objects.count() == 1


def test_resolving_solves_the_ticket_and_leaves_the_lead_to_sales(inbox, member):
    triage = a_triage(functions=(("support", 0.9), ("sales", 0.9)))
    conversation = make_message(inbox, triage=triage).conversation

    desk.resolve(conversation, by=member)

    assert Ticket.objects.get().status == "solved"
    assert Lead.objects.get().status == "open"


def test_reopening_reopens_the_ticket_and_takes_the_thread_back(inbox, member):
    conversation = make_message(inbox, triage=a_triage()).conversation
    desk.resolve(conversation, by=member)

    desk.reopen(conversation, by=member)

    assert Ticket.objects.get().status == "open"
    assert make_message(inbox).conversation == conversation


def test_reopening_an_old_matter_does_not_take_the_thread_from_a_newer_one(inbox, member):
    old = make_message(inbox).conversation
    desk.resolve(old, by=member)
    new = make_message(inbox).conversation

    desk.reopen(old, by=member)

    assert make_message(inbox).conversation == new


def test_an_unassigned_conversation_is_read_by_whoever_opens_it(inbox, member):
    conversation = make_message(inbox).conversation

    assert desk.mark_read(conversation, by=member)
    assert Conversation.objects.get().unread == 0


def test_an_assigned_conversation_stays_unread_when_a_colleague_looks(inbox, workspace, member):
    conversation = desk.assign(make_message(inbox).conversation, member, by=member)

    assert desk.mark_read(conversation, by=make_member(workspace)) is False
    assert Conversation.objects.get().unread == 1


def test_a_correction_opens_the_right_record_and_voids_the_wrong_one(inbox, member):
    message = make_message(inbox, triage=a_triage("sales", intent="pricing"))

    correction = desk.correct(message, by=member, functions=["support"], intent="billing", sentiment=-1)

    assert correction.before == {"functions": ["sales"], "intent": "pricing", "sentiment": 0}
    assert Lead.objects.get().status == "void"
    assert Ticket.objects.get().status == "open"
    assert Conversation.objects.get().function == "support"
    assert message.triage.function == "sales"  # what was read stays as it was read


def test_a_correction_to_nothing_needs_no_record(inbox, member):
    message = make_message(inbox, triage=a_triage())

    desk.correct(message, by=member, functions=[], intent="thanks", sentiment=1)

    assert Ticket.objects.get().status == "void"
    assert Conversation.objects.get().function == ""


def test_a_correction_that_changes_nothing_is_not_kept(inbox, member):
    message = make_message(inbox, triage=a_triage())

    assert desk.correct(message, by=member, functions=["support"], intent="order_status", sentiment=0) is None
    assert Correction.objects.count() == 0


def test_a_person_settles_what_triage_was_unsure_of(inbox, member):
    message = make_message(inbox, triage=a_triage("sales", confidence=0.4))
    assert RoutedRecord.objects.count() == 0

    desk.correct(message, by=member, functions=["sales"], intent="order_status", sentiment=0)

    assert Lead.objects.get().status == "open"
    assert Conversation.objects.get().needs_person is False


def test_a_correction_counts_from_the_one_before(inbox, member):
    message = make_message(inbox, triage=a_triage("sales"))
    desk.correct(message, by=member, functions=["support"], intent="billing", sentiment=0)

    second = desk.correct(message, by=member, functions=["marketing"], intent="promotion", sentiment=0)

    assert second.before["functions"] == ["support"]
    assert Event.objects.filter(verb="triage.corrected").count() == 2


def test_long_ids_that_begin_alike_are_two_messages(inbox):
    """Instagram's ids are long, and tell messages apart by their ends only."""
    beginning = "aWdfZAG1f" * 40
    for end, text in (("1", "one"), ("2", "two")):
        make_message(inbox, text, external_id=beginning + end)

    apply(Deletion("77", f"{beginning}2", clock.now()), inbox)

    assert [message.text for message in Message.objects.filter(deleted_at=None)] == ["one"]
    assert Message.objects.get(text="two").external_id == f"{beginning}2"
