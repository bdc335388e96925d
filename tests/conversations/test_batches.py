"""A batch of messages leaves what the same messages one by one leave."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.forms.models import model_to_dict

from conversations.inbound import Arrival, receive_message, receive_messages
from conversations.models import Conversation, Message, Route, RoutedRecord, Thread, Triage
from conversations.normalized import Attachment, FirstTouch
from crm.models import Customer, Event, Identity, Lead, Ticket
from crm.workspace import clock
from tests.factories import a_sender, a_triage, an_inbound, make_inbox, make_message, make_workspace

NEVER_THE_SAME = {"id", "key", "token", "created_at", "known_at", "joined_at"}


def some_messages(at):
    """Two people on three threads: routed, joined, unread, with files and an answer to an earlier one."""
    ada, carl = a_sender(address="1", name="Ada"), a_sender(address="2", name="Carl", username="carl")
    said = [
        ("Where is my order?", "a", ada, a_triage(), {}),
        ("And what does the large one cost?", "a", ada, a_triage("sales"), {}),
        ("", "a", ada, a_triage("none"), {"attachments": (Attachment("image", external_id="f1", name="a.png"),)}),
        ("A code?", "b", carl, None, {"first_touch": FirstTouch(payload="spring")}),
        ("Two things", "b", carl, a_triage(functions=(("support", 0.9), ("sales", 0.8))), {}),
        ("Hm", "b", a_sender(address="2", name="Carl L"), a_triage(confidence=0.2), {}),
        ("Here instead", "c", ada, a_triage("marketing"), {}),
        ("As I wrote", "d", ada, a_triage(sentiment=-1, sentiment_score=-0.9), {"refers_to": ("m6",)}),
    ]
    return [
        Arrival(an_inbound(text, external_id=f"m{number}", thread_id=thread, sender=sender, at=at, **facts), triage)
        for number, (text, thread, sender, triage, facts) in enumerate(said)
    ]


def everything(workspace):
    """The rows of the workspace, without what differs from run to run: keys are told by their rank."""
    kinds = (Customer, Identity, Thread, Conversation, Message, Triage, Route, RoutedRecord, Ticket, Lead)
    rows = {kind.__name__: [row_of(row) for row in kind.objects.order_by("pk")] for kind in kinds}
    rows["Event"] = [(event.number, event.verb, event.subject_kind) for event in Event.objects.order_by("number")]
    return rows


def row_of(row):
    facts = {name: value for name, value in model_to_dict(row).items() if name not in NEVER_THE_SAME}
    for field in row._meta.concrete_fields:
        if field.is_relation and facts.get(field.name) is not None:
            place = field.related_model._base_manager.filter(pk__lt=facts[field.name])
            facts[field.name] = place.filter(workspace=row.workspace).count() if field.name != "workspace" else 0
    return facts


def taken_in(workspace, take, at):
    inbox = make_inbox(workspace)
    take(inbox, at)
    return everything(workspace)


def test_a_batch_leaves_what_its_messages_one_by_one_leave(db):
    from django_scopes import scope

    at = clock.now() - timedelta(minutes=1)
    one, other = make_workspace(name="One"), make_workspace(name="Other")

    def each(inbox, at):
        for arrival in some_messages(at):
            receive_message(inbox, arrival.message, triage=arrival.triage, at=at)

    with scope(workspace=one):
        singly = taken_in(one, each, at)
    with scope(workspace=other):
        together = taken_in(other, lambda inbox, at: receive_messages(inbox, some_messages(at), at=at), at)

    assert together == singly
    assert len(together["Message"]) == 8
    assert len(together["Conversation"]) == 3


def test_a_batch_costs_hardly_more_statements_than_one_message(workspace, django_assert_max_num_queries):
    inbox = make_inbox(workspace)
    arrivals = [
        Arrival(
            an_inbound(f"line {number}", thread_id=str(number % 8), sender=a_sender(address=str(number % 8))),
            a_triage(),
        )
        for number in range(40)
    ]

    with django_assert_max_num_queries(25):
        receive_messages(inbox, arrivals)

    assert Message.objects.count() == 40
    assert Ticket.objects.count() == 8
    assert sorted(Ticket.objects.values_list("number", flat=True)) == list(range(1, 9))


def test_a_batch_with_a_message_that_is_stored_already_stores_nothing(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, external_id="1")

    with pytest.raises(IntegrityError):
        receive_messages(inbox, [Arrival(an_inbound(external_id=each), a_triage()) for each in ("0", "1", "2")])

    assert Message.objects.count() == 1
    assert Conversation.objects.get().unread == 1


def test_two_messages_of_a_batch_with_one_outside_id_are_refused_together(workspace):
    inbox = make_inbox(workspace)

    with pytest.raises(IntegrityError):
        receive_messages(inbox, [Arrival(an_inbound(external_id="1"), a_triage()) for _ in range(2)])

    assert not Message.objects.exists()
