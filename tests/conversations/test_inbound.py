from datetime import UTC, datetime, timedelta

from conversations import desk
from conversations.inbound import receive_message
from conversations.models import Conversation, Message, RoutedRecord, Thread
from conversations.normalized import Attachment, FirstTouch
from crm.models import Campaign, Customer, Event, Identity, Lead, Ticket
from crm.workspace import clock
from tests.factories import a_sender, a_triage, an_inbound, make_inbox, make_message


def test_a_message_delivered_twice_is_stored_once(workspace):
    inbox = make_inbox(workspace)
    inbound = an_inbound(external_id="11")
    receive_message(inbox, inbound, triage=a_triage())

    again = receive_message(inbox, inbound, triage=a_triage())

    assert again is None
    assert Message.objects.count() == 1
    assert Conversation.objects.get().unread == 1
    assert Ticket.objects.count() == 1


def test_the_same_platform_id_on_another_thread_is_another_message(workspace):
    inbox = make_inbox(workspace)
    receive_message(inbox, an_inbound(external_id="11", thread_id="a"), triage=None)

    receive_message(inbox, an_inbound(external_id="11", thread_id="b"), triage=None)

    assert Message.objects.count() == 2


def test_a_burst_from_one_person_makes_one_conversation_in_order(workspace):
    inbox = make_inbox(workspace)

    for number in range(20):
        receive_message(inbox, an_inbound(f"line {number}"), triage=a_triage())

    conversation = Conversation.objects.get()
    assert [message.text for message in conversation.messages.all()] == [f"line {number}" for number in range(20)]
    assert [message.seq for message in conversation.messages.all()] == list(range(1, 21))
    assert conversation.unread == 20
    assert Ticket.objects.count() == 1


def test_writing_again_after_resolution_opens_a_new_conversation_on_the_same_profile(workspace, member):
    inbox = make_inbox(workspace)
    old = make_message(inbox).conversation
    desk.resolve(old, by=member)

    new = make_message(inbox).conversation

    assert new != old
    assert new.customer == old.customer
    assert Customer.objects.count() == 1


def test_platform_time_is_kept_and_our_order_stands(workspace):
    inbox = make_inbox(workspace)
    late = clock.now() - timedelta(hours=3)
    make_message(inbox, "second in their time")

    make_message(inbox, "first in their time", at=late)

    messages = Conversation.objects.get().messages.all()
    assert [message.text for message in messages] == ["second in their time", "first in their time"]
    assert messages[1].platform_at == late


def test_an_impossible_platform_time_is_not_believed(workspace):
    message = make_message(make_inbox(workspace), at=datetime(9999, 1, 1, tzinfo=UTC))

    assert message.platform_at is None


def test_text_that_a_database_refuses_is_cleaned_and_the_rest_is_kept(workspace):
    message = make_message(make_inbox(workspace), "a\x00b\ud800c <script>alert(1)</script>")

    assert message.text == "abc <script>alert(1)</script>"


def test_a_card_number_is_not_stored(workspace):
    message = make_message(make_inbox(workspace), "my card is 4111 1111 1111 1111, refund it")

    assert "4111 1111 1111 1111" not in message.text
    assert "4111 1111 1111 1111" not in message.conversation.last_text


def test_a_megabyte_of_text_is_cut_and_not_lost(workspace):
    message = make_message(make_inbox(workspace), "x" * 1_000_000)

    assert len(message.text) == 100_000


def test_a_message_that_could_not_be_read_is_shown_and_waits_for_a_person(workspace):
    message = make_message(make_inbox(workspace), triage=None)

    assert message.awaits_triage
    assert message.conversation.needs_person
    assert RoutedRecord.objects.count() == 0


def test_one_message_may_open_two_records(workspace):
    triage = a_triage(functions=(("support", 0.9), ("sales", 0.8)))

    message = make_message(make_inbox(workspace), triage=triage)

    links = RoutedRecord.objects.filter(conversation=message.conversation)
    assert {type(link.record) for link in links} == {Ticket, Lead}
    assert {link.message for link in links} == {message}
    assert message.conversation.function == "support"


def test_a_later_message_joins_the_open_record_instead_of_opening_another(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, triage=a_triage())

    make_message(inbox, "Order 88213, by the way", triage=a_triage())

    assert Ticket.objects.count() == 1


def test_a_first_touch_is_kept_with_its_campaign(workspace):
    campaign = Campaign.objects.create(workspace=workspace, name="Winter", code="winter")
    touch = FirstTouch(url="https://shop.example/lamps", utm_campaign="winter")

    message = make_message(make_inbox(workspace), first_touch=touch)

    assert message.conversation.customer.origin.campaign == campaign


def test_an_unverified_address_says_so(workspace):
    make_message(make_inbox(workspace), sender=a_sender(verified=False))

    assert Identity.objects.get().verified_at is None
    assert Identity.objects.get().known_by == "customer"


def test_two_people_with_the_same_claimed_name_stay_two_customers(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, sender=a_sender(address="1", name="Ada", verified=False))

    make_message(inbox, sender=a_sender(address="2", name="Ada", verified=False))

    assert Customer.objects.count() == 2


def test_a_new_name_on_the_platform_is_followed(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, sender=a_sender(name="Ada"))

    make_message(inbox, sender=a_sender(name="Ada Lind", username="ada2"))

    assert Customer.objects.get().name == "Ada Lind"
    assert Identity.objects.get().handle == "@ada2"


def test_an_unsubscribe_withdraws_consent(workspace):
    triage = a_triage("marketing", intent="unsubscribe")

    message = make_message(make_inbox(workspace), "stop your mails", triage=triage)

    consent = message.conversation.customer.consents.get()
    assert (consent.given, consent.purpose, consent.kind) == (False, "marketing", "telegram")


def test_a_file_waits_to_be_fetched_and_names_the_list_row(workspace):
    photo = Attachment("image", external_id="AgAD1", name="box.jpg")

    message = make_message(make_inbox(workspace), "", attachments=(photo,))

    assert message.files.get().state == "waiting"
    assert "box.jpg" in message.conversation.last_text


def test_each_message_leaves_its_events_in_order(workspace):
    message = make_message(make_inbox(workspace), triage=a_triage())

    events = list(Event.objects.all())
    assert [event.verb for event in events] == [
        "conversation.opened",
        "ticket.opened",
        "message.routed",
        "message.received",
    ]
    assert [event.number for event in events] == [1, 2, 3, 4]
    assert events[-1].subject_id == message.pk


def test_mood_follows_the_newest_messages(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, triage=a_triage(sentiment=1, sentiment_score=1.0))

    message = make_message(inbox, triage=a_triage(sentiment=-1, sentiment_score=-1.0))

    assert message.conversation.mood == -0.2
    assert message.conversation.customer.mood == -0.2


def test_an_answer_that_names_a_known_message_joins_its_thread(workspace):
    inbox = make_inbox(workspace)
    first = make_message(inbox, external_id="m1", thread_id="t1")

    second = make_message(inbox, external_id="m2", thread_id="m2", refers_to=("unknown", "m1"))

    assert second.thread == first.thread


def test_an_answer_that_names_only_unknown_messages_is_a_thread_of_its_own(workspace):
    inbox = make_inbox(workspace)
    first = make_message(inbox, external_id="m1", thread_id="t1")

    second = make_message(inbox, external_id="m2", thread_id="m2", refers_to=("unknown",))

    assert second.thread != first.thread


def test_messages_of_another_inbox_join_no_thread_here(workspace):
    make_message(make_inbox(workspace, name="Other"), external_id="m1", thread_id="t1")

    second = make_message(make_inbox(workspace), external_id="m2", thread_id="m2", refers_to=("m1",))

    assert second.thread.external_id == "m2"


def test_a_person_known_by_two_addresses_is_one_customer_under_either(workspace):
    inbox = make_inbox(workspace)
    make_message(inbox, sender=a_sender(address="user-1", also=("46700000001",)))

    make_message(inbox, external_id="2", sender=a_sender(address="46700000001"))
    make_message(inbox, external_id="3", sender=a_sender(address="user-1"))

    assert Customer.objects.count() == 1
    assert {identity.address for identity in Identity.objects.all()} == {"user-1", "46700000001"}


def test_an_address_that_is_unique_in_the_world_is_one_customer_over_channels(workspace):
    phone = a_sender(address="+46700000001", kind="phone")
    make_message(make_inbox(workspace, channel="telegram", identity_scope="T1"), sender=phone)

    make_message(make_inbox(workspace, channel="webchat", name="Other"), sender=phone)

    identity = Identity.objects.get()
    assert (identity.kind, identity.scope) == ("phone", "")


def test_what_only_the_channel_knows_is_kept_with_the_message(workspace):
    message = make_message(make_inbox(workspace), details={"subject": "Order"}, flags=("forwarded",))

    assert message.details == {"subject": "Order", "flags": ["forwarded"]}


def test_a_person_s_thread_follows_the_name_that_the_platform_gives_them(workspace):
    """First their number alone, then number and id, then the id alone: people hide their numbers."""
    inbox, at = make_inbox(workspace, channel="whatsapp"), clock.now()
    for number, (thread_id, address, also) in enumerate(
        [("4670", "4670", ()), ("SE.1", "4670", ("SE.1",)), ("SE.1", "SE.1", ())], start=1
    ):
        sender = a_sender(address=address, also=also)
        inbound = an_inbound(external_id=f"wamid.{number}", thread_id=thread_id, sender=sender, at=at)
        assert receive_message(inbox, inbound, triage=None) is not None
        assert receive_message(inbox, inbound, triage=None) is None  # and the platform's retry of it

    assert Thread.objects.get().external_id == "SE.1"
    assert (Customer.objects.count(), Conversation.objects.count(), Message.objects.count()) == (1, 1, 3)


def test_a_group_is_not_taken_for_the_thread_of_a_person_in_it(workspace):
    inbox, sender = make_inbox(workspace), a_sender(address="4670", also=("SE.1",))
    receive_message(inbox, an_inbound(thread_id="4670", sender=a_sender(address="4670")), triage=None)

    receive_message(inbox, an_inbound(thread_id="g1", sender=sender, is_group=True), triage=None)

    assert sorted(Thread.objects.values_list("external_id", flat=True)) == ["4670", "g1"]
