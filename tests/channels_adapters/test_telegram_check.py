"""The live test of a Telegram connection: what it finds, what it registers."""

import json
import socket

import pytest

from channels_adapters.adapters.telegram import TelegramAdapter
from tests.channels_adapters.fake_telegram import FakeTelegram, error, hanging, lying

TOKEN = "6600000001:AAOpenSetTokenMadeUpForTests0000000"
HOOK = "https://desk.example/hooks/1/"


@pytest.fixture
def telegram():
    with FakeTelegram() as running:
        yield running


async def check(telegram, hook_url=HOOK, patience=5.0, **settings):
    adapter = TelegramAdapter({"bot_token": TOKEN, "api_url": telegram.url, "secret_token": "s3cret", **settings})
    adapter.call_seconds = patience
    found = await adapter.check(hook_url)
    await adapter.close()
    return found


async def test_a_working_bot_is_named(telegram):
    found = await check(telegram)

    assert found.problems == ()
    assert found.facts == {"bot": "@open_demo_bot", "bot_id": "6600000001", "bot_username": "open_demo_bot"}


async def test_polling_takes_a_webhook_away_and_keeps_what_waits(telegram):
    telegram.webhook = {"url": "https://old.example/"}

    await check(telegram, mode="polling")

    assert telegram.webhook == {"url": ""}
    assert telegram.called("deleteWebhook")[0].params["drop_pending_updates"] == "false"


async def test_a_webhook_is_registered_with_its_secret(telegram):
    found = await check(telegram, mode="webhook")

    (call,) = telegram.called("setWebhook")
    assert found.problems == ()
    assert telegram.webhook == {"url": HOOK, "secret_token": "s3cret"}
    assert "message_reaction" in json.loads(call.params["allowed_updates"])
    assert call.params["drop_pending_updates"] == "false"


async def test_a_webhook_on_a_private_address_is_a_problem(telegram):
    adapter = TelegramAdapter({"bot_token": TOKEN, "secret_token": "s3cret", "mode": "webhook"})
    adapter._client = TelegramAdapter({"bot_token": TOKEN, "api_url": telegram.url})._open()

    found = await adapter.check("http://localhost:8000/hooks/1/")

    await adapter.close()
    assert "https" in found.problems[0]
    assert found.facts["bot"] == "@open_demo_bot"
    assert telegram.called("setWebhook") == []


async def test_a_server_of_our_own_may_call_a_private_address(telegram):
    found = await check(telegram, hook_url="http://127.0.0.1:8000/hooks/1/", mode="webhook")

    assert found.problems == ()


@pytest.mark.parametrize("wrong", [{"mode": "pigeon"}, {"mode": "webhook", "secret_token": "å b"}])
async def test_a_wrong_setting_is_a_problem(telegram, wrong):
    found = await check(telegram, **wrong)

    assert len(found.problems) == 1


@pytest.mark.parametrize("token", ["", "abc", "1:a b", TOKEN + "x"])
async def test_a_wrong_token_is_a_problem(telegram, token):
    telegram.token = TOKEN

    found = await check(telegram, bot_token=token)

    assert "token" in found.problems[0]


@pytest.mark.parametrize("answer", [lying("<html>"), lying('{"ok": true, "result": []}'), error(500, "x")])
async def test_a_server_that_is_not_telegram_is_a_problem(telegram, answer):
    telegram.script("getMe", answer)

    found = await check(telegram)

    assert len(found.problems) == 1


async def test_a_server_that_never_answers_is_a_problem(telegram):
    telegram.script("getMe", hanging())

    found = await check(telegram, patience=0.05)

    assert len(found.problems) == 1


async def test_a_webhook_that_telegram_refuses_is_a_problem(telegram):
    telegram.script("setWebhook", error(400, "Bad Request: bad webhook: IP address 10.0.0.1 is reserved"))

    found = await check(telegram, mode="webhook")

    assert "reserved" in found.problems[0]


async def test_an_api_that_cannot_be_reached_is_a_problem(telegram):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = await check(telegram, api_url=f"http://127.0.0.1:{closed.getsockname()[1]}")

    assert "reached" in found.problems[0]
