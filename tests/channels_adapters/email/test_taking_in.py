"""Mail in the hub: read beside the other channels, with its files out of the delivery that brought them."""

import threading

import pytest

from channels_adapters import connections
from channels_adapters.adapters.email import EmailAdapter
from channels_adapters.models import RawDelivery
from channels_adapters.workers import fetching, packing
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.taking_in import take_in_slow, take_in_waiting
from conversations import files, outbound
from conversations.models import Delivery, File, Message
from conversations.outbound import Draft
from crm.workspace import hints

MAIL = (
    b"From: Carl Berg <Carl@Kund.Example>\r\nTo: help@open.example\r\nSubject: Hej\r\nMessage-ID: <t1@kund.example>\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename=bill.pdf\r\n\r\n%PDF-1.4 bill\r\n--b--\r\n"
)


@pytest.fixture
def inbox(workspace):
    yield connections.connect(workspace, "email", name="Help", given={"address": "help@open.example"})
    connections.forget()


def deliver(inbox, mail=MAIL, number=1):
    raw = RawDelivery(workspace=inbox.workspace, inbox=inbox, delivery_id=str(number), body=mail)
    raw.save()
    return raw


def test_a_mail_is_a_message_of_its_sender(inbox):
    deliver(inbox)

    assert take_in_slow() == 1

    message = Message.objects.get()
    assert (message.text, message.details["subject"]) == ("hello", "Hej")
    assert (message.identity.kind, message.identity.scope, message.identity.address) == (
        "email",
        "",
        "carl@kund.example",
    )
    assert message.identity.verified_at is None  # nobody vouched for it
    assert message.identity.customer.name == "Carl Berg"


def test_who_had_the_mail_too_gets_a_copy_of_the_answer_unless_the_agent_says_otherwise(inbox, member):
    others = b"To: help@open.example, Carl@kund.example\r\nCc: Bo <Bo@kund.example>, help+x@open.example\r\n"
    deliver(inbox, MAIL.replace(b"To: help@open.example\r\n", others))
    take_in_slow()
    heard = Message.objects.get()
    assert heard.details["copied"] == ["bo@kund.example"]

    to_all = outbound.queue(heard.conversation, member, Draft("Hello both"), client_id="1")
    to_one = outbound.queue(heard.conversation, member, Draft("Hello Carl", copies=False), client_id="2")

    sent = {delivery.message_id: packing.part(delivery).copy_to for delivery in Delivery.objects.all()}
    assert sent == {to_all.pk: ("bo@kund.example",), to_one.pk: ()}


def test_an_agent_sees_who_gets_a_copy_and_may_leave_them_out(client, inbox, member):
    deliver(inbox, MAIL.replace(b"To: help@open.example", b"To: help@open.example, bo@kund.example"))
    take_in_slow()
    conversation = Message.objects.get().conversation
    client.force_login(member.agent)

    page = client.get(f"/inbox/{conversation.pk}/").content.decode()
    client.post(f"/inbox/{conversation.pk}/reply/", {"text": "to one", "client_id": "a"})
    client.post(f"/inbox/{conversation.pk}/reply/", {"text": "to both", "client_id": "b", "copies": "on"})

    assert 'name="copies" checked' in page
    said = dict(Message.objects.filter(direction="out").values_list("text", "details__copied"))
    assert said == {"to one": None, "to both": ["bo@kund.example"]}


def test_mail_is_left_for_those_who_read_slowly(inbox, toy, workspace):
    other = connections.connect(workspace, "toy", name="Toy", given={})
    deliver(inbox)
    deliver(other, b'{"id": "1", "from": "ada", "text": "hi"}')

    take_in_waiting()

    assert RawDelivery.objects.get(inbox=inbox).state == "waiting"
    assert RawDelivery.objects.get(inbox=other).state != "waiting"


def test_more_mail_than_one_batch_is_taken_in(inbox):
    for number in range(9):
        deliver(inbox, MAIL.replace(b"t1@", b"t%d@" % number), number)

    assert take_in_slow() == 9
    assert Message.objects.count() == 9


def test_the_same_mail_by_two_deliveries_is_one_message(inbox):
    deliver(inbox)
    deliver(inbox, b"Received: by another way\r\n" + MAIL, 2)

    take_in_slow()

    assert Message.objects.count() == 1


def test_a_later_mail_of_the_same_person_refers_to_the_first(inbox):
    deliver(inbox)
    again = MAIL.replace(b"t1@", b"t2@").replace(b"Subject: Hej", b"Subject: other\r\nReferences: <t1@kund.example>")
    deliver(inbox, again, 2)
    deliver(inbox, MAIL.replace(b"t1@", b"t3@"), 3)

    take_in_slow()

    first, second, third = Message.objects.order_by("pk")
    assert first.thread_id == second.thread_id != third.thread_id


def test_mails_that_overtake_each_other_end_in_one_thread(inbox):
    again = MAIL.replace(b"t1@", b"t2@").replace(b"Subject: Hej", b"Subject: x\r\nReferences: <t1@kund.example>")
    deliver(inbox, again)
    deliver(inbox, MAIL, 2)

    take_in_slow()

    later, earlier = Message.objects.order_by("pk")
    assert later.thread_id == earlier.thread_id


def test_people_who_answer_the_same_stranger_do_not_meet(inbox):
    to_a_list = MAIL.replace(b"Subject: Hej", b"Subject: Hej\r\nReferences: <news@shop.example>")
    deliver(inbox, to_a_list)
    deliver(inbox, to_a_list.replace(b"Carl@Kund", b"eva@kund").replace(b"t1@", b"t2@"), 2)

    take_in_slow()

    first, second = Message.objects.order_by("pk")
    assert first.conversation_id != second.conversation_id


@pytest.mark.django_db(transaction=True)
def test_a_file_comes_out_of_the_delivery(inbox):
    deliver(inbox)
    take_in_slow()

    fetched()

    file = File.objects.get()
    assert (file.state, file.name, file.mime, files.read(file)) == (
        "ready",
        "bill.pdf",
        "application/pdf",
        b"%PDF-1.4 bill",
    )


@pytest.mark.django_db(transaction=True)
def test_a_file_of_a_delivery_that_is_gone_says_so(inbox):
    deliver(inbox)
    take_in_slow()
    RawDelivery.objects.all().delete()

    fetched()

    assert (File.objects.get().state, File.objects.get().reason) == ("failed", "what it came in is no longer kept")


def fetched():
    done = threading.Event()
    fetching.fetch_waiting(done.set)
    assert done.wait(20)


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_takes_long_holds_nobody_up(inbox, toy, workspace, monkeypatch):
    other = connections.connect(workspace, "toy", name="Toy", given={})
    goes_on, read, news = threading.Event(), EmailAdapter.parse, threading.Condition()

    def slowly(adapter, body):
        assert goes_on.wait(20)
        return read(adapter, body)

    def hear(*_):
        with news:
            news.notify_all()

    monkeypatch.setattr(EmailAdapter, "parse", slowly)
    intake = Intake()
    hints.listen(hear)
    intake.start()
    try:
        intake.submit(inbox, "1", MAIL).result(20)
        intake.submit(other, "1", b'{"id": "1", "from": "ada", "text": "hi"}').result(20)
        with news:
            assert news.wait_for(lambda: RawDelivery.objects.get(inbox=other).state != "waiting", 20)
            waits = RawDelivery.objects.get(inbox=inbox).state
            goes_on.set()
            assert news.wait_for(lambda: RawDelivery.objects.get(inbox=inbox).state == "done", 20)
    finally:
        goes_on.set()
        hints.forget(hear)
        intake.stop()

    assert waits == "waiting"
