"""Both ways with mail servers that are not ours: Carl writes to the shop, an agent answers, and Carl answers that."""

import io
import json
import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django_scopes import scope

from channels_adapters.models import Connection
from channels_adapters.workers.dispatch import Dispatch
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.listening import Listening
from conversations import files
from conversations.models import Conversation, Delivery, File, Inbox, Message
from conversations.outbound import queue_reply
from crm.workspace import hints
from tests.channels_adapters.email.mailbox import Person
from tests.factories import make_member, make_workspace

pytestmark = [pytest.mark.xdist_group("mail servers"), pytest.mark.django_db(transaction=True)]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
_PATIENCE = 20.0  # seconds


class Shop:
    """An inbox made as its owner makes it, with the workers of a process."""

    def __init__(self, servers, **more):
        self.workspace = make_workspace()
        self.member = make_member(self.workspace)
        said = io.StringIO()
        given = [f"{key}={value}" for key, value in servers.settings(**more).items()]
        call_command("connect", "email", "--name", "Help", "--set", *given, stdout=said)
        self.told = json.loads(said.getvalue())
        with scope(workspace=self.workspace):
            self.inbox = Inbox.objects.get(pk=self.told["inbox"])
        self._news = threading.Condition()
        hints.listen(self._hear)
        self._intake, self._dispatch = Intake(), Dispatch()
        self._listening = Listening(self._intake)
        self._intake.start()
        self._dispatch.start()
        self._listening.look()
        self.until(lambda: Connection.objects.get(inbox=self.inbox).poll_cursor)

    def stop(self):
        hints.forget(self._hear)
        self._listening.stop()
        self._dispatch.stop()
        self._intake.stop()

    def _hear(self, *_):
        self._dispatch.wake()
        with self._news:
            self._news.notify_all()

    def until(self, holds):
        """What `holds` gives once it is true."""
        end = time.monotonic() + _PATIENCE
        while True:
            with scope(workspace=self.workspace):
                if found := holds():
                    return found
            assert time.monotonic() < end, "it did not happen"
            with self._news:
                self._news.wait(0.2)

    def heard(self, count=1):
        """The messages that came in, once there are so many."""

        def came():
            found = Message.objects.filter(direction="in").order_by("pk").select_related("thread", "identity")
            return found if len(found) >= count else None

        return self.until(came)

    def answer(self, text, *uploads):
        with scope(workspace=self.workspace):
            stored = [files.store_upload(self.workspace, SimpleUploadedFile(name, data)) for name, data in uploads]
            message = queue_reply(Conversation.objects.get(), self.member, text, client_id=text[:60], files=stored)
        self._dispatch.wake()
        return message


@pytest.fixture
def shop(servers):
    made = Shop(servers)
    yield made
    made.stop()


@pytest.fixture
def carl(servers):
    return Person(servers, "carl@kund.test")


def test_a_mail_is_answered_with_files_and_the_answer_to_that_joins(servers, shop, carl):
    assert shop.told["problems"] == []
    assert shop.told["hook_url"].endswith(f"/hooks/{shop.inbox.key}/")
    carl.write("support@crm.test", "Var är min order?", "Hej!\n\n-- \nCarl", files=[("kvitto.png", "image/png", PNG)])
    (question,) = shop.heard()
    picture = shop.until(lambda: File.objects.filter(message=question, state=File.State.READY).first())

    shop.answer("On its way: https://crm.test/7", ("bill.txt", b"42 kr"), ("map.png", PNG))
    answer = carl.mail()
    carl.write(answer["Reply-To"].addresses[0].addr_spec, "an altogether other subject", "Thanks!")
    _, thanks = shop.heard(2)
    carl.write(
        "support@crm.test", "Re: order", "Super\n\nOn Monday, 1 May 2026, Help wrote:\n> On its way", answers=answer
    )
    *_, super_ = shop.heard(3)

    assert (question.text, question.details["subject"], question.details["folded"]) == (
        "Hej!",
        "Var är min order?",
        "-- \nCarl",
    )
    assert (question.identity.kind, question.identity.address) == ("email", "carl@kund.test")
    with scope(workspace=shop.workspace):
        assert (picture.name, picture.mime, files.read(picture)) == ("kvitto.png", "image/png", PNG)
    assert (answer["Subject"], answer["From"].addresses[0].addr_spec) == ("Re: Var är min order?", "support@crm.test")
    assert answer["In-Reply-To"] == f"<{question.external_id}>"
    assert answer.get_body(("plain",)).get_content().strip() == "On its way: https://crm.test/7"
    page = answer.get_body(("html",)).get_content()
    assert '<a href="https://crm.test/7">' in page
    enclosed = {part.get_filename(): part.get_payload(decode=True) for part in answer.walk() if part.get_filename()}
    assert enclosed == {"bill.txt": b"42 kr", "map.png": PNG}
    shown = next(part for part in answer.walk() if part.get_filename() == "map.png")
    assert f"cid:{shown['Content-ID'].strip('<>')}" in page
    assert thanks.thread_id == super_.thread_id == question.thread_id
    assert (thanks.text, super_.text) == ("Thanks!", "Super")
    with scope(workspace=shop.workspace):
        delivery = Delivery.objects.get()
        assert (delivery.state, f"<{delivery.external_id}>") == ("sent", answer["Message-ID"])
    assert answer["Message-ID"] in [mail["Message-ID"] for mail in Person(servers, "support@crm.test").sent()]


def test_a_mail_is_there_as_soon_as_it_comes(shop, carl):
    carl.write("support@crm.test", "a", "first")
    shop.heard()

    began = time.monotonic()
    carl.write("support@crm.test", "b", "second")
    shop.heard(2)

    assert time.monotonic() - began < 10  # the mailbox is asked by itself every twenty


def test_a_mail_that_comes_back_is_said_on_what_was_sent(servers, shop, carl):
    carl.write("support@crm.test", "Hello", "from another desk", Reply_To="ghost@kund.test")
    shop.heard()

    shop.answer("To a mailbox that is not there")
    delivery = shop.until(lambda: Delivery.objects.filter(state="refused").first())

    assert "there is no such mailbox" in delivery.reason
    with scope(workspace=shop.workspace):
        assert Message.objects.filter(direction="in").count() == 1


def test_a_stranger_cannot_join_by_the_subject(servers, shop, carl):
    carl.write("support@crm.test", "Order 7", "mine")
    Person(servers, "eva@kund.test").write("support@crm.test", "Re: Order 7", "mine too")

    first, second = shop.heard(2)

    assert first.thread_id != second.thread_id
    assert first.conversation_id != second.conversation_id


def test_a_mail_that_came_twice_is_one_message(shop, carl):
    carl.write("support+one@crm.test", "first", "by one way")
    shop.heard()
    with scope(workspace=shop.workspace):
        Connection.objects.filter(inbox=shop.inbox).update(poll_cursor="1:0")  # the server numbered its mails anew

    carl.write("support@crm.test", "second", "and one more")
    shop.until(lambda: Connection.objects.get(inbox=shop.inbox).poll_cursor)

    assert len(shop.heard(2)) == 2
