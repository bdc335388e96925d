"""What comes in from Mastodon: each once and in order, by stream and by poll, across gaps; changes found."""

import asyncio
import json

import pytest

from channels_adapters.adapters.mastodon import MastodonAdapter
from channels_adapters.contract import Retryable
from conversations.normalized import Deletion, Edit, InboundMessage, Reacted
from tests.channels_adapters import hearing
from tests.channels_adapters.fake_mastodon import TOKEN, FakeMastodon
from tests.channels_adapters.web_fake import Answer

NOTIFICATIONS = "/api/v1/notifications"


@pytest.fixture
async def server():
    async with FakeMastodon() as running:
        yield running


@pytest.fixture
async def alice(server):
    return server.person("alice@far.example", name="Alice")


class Hearing(hearing.Hearing):
    def __init__(self, server, **pace):
        super().__init__(MastodonAdapter({"access_token": TOKEN, "api_url": server.url}), **pace)

    async def ready(self, server):
        await server.until(lambda: server.streams)
        await self.until(lambda: self.cursor)


async def test_what_was_said_before_the_inbox_existed_stays_there(server, alice):
    await server.post(alice, "@shop old")
    hearing = Hearing(server)

    async with hearing.on():
        await hearing.ready(server)
        await server.post(alice, "@shop new")
        await hearing.until(lambda: hearing.stored)

    assert hearing.texts() == ["new"]


async def test_the_first_notification_of_a_new_account_comes(server, alice):
    hearing = Hearing(server)

    async with hearing.on():
        await hearing.ready(server)
        await server.post(alice, "@shop first")
        await hearing.until(lambda: hearing.stored)

    assert hearing.texts() == ["first"]


async def test_what_came_while_nobody_listened_is_read_in_order_and_once(server, alice):
    hearing = Hearing(server)
    async with hearing.on():
        await hearing.until(lambda: hearing.cursor)
    for number in range(90):
        await server.post(alice, f"@shop {number}")

    async with hearing.on():
        await hearing.until(lambda: len(hearing.stored) >= 90)
    asked = len(server.called("GET", NOTIFICATIONS))
    async with hearing.on():
        await server.until(lambda: len(server.called("GET", NOTIFICATIONS)) > asked)

    assert hearing.texts() == [str(number) for number in range(90)]
    assert len({delivery_id for delivery_id, _ in hearing.stored}) == 90


async def test_without_a_stream_the_poll_comes_around(server, alice):
    server.script("GET", "/api/v1/streaming/user/notification", *[Answer(404, {"error": "Not found"})] * 20)
    hearing = Hearing(server, poll_seconds=0.05)

    async with hearing.on():
        await hearing.until(lambda: hearing.cursor)
        await server.post(alice, "@shop hello")
        await hearing.until(lambda: hearing.stored)

    assert hearing.texts() == ["hello"]


async def test_an_empty_poll_is_stored_too_for_the_lease(server):
    hearing = Hearing(server, poll_seconds=0.02)

    async with hearing.on():
        await hearing.until(lambda: hearing.stores > 3)

    assert hearing.stored == []


async def test_a_message_deep_in_a_thread_knows_its_root(server, alice):
    bob = server.person("bob@far.example")
    root = await server.post(alice, "Who sells lamps?")
    middle = await server.post(bob, "Ask them", to=root["id"])
    hearing = Hearing(server)

    async with hearing.on():
        await hearing.ready(server)
        await server.post(alice, "@shop do you?", to=middle["id"])
        await hearing.until(lambda: hearing.stored)

    (event,) = hearing.events()
    assert event.thread_id == f"post:{root['id']}"
    assert event.refers_to == (middle["id"], root["id"])


async def test_a_star_on_the_rest_of_our_chain_is_one_on_its_first_post(server, alice):
    asked = await server.post(alice, "@shop hello")
    first = await server.post(server.us, "one", to=asked["id"])
    second = await server.post(server.us, "two", to=first["id"])
    hearing = Hearing(server)

    async with hearing.on():
        await hearing.ready(server)
        await server.notify("favourite", alice, second)
        await hearing.until(lambda: hearing.stored)

    (event,) = hearing.events()
    assert isinstance(event, Reacted)
    assert (event.target, event.thread_id) == (first["id"], f"post:{asked['id']}")


async def test_edits_and_deletions_are_found_by_looking_again(server, alice):
    hearing = Hearing(server, poll_seconds=0.05, watch_seconds=0.1)

    async with hearing.on():
        await hearing.ready(server)
        changed = await server.post(alice, "@shop open sundy?")
        deleted = await server.post(alice, "@shop forget it", visibility="direct")
        kept = await server.post(alice, "@shop thanks")
        await hearing.until(lambda: len(hearing.stored) >= 3)
        server.change(changed["id"], "@shop open sunday?")
        del server.statuses[deleted["id"]]
        await hearing.until(lambda: len(hearing.stored) >= 5)
        looked = len(server.called("GET", "/api/v1/statuses"))
        await server.until(lambda: len(server.called("GET", "/api/v1/statuses")) > looked + 1)

    edit, deletion = sorted(hearing.events()[3:], key=lambda event: type(event).__name__, reverse=True)
    assert isinstance(edit, Edit)
    assert (edit.target, edit.text, edit.thread_id) == (changed["id"], "open sunday?", f"post:{changed['id']}")
    assert isinstance(deletion, Deletion)
    assert (deletion.target, deletion.thread_id) == (deleted["id"], "direct:alice@far.example")
    assert len(hearing.stored) == 5
    assert {post[0] for post in json.loads(hearing.cursor)["watched"]} == {changed["id"], kept["id"]}


async def test_an_answer_without_a_post_is_no_deletion_while_the_server_has_it(server, alice):
    hearing = Hearing(server, poll_seconds=0.05, watch_seconds=0.1)
    server.script("GET", "/api/v1/statuses", *[Answer(200, [])] * 3, *[Answer(500, "no")] * 2)

    async with hearing.on():
        await hearing.ready(server)
        await server.post(alice, "@shop hello")
        await server.until(lambda: len(server.called("GET", "/api/v1/statuses")) > 6)

    assert [type(event) for event in hearing.events()] == [InboundMessage]


async def test_a_poison_item_does_not_keep_the_next_from_coming(server, alice):
    hearing = Hearing(server)

    async with hearing.on():
        await hearing.ready(server)
        await server.notify("mention", alice, {"id": None, "account": "x", "mentions": 7})
        await server.post(alice, "@shop hello")
        await hearing.until(lambda: len(hearing.stored) >= 2)

    assert len(hearing.stored) == 2
    assert [event.text for event in hearing.adapter.parse(hearing.stored[1][1])] == ["hello"]


async def test_a_token_that_is_taken_back_ends_listening_with_the_reason(server, alice):
    hearing = Hearing(server, poll_seconds=0.02)
    async with hearing.on() as task:
        await hearing.until(lambda: hearing.cursor)
        server.script("GET", NOTIFICATIONS, Answer(401, {"error": "The access token was revoked"}))

        with pytest.raises(Retryable, match="access token"):
            await asyncio.wait_for(task, 20)


@pytest.mark.parametrize("body", ["<html>", {"error": "lies"}, 7])
async def test_a_good_status_that_is_no_list_ends_listening(server, body):
    hearing = Hearing(server)
    server.script("GET", NOTIFICATIONS, Answer(200, body))

    async with hearing.on() as task:
        with pytest.raises(Retryable, match="no sense"):
            await asyncio.wait_for(task, 20)


async def test_a_server_that_repeats_itself_is_not_asked_for_ever(server, alice):
    await server.post(alice, "@shop hello")
    hearing = Hearing(server)
    hearing.cursor = json.dumps({"last": server.notifications[0]["id"], "watched": []})
    server.script("GET", NOTIFICATIONS, Answer(200, server.notifications))

    async with hearing.on() as task:
        with pytest.raises(Retryable, match="repeats"):
            await asyncio.wait_for(task, 20)


async def test_a_changed_connection_ends_listening(server):
    hearing = Hearing(server)
    async with hearing.on() as task:
        await hearing.until(lambda: hearing.cursor)

        await hearing.adapter.close()

        with pytest.raises(Retryable, match="changed"):
            await asyncio.wait_for(task, 20)


async def test_a_strange_cursor_begins_anew(server, alice):
    await server.post(alice, "@shop old")
    hearing = Hearing(server)
    hearing.cursor = "[7"

    async with hearing.on():
        await hearing.until(lambda: hearing.cursor != "[7")

    assert json.loads(hearing.cursor)["last"] == server.notifications[-1]["id"]
