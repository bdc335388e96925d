"""Listening: each event is stored with the place it came from, and nothing is lost while we are away."""

import asyncio
import contextlib
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from channels_adapters.adapters.discord import DiscordAdapter
from channels_adapters.contract import Retryable
from conversations.normalized import ConnectionLost, Deletion, Edit, InboundMessage, Reacted, Writing
from tests.channels_adapters.fake_discord import ADA, BO, DIRECT, GENERAL, ME, SERVER, TOKEN, FakeDiscord
from tests.channels_adapters.scripted import Answer


@pytest.fixture
async def discord():
    async with FakeDiscord() as running:
        yield running


@pytest.fixture
async def adapter(discord):
    made = DiscordAdapter({"bot_token": TOKEN, "api_url": discord.url})
    yield made
    await made.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("keep-alive")] == []


class Ear:
    """Listens as the worker would, and keeps what is stored."""

    def __init__(self, adapter, cursor=""):
        self.adapter, self.cursor, self.stored, self.read, self.names = adapter, cursor, [], 0, []
        self.changed = asyncio.Condition()

    async def __aenter__(self):
        self.task = asyncio.create_task(self.adapter.listen(self.cursor, self.store))
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Retryable):
            await self.task

    async def store(self, batch, cursor):
        async with self.changed:
            self.stored += [body for name, body in batch if name not in self.names]
            self.names += [name for name, body in batch]
            self.cursor = cursor
            self.changed.notify_all()

    async def hears(self, *kinds, count=1):
        found = []
        async with asyncio.timeout(10), self.changed:
            while len(found) < count:
                await self.changed.wait_for(lambda: self.read < len(self.stored))
                self.read += 1
                events = self.adapter.parse(self.stored[self.read - 1])
                found += [event for event in events if isinstance(event, kinds)]
        return found[0] if count == 1 else found

    async def knows(self, happened):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: self.cursor and happened(json.loads(self.cursor)))


@pytest.fixture
async def ear(adapter, discord):
    async with Ear(adapter) as listening:
        await listening.knows(lambda place: place.get("session"))
        yield listening


async def test_it_asks_to_hear_messages_with_their_words(discord, ear):
    intents = discord.identified[0]["intents"]

    wanted = {
        "guilds": 0,
        "messages": 9,
        "reactions": 10,
        "typing": 11,
        "direct": 12,
        "their reactions": 13,
        "words": 15,
    }
    assert all(intents & (1 << bit) for bit in wanted.values())
    assert not intents & ((1 << 1) | (1 << 8))  # nobody's membership, nobody's presence


async def test_a_direct_message_and_one_in_a_channel_are_heard(discord, ear):
    first = await discord.says(DIRECT, "Where is my order?")
    await discord.says(GENERAL, "Anybody?", by=BO)

    direct, general = await ear.hears(InboundMessage, count=2)

    assert (direct.external_id, direct.thread_id, direct.text) == (first["id"], DIRECT, "Where is my order?")
    assert (direct.sender.address, direct.sender.name, direct.sender.username) == (ADA, "Ada Lind", "ada")
    assert abs((datetime.now(UTC) - direct.at).total_seconds()) < 60
    assert (direct.is_group, general.is_group) == (False, True)
    assert ear.names[0] == f"message:{first['id']}"


async def test_changes_are_heard(discord, ear):
    made = await discord.says(DIRECT, "teh")
    await discord.tell("MESSAGE_UPDATE", made | {"content": "the", "edited_timestamp": "2026-08-20T10:00:00.5+00:00"})
    await discord.reacts(DIRECT, made["id"], "👍")
    await discord.reacts(DIRECT, made["id"], "👍", is_added=False)
    await discord.tell("TYPING_START", {"channel_id": DIRECT, "user_id": ADA, "timestamp": 1})
    await discord.tell("MESSAGE_DELETE", {"id": made["id"], "channel_id": DIRECT})
    await discord.tell("MESSAGE_DELETE_BULK", {"ids": ["7", "8"], "channel_id": GENERAL, "guild_id": SERVER})

    edit, added, removed, writing, gone, seven, eight = await ear.hears(Edit, Reacted, Writing, Deletion, count=7)

    assert (edit.target, edit.text) == (made["id"], "the")
    assert (added.emojis, removed.before, removed.emojis) == (("👍",), ("👍",), ())
    assert writing.sender.address == ADA
    assert [gone.target, seven.target, eight.target] == [made["id"], "7", "8"]


async def test_a_pressed_button_is_answered_when_it_is_stored(discord, ear):
    button = {"type": 2, "label": "Yes, please", "custom_id": "yes"}
    message = {"id": "77", "components": [{"type": 1, "components": [button]}]}
    pressed = {"id": "88", "type": 3, "token": "t0", "application_id": "1001", "channel_id": DIRECT, "locale": "sv-SE"}
    pressed |= {"user": {"id": ADA, "username": "ada"}, "message": message, "data": {"custom_id": "yes"}}
    await discord.tell("INTERACTION_CREATE", pressed)

    heard = await ear.hears(InboundMessage)
    await discord.until(lambda: discord.answered)

    assert (heard.payload, heard.text, heard.reply_to) == ("yes", "Yes, please", "77")
    assert (heard.external_id, heard.sender.language) == ("callback:88", "sv-SE")
    assert discord.answered == [{"type": 6}]


async def test_a_line_that_is_cut_is_resumed_where_it_was(discord, ear):
    await discord.says(DIRECT, "one")
    await ear.hears(InboundMessage)
    cursor = ear.cursor
    await ear.__aexit__()
    await discord.says(DIRECT, "two")
    made = await discord.says(DIRECT, "three")
    await discord.tell("MESSAGE_DELETE", {"id": made["id"], "channel_id": DIRECT})

    async with Ear(ear.adapter, cursor) as again:
        two, three, deletion = await again.hears(InboundMessage, Deletion, count=3)

    assert (two.text, three.text, deletion.target) == ("two", "three", made["id"])
    assert len(discord.identified) == 1
    assert discord.called("GET /channels") == []


async def test_a_session_that_is_forgotten_leaves_no_gap(discord, ear):
    await discord.says(DIRECT, "one")
    await discord.says(GENERAL, "one")
    await ear.hears(InboundMessage, count=2)
    cursor = ear.cursor
    await ear.__aexit__()
    discord.forget_session()
    discord.message(DIRECT, "two")
    away = [discord.message(GENERAL, f"away {number}")["id"] for number in range(130)]

    with contextlib.suppress(Retryable):  # the old session is refused; the worker listens again
        async with Ear(ear.adapter, cursor) as refused:
            await refused.task
    async with Ear(ear.adapter, refused.cursor) as again:
        heard = await again.hears(InboundMessage, count=131)
        await again.knows(lambda place: place.get("session"))
        live = await discord.says(DIRECT, "and now")
        await again.hears(InboundMessage)
        await again.knows(lambda place: place["after"] == live["id"])

    assert heard[0].text == "two"
    assert [message.external_id for message in heard[1:]] == away
    assert [heard[0].is_group, heard[1].is_group] == [False, True]


async def test_nothing_that_was_said_before_the_first_time_is_heard(discord, adapter):
    discord.message(GENERAL, "old", at=datetime.now(UTC) - timedelta(days=1))

    async with Ear(adapter) as ear:
        await ear.knows(lambda place: place.get("session"))
        await discord.says(DIRECT, "new")
        heard = await ear.hears(InboundMessage)

    assert heard.text == "new"
    assert discord.called("GET /channels") == []


async def test_a_channel_that_is_closed_to_us_does_not_keep_the_others_back(discord, adapter):
    place = {"after": "1", "direct": ["9999", DIRECT]}
    discord.message(DIRECT, "while you were away")

    async with Ear(adapter, json.dumps(place)) as ear:
        heard = await ear.hears(InboundMessage)

    assert heard.text == "while you were away"


async def test_discord_sends_us_elsewhere_and_we_go_on(discord, adapter, monkeypatch):
    from channels_adapters.adapters.discord import listening

    monkeypatch.setattr(listening, "_SHORT", 0)
    async with Ear(adapter) as ear:
        await ear.knows(lambda place: place.get("session"))
        await discord.says_to_lines(7)
        await discord.until(lambda: discord.resumed)
        await discord.says(DIRECT, "still there?")
        heard = await ear.hears(InboundMessage)

    assert heard.text == "still there?"
    assert len(discord.identified) == 1


async def test_our_own_messages_and_other_bots_are_no_customers(discord, adapter, ear):
    await discord.says(DIRECT, "from us", by=ME)
    await discord.says(GENERAL, "from a webhook", webhook_id="5")
    await discord.says(DIRECT, "from Ada")

    assert (await ear.hears(InboundMessage)).text == "from Ada"


async def test_an_event_without_sense_does_not_end_the_line(discord, ear):
    await discord.tell("MESSAGE_CREATE", {"id": None, "channel_id": 7, "author": [], "content": {}})
    await discord.tell("MESSAGE_REACTION_ADD", {})
    await discord.says(DIRECT, "and on")

    with pytest.raises(Exception, match="there is no"):
        ear.adapter.parse(await first_stored(ear))
    ear.read = len(ear.stored) - 1
    assert (await ear.hears(InboundMessage)).text == "and on"


async def first_stored(ear):
    async with asyncio.timeout(10), ear.changed:
        await ear.changed.wait_for(lambda: len(ear.stored) >= 3)
    return ear.stored[0]


async def test_what_could_not_be_stored_comes_again(discord, adapter, ear):
    cursor = ear.cursor
    await ear.__aexit__()

    async def fails(batch, at):
        if batch:
            raise RuntimeError("the database is away")

    listening = asyncio.create_task(adapter.listen(cursor, fails))
    await discord.says(DIRECT, "hello?")
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(listening, 10)

    async with Ear(adapter, cursor) as again:
        assert (await again.hears(InboundMessage)).text == "hello?"


@pytest.mark.parametrize(
    "code, reason, wait",
    [
        (4014, "Message Content Intent", 300),
        (4011, "several processes", 300),
        (4013, "what the bot asks", 300),
        (4004, "token", 300),
    ],
)
async def test_a_line_that_is_ended_for_good_says_why(discord, adapter, ear, code, reason, wait):
    await discord.hang_up(code)

    with pytest.raises(Retryable, match=reason) as failure:
        await asyncio.wait_for(asyncio.shield(ear.task), 10)

    assert failure.value.retry_after == wait


async def test_a_token_that_is_taken_back_is_told(discord, adapter, ear):
    await discord.hang_up(4004)

    lost = await ear.hears(ConnectionLost)

    assert "token" in lost.reason


async def test_a_bot_that_connected_too_often_waits(discord, adapter):
    limit = {"total": 1000, "remaining": 0, "reset_after": 60_000, "max_concurrency": 1}
    discord.script("GET /gateway", Answer(200, {"url": discord.gateway_url, "session_start_limit": limit}))

    with pytest.raises(Retryable, match="too often") as failure:
        await adapter.listen("", Ear(adapter).store)

    assert failure.value.retry_after == 60


@pytest.mark.parametrize("url", ["wss://evil.example", "", "wss://gateway.discord.gg.evil.example", "http://"])
async def test_the_token_goes_to_no_other_gateway(discord, adapter, url):
    discord.script("GET /gateway", Answer(200, {"url": url, "session_start_limit": {"remaining": 5}}))

    with pytest.raises(Retryable, match="not its own"):
        await adapter.listen("", Ear(adapter).store)


async def test_an_address_to_resume_at_that_is_gone_is_given_up(discord, adapter):
    place = {"session": "s", "url": "ws://127.0.0.1:9", "seq": 5, "after": "1"}
    kept = Ear(adapter)

    with pytest.raises(Retryable, match="could not be made"):
        await adapter.listen(json.dumps(place), kept.store)

    assert json.loads(kept.cursor) == {"after": "1", "direct": []}


async def test_closing_ends_a_line_that_listens(discord, adapter, ear):
    await adapter.close()

    with pytest.raises(Retryable, match="settings have changed"):
        await asyncio.wait_for(asyncio.shield(ear.task), 10)
