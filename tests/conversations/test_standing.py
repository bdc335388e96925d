"""What people and platforms say of themselves: moved addresses, opt-outs, typing, an inbox that is shut out."""

from datetime import UTC, datetime, timedelta

import pytest

from conversations import gate, standing
from conversations.errors import CannotReply
from conversations.inbound_changes import apply
from conversations.live import layer
from conversations.models import Conversation, Delivery, Inbox
from conversations.normalized import (
    ConnectionLost,
    IdentityMoved,
    OptedOut,
    Reacted,
    Receipt,
    Sender,
    ThreadMoved,
    Writing,
)
from conversations.outbound import queue_reply
from crm.models import Consent, Customer, Event, Identity, Lead, Origin
from crm.workspace import clock
from tests.factories import a_sender, a_triage, make_inbox, make_message


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace)


def moved(new="88", old="77", **facts):
    return IdentityMoved(a_sender(address=new, **facts), old, clock.now())


def test_a_moved_address_keeps_the_profile(inbox):
    customer = make_message(inbox).conversation.customer

    assert apply(moved(), inbox)

    assert make_message(inbox, sender=a_sender(address="88")).conversation.customer == customer
    assert Event.objects.get(verb="identity.moved").changed == {"address": ["77", "88"]}


def test_whoever_gets_the_old_address_is_somebody_else(inbox):
    customer = make_message(inbox).conversation.customer
    apply(moved(), inbox)
    apply(ThreadMoved("77", "88", clock.now()), inbox)

    assert make_message(inbox, sender=a_sender(name="Ben")).conversation.customer != customer


def test_an_address_moved_twice_or_unknown_changes_nothing(inbox):
    make_message(inbox)
    apply(moved(), inbox)

    assert apply(moved(), inbox) is False
    assert apply(moved(new="9", old="404"), inbox) is False
    assert apply(moved(new="", old="88"), inbox) is False


def test_what_they_wrote_from_the_new_address_too_early_joins_the_profile(inbox):
    first = make_message(inbox, triage=a_triage("sales"))
    early = make_message(inbox, triage=a_triage("sales"), sender=a_sender(address="88"))
    Origin.objects.create(workspace=inbox.workspace, customer=early.conversation.customer, channel="telegram")

    assert apply(moved(), inbox)

    customer = Customer.objects.get()
    assert customer == first.conversation.customer
    assert set(Conversation.objects.values_list("customer", flat=True)) == {customer.pk}
    assert set(Lead.objects.values_list("customer", flat=True)) == {customer.pk}
    assert list(Identity.objects.values_list("address", flat=True)) == ["88"]
    assert {message.identity_id for message in customer.conversations.first().messages.all()} == {first.identity_id}
    assert Origin.objects.get().customer == customer


def test_a_reaction_made_from_both_addresses_is_kept_once(inbox):
    message = make_message(inbox, external_id="12")
    make_message(inbox, sender=a_sender(address="88"))
    for address in ("77", "88"):
        apply(Reacted("77", "12", a_sender(address=address), ("👍",), clock.now()), inbox)

    apply(moved(), inbox)

    assert message.reactions.get().identity.address == "88"


def test_a_new_address_that_has_a_profile_with_more_is_taken_without_that_profile(inbox, workspace):
    first = make_message(inbox).conversation.customer
    other = make_message(inbox, sender=a_sender(address="88")).conversation.customer
    Identity.objects.create(
        workspace=workspace, customer=other, kind="email", address="b@example.org", known_by="channel"
    )

    apply(moved(), inbox)

    assert Identity.objects.get(address="88").customer == first
    assert Customer.objects.filter(pk=other.pk).exists()


def opted(*, is_out=True, everything=False):
    return OptedOut(a_sender(), is_out, clock.now(), everything, "STOP" if is_out else "START")


def test_an_opt_out_withdraws_consent_and_still_lets_us_answer(inbox):
    message = make_message(inbox)
    Consent.objects.create(
        workspace=inbox.workspace,
        customer=message.conversation.customer,
        purpose="marketing",
        kind="telegram",
        given=True,
        source="web form",
    )

    assert apply(opted(), inbox)

    message.identity.refresh_from_db()
    assert gate.objection(message.thread, message.identity, "reply") == ""
    assert gate.objection(message.thread, message.identity, "marketing")
    assert Consent.objects.order_by("-pk").first().wording == "STOP"
    assert Event.objects.filter(verb="consent.withdrawn").count() == 1
    assert apply(opted(), inbox) is False


def test_they_may_opt_in_again(inbox):
    message = make_message(inbox)
    apply(opted(), inbox)

    assert apply(opted(is_out=False), inbox)

    message.identity.refresh_from_db()
    assert gate.objection(message.thread, message.identity, "marketing") == ""


def test_after_a_stop_of_everything_nothing_may_be_sent_until_they_start(inbox, member):
    conversation = make_message(inbox).conversation
    apply(opted(everything=True), inbox)
    with pytest.raises(CannotReply, match="opted out"):
        queue_reply(conversation, member, "But", client_id="c1")

    make_message(inbox, "hello?")  # writing again is not START
    with pytest.raises(CannotReply):
        queue_reply(conversation, member, "But", client_id="c2")
    assert apply(opted(is_out=False, everything=True), inbox)

    assert queue_reply(conversation, member, "Welcome back", client_id="c3")


def test_start_is_no_yes_to_marketing(inbox):
    message = make_message(inbox)
    apply(opted(everything=True), inbox)
    apply(opted(is_out=False, everything=True), inbox)

    message.identity.refresh_from_db()
    assert gate.objection(message.thread, message.identity, "marketing")


def test_an_opt_out_of_somebody_unknown_changes_nothing(inbox):
    assert apply(opted(everything=True), inbox) is False
    assert not Consent.objects.exists()


@pytest.fixture
def posted(monkeypatch):
    told = []
    monkeypatch.setattr(layer, "post", lambda group, message: told.append(message))
    return told


def test_the_customer_s_typing_is_shown_and_not_stored(inbox, posted):
    conversation = make_message(inbox).conversation
    events = Event.objects.count()

    assert apply(Writing("77", Sender("77")), inbox) is False

    assert [(told["conversation"], told["who"], told["is_customer"]) for told in posted] == [
        (conversation.pk, "Ada Lind", True)
    ]
    assert Event.objects.count() == events


def test_typing_on_a_thread_nobody_has_open_is_shown_nowhere(inbox, posted):
    apply(Writing("404", Sender("404")), inbox)

    assert posted == []


def lost(at=None, reason="The token was taken back."):
    return ConnectionLost(reason, at or clock.now())


def test_an_inbox_that_is_shut_out_sends_nothing_and_says_why(inbox, member):
    conversation = make_message(inbox).conversation

    assert apply(lost(), inbox)

    inbox.refresh_from_db()
    assert (inbox.state, inbox.lost_reason) == ("lost", "The token was taken back.")
    with pytest.raises(CannotReply, match="token was taken back"):
        queue_reply(conversation, member, "Hello", client_id="c1")
    assert Event.objects.filter(verb="inbox.lost").count() == 1
    assert apply(lost(), inbox) is False


def test_an_inbox_that_works_again_is_live(inbox):
    apply(lost(), inbox)

    assert standing.mended(inbox)

    assert Inbox.objects.get().state == "live"
    assert standing.mended(inbox) is False


def test_an_old_word_of_being_shut_out_is_not_believed_after_mending(inbox):
    apply(lost(), inbox)
    standing.mended(inbox)

    assert apply(lost(at=clock.now() - timedelta(hours=1)), inbox) is False
    assert apply(lost(at=datetime(1970, 1, 1, tzinfo=UTC)), inbox)  # no time: the platform says it now


def test_a_removed_inbox_is_not_lost(workspace):
    removed = make_inbox(workspace, state=Inbox.State.REMOVED)

    assert apply(lost(), removed) is False


def test_a_failed_receipt_says_why_and_keeps_the_platform_s_number(inbox, member):
    message = queue_reply(make_message(inbox).conversation, member, "Hello", client_id="c1")
    Delivery.objects.filter(message=message).update(state="sent", external_id="501")

    apply(Receipt("77", "501", "failed", clock.now(), "They cannot be reached.", "131026"), inbox)

    assert Delivery.objects.get().reason == "They cannot be reached. (131026)"


def test_a_failed_receipt_without_words_still_says_something(inbox, member):
    message = queue_reply(make_message(inbox).conversation, member, "Hello", client_id="c1")
    Delivery.objects.filter(message=message).update(state="sent", external_id="501")

    apply(Receipt("77", "501", "failed", clock.now(), code="30003"), inbox)

    assert Delivery.objects.get().reason == "The platform could not deliver it. (30003)"
