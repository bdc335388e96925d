"""Socket Mode: stored, then acknowledged; and what was not comes again."""

import asyncio
import contextlib
import json

import pytest

from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import Retryable
from tests.channels_adapters.fake_slack import FakeSlack, error


class Shelf:
    """Where deliveries are stored. `falls`: storing fails. `gate`: storing waits for it."""

    def __init__(self, falls=False):
        self.falls, self.stored, self.empty = falls, [], 0
        self.gate, self.changed = asyncio.Event(), asyncio.Condition()
        self.gate.set()

    async def store(self, batch, cursor):
        await self.gate.wait()
        if batch and self.falls:
            raise OSError("disk full")
        async with self.changed:
            self.stored += batch
            self.empty += not batch
            self.changed.notify_all()

    async def until(self, is_so):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(is_so)


def event(number=1):
    said = {"type": "message", "channel": "D1", "user": "U7", "text": "hej", "ts": f"1787219900.{number:06}"}
    return {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event": said}


def an_adapter(slack, **settings):
    given = {"bot_token": "xoxb-fake", "app_token": "xapp-fake", "api_url": slack.url, **settings}
    adapter = SlackAdapter(given)
    adapter.ping_seconds = 0.2
    return adapter


@contextlib.asynccontextmanager
async def listening(slack, shelf, **settings):
    adapter = an_adapter(slack, **settings)
    task = asyncio.create_task(adapter.listen("", shelf.store))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await adapter.close()
        await asyncio.sleep(0.05)


@pytest.fixture
async def slack():
    async with FakeSlack() as running:
        yield running


def test_an_app_level_token_asks_for_socket_mode():
    assert SlackAdapter({"app_token": "xapp-1"}).listens()
    assert not SlackAdapter({"signing_secret": "s"}).listens()


async def test_a_delivery_is_stored_under_its_event_id_and_then_acknowledged(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await slack.until(lambda: slack.connected)
        envelope = await slack.push(event())
        await slack.until(lambda: slack.acked)

    assert slack.acked == [envelope]
    assert [(key, json.loads(body)) for key, body in shelf.stored] == [("Ev1", event())]


async def test_nothing_is_acknowledged_before_it_is_stored(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await slack.until(lambda: slack.connected)
        await shelf.until(lambda: shelf.empty)
        shelf.gate.clear()
        await slack.push(event())
        await asyncio.sleep(0.3)
        assert slack.acked == []

        shelf.gate.set()
        await slack.until(lambda: slack.acked)

    assert [key for key, _ in shelf.stored] == ["Ev1"]


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(slack):
    falling, shelf = Shelf(falls=True), Shelf()
    async with listening(slack, falling) as task:
        await slack.push(event())
        with pytest.raises(OSError, match="disk full"):
            await asyncio.wait_for(task, 10)
    assert slack.acked == []

    async with listening(slack, shelf):
        await slack.until(lambda: slack.acked)

    assert [key for key, _ in shelf.stored] == ["Ev1"]


async def test_they_are_stored_in_the_order_they_came(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await slack.until(lambda: slack.connected)
        for number in range(20):
            await slack.push(event(number))
        await slack.until(lambda: len(slack.acked) == 20)

    assert [key for key, _ in shelf.stored] == [f"Ev{number}" for number in range(20)]


async def test_buttons_and_commands_come_by_the_same_way(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await slack.push({"type": "block_actions", "trigger_id": "1.2"}, "interactive")
        await slack.push({"command": "/support", "user_id": "U7", "trigger_id": "1.3"}, "slash_commands")
        await slack.until(lambda: len(slack.acked) == 2)

    assert len({key for key, _ in shelf.stored}) == 2


async def test_slack_asks_to_connect_anew_and_it_is_done(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await slack.until(lambda: slack.connected)
        await slack.cut(politely=True)
        await slack.until(lambda: len(slack.called("apps.connections.open")) == 2 and slack.connected)
        await slack.push(event())
        await slack.until(lambda: slack.acked)

    assert [key for key, _ in shelf.stored] == ["Ev1"]


async def test_a_line_that_breaks_is_opened_again_here_or_by_the_caller(slack):
    shelf = Shelf()
    async with listening(slack, shelf) as task:
        await slack.until(lambda: slack.connected)
        await slack.cut(politely=False)
        await slack.push(event())
        with contextlib.suppress(Retryable, TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 2)

    async with listening(slack, shelf):
        await slack.until(lambda: slack.acked)

    assert {key for key, _ in shelf.stored} == {"Ev1"}


async def test_while_nothing_happens_the_lease_is_kept(slack):
    shelf = Shelf()
    async with listening(slack, shelf):
        await shelf.until(lambda: shelf.empty >= 3)


async def test_closing_ends_it_for_new_settings(slack):
    adapter, shelf = an_adapter(slack), Shelf()
    task = asyncio.create_task(adapter.listen("", shelf.store))
    await slack.until(lambda: slack.connected)

    await adapter.close()

    with pytest.raises(Retryable, match="settings"):
        await asyncio.wait_for(task, 10)


@pytest.mark.parametrize("code", ["invalid_auth", "not_allowed_token_type"])
async def test_a_bad_token_is_said_once_and_not_tried_for_ever(slack, code):
    slack.script("apps.connections.open", error(code))
    async with listening(slack, Shelf()) as task:
        with pytest.raises(Retryable, match="token"):
            await asyncio.wait_for(task, 10)

    assert len(slack.called("apps.connections.open")) == 1


async def test_a_token_of_another_kind_is_refused_at_once(slack):
    async with listening(slack, Shelf(), app_token="xoxb-1") as task:
        with pytest.raises(Retryable, match="xapp"):
            await asyncio.wait_for(task, 10)


async def test_the_address_of_the_socket_is_not_logged(slack, caplog):
    async with listening(slack, Shelf()):
        await slack.until(lambda: slack.connected)
        await slack.cut(politely=False)
        await asyncio.sleep(0.5)

    assert "s3cret" not in caplog.text
    assert "xapp-" not in caplog.text
