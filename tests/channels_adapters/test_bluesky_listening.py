"""What comes in from Bluesky: notifications and the chat's log, each once, in order, across gaps; deletions."""

import asyncio
import json

import pytest

from channels_adapters.adapters.bluesky import BlueskyAdapter
from channels_adapters.contract import Retryable
from conversations.normalized import Deletion, InboundMessage, Reacted
from tests.channels_adapters import hearing
from tests.channels_adapters.fake_bluesky import PASSWORD, FakeBluesky
from tests.channels_adapters.web_fake import Answer

NOTIFICATIONS, LOG = "/xrpc/app.bsky.notification.listNotifications", "/xrpc/chat.bsky.convo.getLog"


@pytest.fixture
async def sky():
    async with FakeBluesky() as running:
        yield running


@pytest.fixture
def alice(sky):
    return sky.person("alice.test", name="Alice")


class Hearing(hearing.Hearing):
    def __init__(self, sky, **pace):
        settings = {"identifier": "shop.test", "app_password": PASSWORD, "api_url": sky.url}
        super().__init__(BlueskyAdapter(settings), **{"poll_seconds": 0.05} | pace)

    async def ready(self):
        await self.until(lambda: self.stores > 1)


async def test_only_what_comes_after_the_start_is_taken(sky, alice):
    sky.post(alice, "@shop.test old")
    sky.say(alice, "old too")
    hearing = Hearing(sky)

    async with hearing.on():
        await hearing.ready()
        sky.post(alice, "@shop.test new")
        sky.say(alice, "new too")
        await hearing.until(lambda: len(hearing.stored) >= 2)

    assert sorted(hearing.texts()) == ["new", "new too"]


async def test_what_came_while_nobody_listened_is_read_in_order_and_once(sky, alice):
    sky.post(alice, "@shop.test old")
    sky.say(alice, "old")
    hearing = Hearing(sky)
    async with hearing.on():
        await hearing.ready()
    for number in range(230):
        sky.post(alice, f"@shop.test {number}")
        sky.say(alice, f"in private {number}")

    async with hearing.on():
        await hearing.until(lambda: len(hearing.stored) >= 460)
    stores = hearing.stores
    async with hearing.on():
        await hearing.until(lambda: hearing.stores > stores + 1)

    posts = [text for text in hearing.texts() if text.isdecimal()]
    assert posts == [str(number) for number in range(230)]
    assert [text for text in hearing.texts() if not text.isdecimal()] == [f"in private {n}" for n in range(230)]
    assert len({delivery_id for delivery_id, _ in hearing.stored}) == len(hearing.stored) == 460


async def test_people_see_that_notifications_were_seen(sky, alice):
    hearing = Hearing(sky)
    async with hearing.on():
        await hearing.ready()
        sky.post(alice, "@shop.test hello")
        await sky.until(lambda: sky.called("POST", "/xrpc/app.bsky.notification.updateSeen"))

    assert hearing.texts() == ["hello"]


async def test_a_direct_message_knows_who_wrote_it_and_a_group_its_people(sky, alice):
    bob = sky.person("bob.test")
    hearing = Hearing(sky)

    async with hearing.on():
        await hearing.ready()
        sky.say(alice, "alone")
        sky.say(alice, "together", members=(alice, bob))
        await hearing.until(lambda: len(hearing.texts()) >= 2)

    alone, together = [event for event in hearing.events() if isinstance(event, InboundMessage)]
    assert (alone.thread_id, alone.sender.name, alone.is_group) == (f"dm:{alice['did']}", "Alice", False)
    assert (together.thread_id.partition(":")[0], together.is_group) == ("convo", True)


async def test_our_own_words_in_the_log_are_no_messages(sky, alice):
    hearing = Hearing(sky)
    async with hearing.on():
        await hearing.ready()
        sky._message(sky.convo_of([sky.us, alice]), sky.us, {"text": "from the phone"})
        sky.say(alice, "thanks")
        await hearing.until(lambda: hearing.texts())

    assert hearing.texts() == ["thanks"]


async def test_a_heart_on_the_rest_of_our_chain_is_one_on_its_first_post(sky, alice):
    asked = sky.post(alice, "@shop.test hello")
    first = sky.post(sky.us, "one", to=asked["uri"])
    second = sky.post(sky.us, "two", to=first["uri"])
    hearing = Hearing(sky)

    async with hearing.on():
        await hearing.ready()
        sky.like(alice, second["uri"])
        await hearing.until(lambda: hearing.stored)

    (event,) = hearing.events()
    assert isinstance(event, Reacted)
    assert event.target == first["uri"]


async def test_a_deletion_is_found_by_looking_again(sky, alice):
    hearing = Hearing(sky, watch_seconds=0.1)

    async with hearing.on():
        await hearing.ready()
        deleted, kept = sky.post(alice, "@shop.test oops"), sky.post(alice, "@shop.test hello")
        await hearing.until(lambda: len(hearing.stored) >= 2)
        del sky.records[deleted["uri"]]
        await hearing.until(lambda: len(hearing.stored) >= 3)
        stores = hearing.stores
        await hearing.until(lambda: hearing.stores > stores + 4)

    assert len(hearing.stored) == 3
    event = hearing.events()[-1]
    assert isinstance(event, Deletion)
    assert (event.target, event.thread_id) == (deleted["uri"], deleted["uri"])
    assert [post[0] for post in json.loads(hearing.cursor)["watched"]] == [kept["uri"]]


async def test_an_answer_without_a_post_is_no_deletion_while_the_network_has_it(sky, alice):
    hearing = Hearing(sky, watch_seconds=0.1)
    sky.script("GET", "/xrpc/app.bsky.feed.getPosts", *[Answer(200, {"posts": []})] * 3)

    async with hearing.on():
        await hearing.ready()
        sky.post(alice, "@shop.test hello")
        await sky.until(lambda: len(sky.called("GET", "/xrpc/app.bsky.feed.getPosts")) > 4)

    assert hearing.texts() == ["hello"]
    assert len(hearing.stored) == 1


async def test_without_the_chat_posts_come_all_the_same(sky, alice):
    refusal = Answer(400, {"error": "InvalidToken", "message": "Bad token scope"})
    sky.script("GET", "/xrpc/chat.bsky.convo.listConvos", refusal, refusal)
    sky.script("GET", LOG, *[refusal] * 50)
    hearing = Hearing(sky)

    async with hearing.on():
        await hearing.ready()
        sky.post(alice, "@shop.test hello")
        await hearing.until(lambda: hearing.stored)

    assert hearing.texts() == ["hello"]


async def test_a_poison_item_does_not_keep_the_next_from_coming(sky, alice):
    hearing = Hearing(sky)

    async with hearing.on():
        await hearing.ready()
        sky.notify("mention", {"did": 7}, {"uri": "at://x/y/z", "cid": "c", "value": {"text": None}})
        sky.post(alice, "@shop.test hello")
        await hearing.until(lambda: len(hearing.stored) >= 2)

    assert [event.text for event in hearing.adapter.parse(hearing.stored[1][1])] == ["hello"]


async def test_an_app_password_that_is_taken_back_ends_listening_with_the_reason(sky):
    hearing = Hearing(sky)
    async with hearing.on() as task:
        await hearing.ready()
        sky.refreshes.clear()
        refusal = Answer(401, {"error": "AuthenticationRequired"})
        sky.script("POST", "/xrpc/com.atproto.server.createSession", *[refusal] * 5)
        sky.expire()

        with pytest.raises(Retryable, match="app password"):
            await asyncio.wait_for(task, 20)


@pytest.mark.parametrize("body", ["<html>", {"error": "lies"}, [7]])
async def test_a_good_status_that_is_no_list_ends_listening(sky, body):
    hearing = Hearing(sky)
    sky.script("GET", NOTIFICATIONS, Answer(200, body))

    async with hearing.on() as task:
        with pytest.raises(Retryable, match="no sense"):
            await asyncio.wait_for(task, 20)


async def test_a_changed_connection_ends_listening(sky):
    hearing = Hearing(sky, poll_seconds=30)
    async with hearing.on() as task:
        await hearing.ready()

        await hearing.adapter.close()

        with pytest.raises(Retryable, match="changed"):
            await asyncio.wait_for(task, 20)


async def test_a_strange_cursor_begins_anew(sky, alice):
    sky.post(alice, "@shop.test old")
    hearing = Hearing(sky)
    hearing.cursor = "[7"

    async with hearing.on():
        await hearing.ready()

    assert json.loads(hearing.cursor)["newest"] == sky.notifications[-1]["indexedAt"]
    assert hearing.stored == []
