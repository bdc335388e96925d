"""Updates by long polling: stored before they are confirmed, and none stops the others."""

import asyncio
import contextlib
import json

import pytest

from channels_adapters.adapters.telegram import TelegramAdapter
from channels_adapters.contract import ChannelError, Refused, Retryable
from tests.channels_adapters.fake_telegram import PATIENCE, FakeTelegram, dropping, error, failing, lying, throttled

TOKEN = "6600000001:AAOpenSetTokenMadeUpForTests0000000"


class Shelf:
    """Where updates are stored. `falls`: the process dies before it has stored the next batch."""

    def __init__(self, falls=False):
        self.cursor, self.stored, self.falls = "", {}, falls
        self.changed = asyncio.Condition()

    async def store(self, batch, cursor):
        if self.falls:
            raise asyncio.CancelledError
        async with self.changed:
            self.stored |= dict(batch)
            self.cursor = cursor
            self.changed.notify_all()

    async def holds(self, count):
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(lambda: len(self.stored) >= count)

    @property
    def texts(self):
        return [json.loads(raw)["message"]["text"] for raw in self.stored.values()]


@pytest.fixture
def telegram():
    with FakeTelegram() as running:
        yield running


def an_adapter(telegram, **settings):
    made = TelegramAdapter({"bot_token": TOKEN, "api_url": telegram.url, **settings})
    made.poll_seconds = 5
    return made


@contextlib.asynccontextmanager
async def listening(telegram, shelf):
    """A process that listens; leaving kills it."""
    adapter = an_adapter(telegram)
    task = asyncio.create_task(adapter.listen(shelf.cursor, shelf.store))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await adapter.close()


@pytest.mark.parametrize("mode, listens", [("", True), ("polling", True), ("webhook", False)])
def test_a_fresh_connection_polls(telegram, mode, listens):
    assert an_adapter(telegram, mode=mode).listens() is listens


async def test_updates_are_stored_as_they_came_under_their_numbers(telegram):
    update = telegram.written("Hej 📦")
    raw = json.dumps(update, indent=1).encode()
    telegram.push(raw)
    shelf = Shelf()

    async with listening(telegram, shelf):
        await shelf.holds(1)

    assert shelf.stored == {str(update["update_id"]): raw}
    assert shelf.cursor == str(update["update_id"] + 1)


async def test_updates_keep_coming(telegram):
    shelf = Shelf()

    async with listening(telegram, shelf):
        for number in range(3):
            telegram.push(telegram.written(f"text {number}"))
            await shelf.holds(number + 1)

    assert shelf.texts == ["text 0", "text 1", "text 2"]


async def test_a_poll_asks_for_the_kinds_we_read(telegram):
    async with listening(telegram, Shelf()):
        (poll,) = await asyncio.to_thread(telegram.wait_for, "getUpdates")

    assert {"message", "edited_message", "callback_query", "my_chat_member", "message_reaction"} <= set(
        json.loads(poll.params["allowed_updates"])
    )


async def test_a_process_killed_before_it_has_stored_gets_the_updates_again(telegram):
    telegram.push(telegram.written("one"), telegram.written("two"))
    shelf = Shelf(falls=True)
    async with listening(telegram, shelf) as dying:
        await asyncio.wait([dying], timeout=PATIENCE)
        assert dying.cancelled()

    shelf.falls = False
    async with listening(telegram, shelf):
        await shelf.holds(2)

    assert shelf.texts == ["one", "two"]


async def test_a_process_killed_between_storing_and_the_next_poll_loses_nothing(telegram):
    telegram.push(telegram.written("one"))
    shelf = Shelf()
    async with listening(telegram, shelf):
        await shelf.holds(1)  # killed here: Telegram may not know yet that it is stored

    telegram.push(telegram.written("two"))
    async with listening(telegram, shelf):
        await shelf.holds(2)

    assert shelf.texts == ["one", "two"]


async def test_nothing_is_confirmed_before_it_is_stored(telegram):
    update = telegram.written("one")
    telegram.push(update)
    is_storing, may_store = asyncio.Event(), asyncio.Event()

    async def store_slowly(batch, cursor):
        is_storing.set()
        await may_store.wait()

    adapter = an_adapter(telegram)
    task = asyncio.create_task(adapter.listen("", store_slowly))
    async with asyncio.timeout(PATIENCE):
        await is_storing.wait()
    asked_before = [int(poll.params["offset"]) for poll in telegram.called("getUpdates")]
    may_store.set()
    polls = await asyncio.to_thread(telegram.wait_for, "getUpdates", 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await adapter.close()

    assert asked_before == [0]
    assert int(polls[1].params["offset"]) == update["update_id"] + 1


BROKEN = {
    "without a date": b'{"update_id": 51000500, "message": {"message_id": 1, "chat": {"id": 1}}}',
    "far too deep": b'{"update_id":51000500,"message":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "a number of 5,000 digits": b'{"update_id":51000500,"message":{"date":' + b"9" * 5_000 + b"}}",
    "not a number": b'{"update_id":51000500,"message":{"date":NaN}}',
    "brackets in its text": b'{"update_id":51000500,"message":{"text":"]}{[\\"]}"}}',
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_one_broken_update_does_not_stop_the_rest(telegram, broken):
    before, after = telegram.written("before"), telegram.written("after")
    telegram.push(before, broken, {**after, "update_id": 51000501})
    shelf = Shelf()

    async with listening(telegram, shelf):
        await shelf.holds(3)

    assert shelf.stored["51000500"] == broken
    assert json.loads(shelf.stored["51000501"])["message"]["text"] == "after"
    assert shelf.cursor == "51000502"


async def test_an_update_without_a_number_is_left_out(telegram):
    telegram.push(b'{"message": {"text": "who am I?"}}', telegram.written("one"))
    telegram.script("getUpdates", lying(json.dumps({"ok": True, "result": [{"message": {}}, telegram.pending[1]]})))
    shelf = Shelf()

    async with listening(telegram, shelf):
        await shelf.holds(1)

    assert shelf.texts == ["one"]


@pytest.mark.parametrize("answer", [
    lying('{"ok": true, "result": [{"message": {}}]}'),
    lying('{"ok": true, "result": [{"update_id": 3}]}'),
    lying('{"ok": true, "result": {}}'),
    lying('{"ok": false}'),
    lying("<html>"),
    lying(""),
    dropping(),
    failing(502),
    failing(500),
    throttled(3),
])  # fmt: skip
async def test_a_poll_that_brings_nothing_new_and_no_peace_is_given_up_for_a_while(telegram, answer):
    telegram.script("getUpdates", answer)
    adapter = an_adapter(telegram)
    adapter.poll_seconds = 0

    with pytest.raises(Retryable):
        await asyncio.wait_for(adapter.listen("51000001", Shelf().store), PATIENCE)

    assert len(telegram.called("getUpdates")) == 1
    await adapter.close()


async def test_two_programs_on_one_bot_are_named(telegram):
    telegram.script("getUpdates", error(409, "Conflict: terminated by other getUpdates request"))
    adapter = an_adapter(telegram)

    with pytest.raises(Refused) as failure:
        await asyncio.wait_for(adapter.listen("", Shelf().store), PATIENCE)

    assert "another program" in failure.value.reason
    await adapter.close()


async def test_a_webhook_that_is_still_set_is_removed_first(telegram):
    telegram.webhook = {"url": "https://old.example/hooks/1/"}
    telegram.push(telegram.written("one"))
    shelf = Shelf()

    async with listening(telegram, shelf):
        await shelf.holds(1)

    assert telegram.webhook["url"] == ""


async def test_a_pressed_button_stops_spinning_once_it_is_stored(telegram):
    press = telegram.pressed("yes")
    telegram.push(press)
    shelf = Shelf()

    async with listening(telegram, shelf):
        (call,) = await asyncio.to_thread(telegram.wait_for, "answerCallbackQuery")

    assert call.params == {"callback_query_id": press["callback_query"]["id"]}
    assert len(shelf.stored) == 1


async def test_a_button_that_cannot_be_answered_stops_nothing(telegram):
    telegram.script("answerCallbackQuery", error(400, "Bad Request: query is too old"))
    telegram.push(telegram.pressed("yes"))
    shelf = Shelf()

    async with listening(telegram, shelf):
        await shelf.holds(1)
        telegram.push(telegram.written("next"))
        await shelf.holds(2)


async def test_a_poll_that_brought_nothing_is_reported_too_so_that_its_lease_is_kept(telegram):
    stored = asyncio.Queue()
    adapter = an_adapter(telegram)
    adapter.poll_seconds = 0

    async def store(batch, cursor):
        await stored.put((batch, cursor))
        if stored.qsize() == 2:
            raise asyncio.CancelledError

    task = asyncio.create_task(adapter.listen("7", store))
    await asyncio.wait([task], timeout=PATIENCE)
    await adapter.close()

    assert [stored.get_nowait(), stored.get_nowait()] == [([], "7"), ([], "7")]


async def test_closing_ends_a_poll_that_waits(telegram):
    adapter = an_adapter(telegram)
    task = asyncio.create_task(adapter.listen("", Shelf().store))
    await asyncio.to_thread(telegram.wait_for, "getUpdates")

    await adapter.close()

    with pytest.raises(Retryable):
        await asyncio.wait_for(task, PATIENCE)


async def test_listening_without_a_token_says_so():
    with pytest.raises(ChannelError, match="token"):
        await TelegramAdapter({}).listen("", Shelf().store)
