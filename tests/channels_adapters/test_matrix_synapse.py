"""Both ways with a homeserver that is not ours: Ada has an account there, and so has the inbox."""

import asyncio
import contextlib
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.adapters.matrix import MatrixAdapter
from channels_adapters.contract import OutboundAct, OutboundFile, OutboundPart, Refused, Retryable
from conversations import files
from conversations.models import Conversation, Delivery, File, Message
from conversations.normalized import (
    Blocked,
    Deletion,
    Edit,
    InboundMessage,
    Reacted,
    ReadUpTo,
    Receipt,
    ThreadMoved,
    Writing,
)
from conversations.outbound import queue_reply
from tests.channels_adapters.synapse import Admin, Person, homeserver, missing
from tests.channels_adapters.whole import edge
from tests.conftest import left_out
from tests.factories import make_member, make_workspace

pytestmark = pytest.mark.xdist_group("synapse")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture(scope="session")
def synapse(tmp_path_factory):
    if why := missing():
        left_out("Matrix both ways against Synapse", why)
        pytest.skip(why)
    with homeserver(tmp_path_factory.mktemp("synapse")) as url:
        yield url


@pytest.fixture
def ada(synapse):
    person = Person(synapse, "ada")
    person.ask("PUT", f"/profile/{quote(person.id)}/displayname", {"displayname": "Ada  Lind"})
    yield person
    person.close()


@pytest.fixture
def desk(synapse):
    """The inbox's own account, seen from outside."""
    person = Person(synapse, "desk")
    yield person
    person.close()


@pytest.fixture
async def adapter(synapse, desk):
    made = adapter_of(synapse, desk)
    yield made
    await made.close()


def adapter_of(url, desk, **settings):
    given = {"api_url": url, "access_token": desk.token, "user_id": desk.id, "invites": "accept"}
    adapter = MatrixAdapter(given | settings)
    adapter.poll_seconds = 2
    return adapter


class Ear:
    """Listens as the worker would, and keeps what is stored."""

    def __init__(self, adapter, cursor=""):
        self.adapter, self.cursor, self.stored, self.read, self._seen = adapter, cursor, [], 0, set()
        self.changed = asyncio.Condition()

    async def __aenter__(self):
        self.task = asyncio.create_task(self.adapter.listen(self.cursor, self.store))
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: self.cursor)
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Retryable):
            await self.task

    async def store(self, batch, cursor):
        async with self.changed:
            self.stored += [body for name, body in batch if not (name in self._seen or self._seen.add(name))]
            self.cursor = cursor
            self.changed.notify_all()

    async def hears(self, *kinds, count=1):
        """The next events of the kinds; others that come between are passed over."""
        found = []
        async with asyncio.timeout(20), self.changed:
            while len(found) < count:
                await self.changed.wait_for(lambda: self.read < len(self.stored))
                body = self.stored[self.read]
                self.read += 1
                assert self.adapter.delivery_id(body)
                found += [event for event in self.adapter.parse(body) if isinstance(event, kinds)]
        return found[0] if count == 1 else found


@pytest.fixture
async def ear(adapter):
    async with Ear(adapter) as listening:
        yield listening


async def in_room(ear, person, desk, *others):
    room = person.invite(desk.id, *others)
    await until(lambda: desk.id in person.joined(room))
    return room


async def until(happened):
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110  # another program's doing
            await asyncio.sleep(0.05)


async def test_the_connection_is_found_to_work(synapse, desk):
    adapter = MatrixAdapter({"api_url": synapse, "access_token": desk.token})

    found = await adapter.check("https://desk.example/hooks/1/")
    await adapter.close()

    assert found.problems == ()
    assert found.facts == {"user_id": desk.id, "largest file": "1 MB"}


async def test_a_token_that_was_taken_back_is_said_in_plain_words(synapse, desk, adapter):
    desk.ask("POST", "/logout", {})

    found = await adapter.check("")
    with pytest.raises(Retryable, match="does not accept the access token") as failure:
        await adapter.send(OutboundPart(1, "!x:crm.test", "hello"))

    assert "does not accept the access token" in found.problems[0]
    assert failure.value.retry_after == 300


async def test_an_invitation_is_accepted_and_what_was_said_with_it_is_heard(ear, ada, desk):
    room = ada.invite(desk.id)
    event_id = ada.say(room, "Where is my order?")

    message = await ear.hears(InboundMessage)

    assert (message.external_id, message.thread_id, message.text) == (event_id, room, "Where is my order?")
    assert (message.sender.address, message.sender.name, message.is_group) == (ada.id, "Ada Lind", False)
    assert desk.id in ada.joined(room)


async def test_an_invitation_is_left_alone_where_that_is_the_policy(synapse, ada, desk):
    adapter = adapter_of(synapse, desk, invites="ignore")
    async with Ear(adapter) as ear:
        room = ada.invite(desk.id)
        before = ear.cursor
        async with asyncio.timeout(20), ear.changed:
            await ear.changed.wait_for(lambda: ear.cursor != before)
    await adapter.close()

    assert ada.joined(room) == [ada.id]


async def test_what_was_said_in_a_group_before_us_is_not_heard(ear, ada, desk, synapse):
    room = ada.invite(name="Neighbours")
    for number in range(25):
        ada.say(room, f"old {number}")
    ada.ask("POST", f"/rooms/{quote(room)}/invite", {"user_id": desk.id})
    ada.say(room, "and now with you")

    message = await ear.hears(InboundMessage)

    assert message.text == "and now with you"


async def test_nothing_is_lost_while_we_are_away(synapse, adapter, ada, desk):
    async with Ear(adapter) as ear:
        room = await in_room(ear, ada, desk)
        ada.say(room, "first")
        await ear.hears(InboundMessage)
    said = [ada.say(room, f"away {number}") for number in range(30)]

    async with Ear(adapter, ear.cursor) as again:
        heard = await again.hears(InboundMessage, count=30)

    assert [message.external_id for message in heard] == said


async def test_a_group_is_one_thread_with_everybody_in_it(synapse, ear, ada, desk):
    bo = Person(synapse, "bo")
    room = await in_room(ear, ada, desk, bo.id)
    bo.ask("POST", f"/join/{quote(room)}", {})
    ada.say(room, "Hello")
    bo.say(room, "Hello too")
    bo.close()

    first, second = await ear.hears(InboundMessage, count=2)

    assert first.thread_id == second.thread_id == room
    assert first.is_group
    assert second.is_group
    assert (first.sender.address, second.sender.address) == (ada.id, bo.id)


async def test_edits_reactions_and_redactions_come_in(ear, ada, desk):
    room = await in_room(ear, ada, desk)
    event_id = ada.say(room, "teh")
    ada.say(
        room,
        "* the",
        **{"m.new_content": {"msgtype": "m.text", "body": "the"}},
        **{"m.relates_to": {"rel_type": "m.replace", "event_id": event_id}},
    )
    relation = {"rel_type": "m.annotation", "event_id": event_id, "key": "👍"}
    reaction = ada.say(room, kind="m.reaction", **{"m.relates_to": relation})
    await ear.hears(InboundMessage)
    edit = await ear.hears(Edit)
    added = await ear.hears(Reacted)
    ada.take_back(room, reaction)
    removed = await ear.hears(Reacted)
    ada.take_back(room, event_id)
    deletion = await ear.hears(Deletion)

    assert (edit.target, edit.text) == (event_id, "the")
    assert (added.target, added.emojis, added.before) == (event_id, ("👍",), ())
    assert (removed.target, removed.emojis, removed.before) == (event_id, (), ("👍",))
    assert (deletion.target, deletion.thread_id) == (event_id, room)


async def test_nobody_edits_the_words_of_another(synapse, ear, ada, desk):
    bo = Person(synapse, "bo")
    room = await in_room(ear, ada, desk, bo.id)
    bo.ask("POST", f"/join/{quote(room)}", {})
    event_id = ada.say(room, "I want 1")
    new = {"m.new_content": {"msgtype": "m.text", "body": "I want 9"}}
    bo.say(room, "* I want 9", **new, **{"m.relates_to": {"rel_type": "m.replace", "event_id": event_id}})
    bo.say(room, "done")
    bo.close()

    said = await ear.hears(InboundMessage, Edit, count=2)

    assert [type(event) for event in said] == [InboundMessage, InboundMessage]


async def test_typing_and_read_marks_come_in(ear, adapter, ada, desk):
    room = await in_room(ear, ada, desk)
    receipt = await adapter.send(OutboundPart(10, room, "Hello Ada"))
    ada.ask("PUT", f"/rooms/{quote(room)}/typing/{quote(ada.id)}", {"typing": True, "timeout": 5000})
    writing = await ear.hears(Writing)
    ada.ask("POST", f"/rooms/{quote(room)}/receipt/m.read/{quote(receipt.external_id)}", {})
    read = await ear.hears(Receipt)
    seen = [event for event in ear.adapter.parse(ear.stored[ear.read - 1]) if isinstance(event, ReadUpTo)]

    assert (writing.thread_id, writing.sender.address) == (room, ada.id)
    assert (read.target, read.status) == (receipt.external_id, "read")
    assert [mark.thread_id for mark in seen] == [room]


async def test_our_own_messages_are_no_customer_s(ear, adapter, ada, desk):
    room = await in_room(ear, ada, desk)
    await adapter.send(OutboundPart(11, room, "Hello Ada"))
    ada.say(room, "Hello desk")

    assert (await ear.hears(InboundMessage)).text == "Hello desk"


async def test_a_part_that_is_sent_twice_is_there_once(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    part = OutboundPart(12, room, "once & <only>")

    first, second = await adapter.send(part), await adapter.send(part)

    said = [event["content"]["body"] for event in ada.history(room) if event["type"] == "m.room.message"]
    assert first == second
    assert said == ["once & <only>"]


async def test_an_answer_names_what_it_answers_and_stays_in_its_thread(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    root = ada.say(room, "A question")
    in_thread = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
    ada.say(room, "and more of it", **{"m.relates_to": in_thread})
    _, message = await ear.hears(InboundMessage, count=2)
    part = OutboundPart(13, room, "Yes", reply_to=message.external_id, answers=message.details)

    sent = ada.event(room, (await adapter.send(part)).external_id)

    assert message.reply_to == root
    relation = sent["content"]["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    assert relation["m.in_reply_to"] == {"event_id": message.external_id}


async def test_files_go_both_ways(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    mxc = ada.upload(PNG, "image/png")
    picture = {"msgtype": "m.image", "url": mxc, "filename": "cat.png", "info": {"mimetype": "image/png", "size": 24}}
    ada.say(room, "look", **picture)
    receipt = await adapter.send(OutboundPart(14, room, "Your bill", OutboundFile("bill.txt", "text/plain", b"42 kr")))

    message = await ear.hears(InboundMessage)
    sent = ada.event(room, receipt.external_id)["content"]

    (attachment,) = message.attachments
    assert (message.text, attachment.kind, attachment.name, attachment.mime) == (
        "look",
        "image",
        "cat.png",
        "image/png",
    )
    assert await adapter.fetch(attachment.external_id, 100) == PNG
    assert (sent["msgtype"], sent["body"], sent["filename"]) == ("m.file", "Your bill", "bill.txt")
    assert ada.download(sent["url"]) == b"42 kr"


async def test_a_file_that_is_too_large_or_not_there_is_refused(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    mxc = ada.upload(PNG, "image/png")

    with pytest.raises(Refused, match="larger than this inbox takes"):
        await adapter.fetch(mxc, 10)
    with pytest.raises(Refused, match="knows no such"):
        await adapter.fetch("mxc://crm.test/nothinghere", 100)
    big = OutboundFile("big.bin", "application/octet-stream", bytes(2 * 1024 * 1024))
    with pytest.raises(Refused, match="larger than the homeserver takes"):
        await adapter.send(OutboundPart(15, room, "", big))


async def test_we_edit_react_read_type_and_delete(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    asked = ada.say(room, "Are you there?")
    ours = (await adapter.send(OutboundPart(16, room, "Yse"))).external_id

    await adapter.act(OutboundAct(17, "edit", room, ours, "Yes"))
    await adapter.act(OutboundAct(18, "react", room, asked, "👀"))
    await adapter.act(OutboundAct(19, "read", room, asked))
    await adapter.typing(room)

    related = ada.event(room, ours)["unsigned"]["m.relations"]["m.replace"]
    assert related["content"]["m.new_content"]["body"] == "Yes"
    reactions = [event for event in ada.history(room) if event["type"] == "m.reaction"]
    assert [event["content"]["m.relates_to"]["key"] for event in reactions] == ["👀"]
    passing = {news["type"]: news["content"] for news in ada.passing(room)}
    assert passing["m.typing"] == {"user_ids": [desk.id]}
    assert desk.id in passing["m.receipt"][asked]["m.read"]

    await adapter.act(OutboundAct(20, "react", room, asked, ""))
    await adapter.act(OutboundAct(21, "delete", room, ours))

    reactions = [event for event in ada.history(room) if event["type"] == "m.reaction"]
    assert [event["content"] for event in reactions] == [{}]
    assert ada.event(room, ours)["content"] == {}


async def test_an_upgraded_room_goes_on_under_its_new_id(adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    ada.say(room, "before")
    await ear.hears(InboundMessage)
    new = ada.ask("POST", f"/rooms/{quote(room)}/upgrade", {"new_version": "11"})["replacement_room"]
    moved = await ear.hears(ThreadMoved)
    ada.ask("POST", f"/rooms/{quote(new)}/invite", {"user_id": desk.id})  # as programs do
    await until(lambda: desk.id in ada.joined(new))
    ada.say(new, "after")

    message = await ear.hears(InboundMessage)

    assert (moved.thread_id, moved.new_thread_id) == (room, new)
    assert (message.thread_id, message.text) == (new, "after")


async def test_who_leaves_or_puts_us_out_is_out_of_reach_until_they_invite_us_again(adapter, ear, ada, desk):
    room = ada.invite(desk.id, preset="private_chat")
    ada.say(room, "Hello")
    await ear.hears(InboundMessage)
    ada.ask("POST", f"/rooms/{quote(room)}/kick", {"user_id": desk.id})
    put_out = await ear.hears(Blocked)
    with pytest.raises(Refused, match="not in this room any more"):
        await adapter.send(OutboundPart(22, room, "Why?"))
    again = await in_room(ear, ada, desk)
    back = await ear.hears(Blocked)
    ada.ask("POST", f"/rooms/{quote(again)}/leave", {})
    left = await ear.hears(Blocked)
    while not left.is_blocked:  # they also joined
        left = await ear.hears(Blocked)

    assert (put_out.is_blocked, put_out.sender.address, put_out.thread_id) == (True, ada.id, room)
    assert (back.is_blocked, back.sender.address) == (False, ada.id)
    assert (left.sender.address, left.thread_id) == (ada.id, again)


async def test_an_encrypted_message_is_said_to_be_unreadable(ear, ada, desk):
    room = await in_room(ear, ada, desk)
    ada.state(room, "m.room.encryption", algorithm="m.megolm.v1.aes-sha2")
    ada.say(room, kind="m.room.encrypted", algorithm="m.megolm.v1.aes-sha2", ciphertext="AwgA", session_id="x")

    message = await ear.hears(InboundMessage)

    assert "encrypted" in message.text
    assert message.flags == ("unsupported:encrypted",)


async def test_a_homeserver_that_is_asked_too_much_says_when_to_come_again(synapse, adapter, ear, ada, desk):
    room = await in_room(ear, ada, desk)
    admin = Admin(synapse, "root")
    admin.limit(desk.id, per_second=1, burst=1)
    admin.close()

    parts = [adapter.send(OutboundPart(30 + number, room, "hello")) for number in range(5)]
    with pytest.raises(Retryable, match="slow down") as failure:
        await asyncio.gather(*parts)

    assert 0 < failure.value.retry_after < 60


@pytest.mark.django_db(transaction=True)
def test_ada_writes_an_agent_answers_and_ada_reads_it(synapse, ada, desk):
    workspace = make_workspace()
    given = {"api_url": synapse, "access_token": desk.token}
    inbox = connections.connect(workspace, "matrix", name="Matrix", given=given)
    assert connections.check(inbox).problems == ()
    with edge(inbox) as running:
        room = ada.invite(desk.id)
        ada.say(room, "Where is my order?", msgtype="m.image", url=ada.upload(PNG, "image/png"), filename="order.png")
        file = running.until(lambda: File.objects.filter(state=File.State.READY).first())
        with scope(workspace=workspace):
            assert Message.objects.get().text == "Where is my order?"
            assert files.read(file) == PNG
            bill = files.store_upload(workspace, SimpleUploadedFile("bill.txt", b"42 kr"))
            conversation, member = Conversation.objects.get(), make_member(workspace)
            queue_reply(conversation, member, "On its way", client_id="c1", files=[bill])
        running.until(lambda: all(delivery.state == "sent" for delivery in Delivery.objects.all()))
        said = [event for event in ada.history(room) if event["sender"] == desk.id and "msgtype" in event["content"]]
        ada.ask("POST", f"/rooms/{quote(room)}/receipt/m.read/{quote(said[0]['event_id'])}", {})
        running.until(lambda: all(delivery.read_at for delivery in Delivery.objects.all()))

    with scopes_disabled():
        sent = {delivery.external_id for delivery in Delivery.objects.all()}
    assert sent == {event["event_id"] for event in said}
    assert {event["content"]["body"] for event in said} <= {"On its way", "bill.txt"}
    assert [ada.download(event["content"]["url"]) for event in said if "url" in event["content"]] == [b"42 kr"]
