"""Buttons, edits, deletions and reactions by Telegram."""

import json

import pytest

from channels_adapters.adapters.telegram import TelegramAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundPart, Refused, Retryable
from tests.channels_adapters.bot_api import faults, needs_description
from tests.channels_adapters.fake_telegram import FakeTelegram, blocked, hanging, refused, throttled
from tests.channels_adapters.patience import patience

TOKEN = "6600000001:AAOpenSetTokenMadeUpForTests0000000"


@pytest.fixture
def telegram():
    with FakeTelegram() as running:
        yield running


@pytest.fixture
async def adapter(telegram):
    made = TelegramAdapter({"bot_token": TOKEN, "api_url": telegram.url})
    yield made
    await made.close()


def an_act(kind, text="", target="12", **facts):
    return OutboundAct(delivery_id=1, kind=kind, thread_id="700100200", target=target, text=text, **facts)


async def test_a_message_is_edited(telegram, adapter):
    await adapter.act(an_act("edit", "On its way"))

    (call,) = telegram.called("editMessageText")
    assert call.params == {"chat_id": "700100200", "message_id": "12", "text": "On its way"}


async def test_an_edited_message_keeps_its_buttons(telegram, adapter):
    await adapter.act(an_act("edit", "New", answers={"buttons": [{"label": "Yes", "payload": "y", "url": ""}]}))

    (call,) = telegram.called("editMessageText")
    assert json.loads(call.params["reply_markup"])["inline_keyboard"] == [[{"text": "Yes", "callback_data": "y"}]]


async def test_a_message_is_deleted(telegram, adapter):
    await adapter.act(an_act("delete"))

    (call,) = telegram.called("deleteMessage")
    assert call.params == {"chat_id": "700100200", "message_id": "12"}


@needs_description
@pytest.mark.parametrize("emoji, set_to", [("👍", "👍"), ("❤️", "❤")])
async def test_a_reaction_is_set_in_telegram_s_own_spelling(telegram, adapter, emoji, set_to):
    await adapter.act(an_act("react", emoji))

    (call,) = telegram.called("setMessageReaction")
    assert json.loads(call.params["reaction"]) == [{"emoji": set_to, "type": "emoji"}]
    assert faults("ReactionTypeEmoji", json.loads(call.params["reaction"])[0]) == ""


async def test_a_reaction_is_taken_back(telegram, adapter):
    await adapter.act(an_act("react", ""))

    (call,) = telegram.called("setMessageReaction")
    assert json.loads(call.params.get("reaction", "[]")) == []


@pytest.mark.parametrize(
    "kind, method, words",
    [
        ("edit", "editMessageText", "Bad Request: message is not modified: same content"),
        ("delete", "deleteMessage", "Bad Request: message to delete not found"),
    ],
)
async def test_what_was_done_before_is_done(telegram, adapter, kind, method, words):
    telegram.script(method, refused(words))

    await adapter.act(an_act(kind, "x"))


async def test_what_telegram_refuses_is_refused_in_plain_words(telegram, adapter):
    telegram.script("editMessageText", refused("Bad Request: message can't be edited"))

    with pytest.raises(Refused, match="can't be edited"):
        await adapter.act(an_act("edit", "x"))
    telegram.script("setMessageReaction", blocked())
    with pytest.raises(Refused, match="blocked"):
        await adapter.act(an_act("react", "👍"))


async def test_an_act_without_an_answer_may_be_done_again(telegram, adapter):
    adapter.call_seconds = patience("hang")
    telegram.script("deleteMessage", hanging())
    with pytest.raises(Retryable):
        await adapter.act(an_act("delete"))

    telegram.script("deleteMessage", throttled(7))
    with pytest.raises(Retryable) as wait:
        await adapter.act(an_act("delete"))
    assert wait.value.retry_after == 7


@pytest.mark.parametrize("target", ["callback:9", "", "x"])
async def test_what_is_no_message_is_not_touched(telegram, adapter, target):
    with pytest.raises(Refused):
        await adapter.act(an_act("delete", target=target))

    assert telegram.calls == []


@pytest.mark.parametrize("kind", ["hide", "like", "read"])
async def test_what_telegram_has_not_is_refused(adapter, kind):
    with pytest.raises(Refused):
        await adapter.act(an_act(kind))


@needs_description
async def test_buttons_stand_under_a_message(telegram, adapter):
    buttons = (Button("Yes", "yes"), Button("Shop", url="https://shop.example"))
    await adapter.send(OutboundPart(delivery_id=1, thread_id="700100200", text="Sure?", buttons=buttons))

    (call,) = telegram.called("sendMessage")
    rows = json.loads(call.params["reply_markup"])["inline_keyboard"]
    assert rows == [[{"text": "Yes", "callback_data": "yes"}], [{"text": "Shop", "url": "https://shop.example"}]]
    assert faults("InlineKeyboardMarkup", json.loads(call.params["reply_markup"])) == ""


async def test_a_payload_that_is_too_long_is_refused_and_nothing_is_sent(telegram, adapter):
    part = OutboundPart(delivery_id=1, thread_id="7", text="?", buttons=(Button("Yes", "y" * 65),))

    with pytest.raises(Refused, match="64 bytes"):
        await adapter.send(part)
    assert telegram.called("sendMessage") == []
