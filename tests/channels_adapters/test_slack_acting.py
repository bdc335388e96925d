"""Buttons, edits, deletions and reactions by Slack."""

import json

import pytest

from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundPart, Refused, Retryable
from tests.channels_adapters.fake_slack import Answer, FakeSlack, error

TS = "1787219900.000001"


@pytest.fixture
async def slack():
    async with FakeSlack() as running:
        yield running


@pytest.fixture
async def adapter(slack):
    made = SlackAdapter({"bot_token": "xoxb-fake", "signing_secret": "s", "api_url": slack.url})
    yield made
    await made.close()


def an_act(kind, text="", target=TS, thread_id="C1:1787219000.000001", **facts):
    return OutboundAct(delivery_id=1, kind=kind, thread_id=thread_id, target=target, text=text, **facts)


def called(slack, method):
    return [{key: value for key, value in call.items() if key != "_token"} for call in slack.called(method)]


async def test_a_message_is_edited_and_its_text_is_escaped(slack, adapter):
    await adapter.act(an_act("edit", "1 < 2"))

    assert called(slack, "chat.update") == [{"channel": "C1", "ts": TS, "text": "1 &lt; 2"}]


async def test_a_message_is_deleted(slack, adapter):
    await adapter.act(an_act("delete"))

    assert called(slack, "chat.delete") == [{"channel": "C1", "ts": TS}]


async def test_a_reaction_takes_the_place_of_the_one_before(slack, adapter):
    await adapter.act(an_act("react", "👍", before="🎉"))

    assert called(slack, "reactions.remove") == [{"channel": "C1", "timestamp": TS, "name": "tada"}]
    assert called(slack, "reactions.add") == [{"channel": "C1", "timestamp": TS, "name": "thumbsup"}]


async def test_a_reaction_is_taken_back(slack, adapter):
    await adapter.act(an_act("react", "", before="👍"))

    assert called(slack, "reactions.remove")[0]["name"] == "thumbsup"
    assert called(slack, "reactions.add") == []


@pytest.mark.parametrize(
    "kind, method, code",
    [
        ("delete", "chat.delete", "message_not_found"),
        ("react", "reactions.add", "already_reacted"),
    ],
)
async def test_what_was_done_before_is_done(slack, adapter, kind, method, code):
    slack.script(method, error(code))

    await adapter.act(an_act(kind, "👍" if kind == "react" else ""))


async def test_what_slack_refuses_is_refused(slack, adapter):
    slack.script("chat.update", error("cant_update_message"))

    with pytest.raises(Refused, match="cant_update_message"):
        await adapter.act(an_act("edit", "x"))


async def test_an_act_that_slack_puts_off_is_done_later(slack, adapter):
    slack.script("chat.delete", Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}))

    with pytest.raises(Retryable) as wait:
        await adapter.act(an_act("delete"))
    assert wait.value.retry_after == 7


@pytest.mark.parametrize("target", ["callback:1", "F1", "", "x"])
async def test_what_is_no_message_is_not_touched(slack, adapter, target):
    with pytest.raises(Refused):
        await adapter.act(an_act("delete", target=target))

    assert slack.calls == []


async def test_an_emoji_without_a_name_and_other_acts_are_refused(adapter):
    with pytest.raises(Refused, match="no name"):
        await adapter.act(an_act("react", "🦆"))
    with pytest.raises(Refused):
        await adapter.act(an_act("like"))


async def test_buttons_stand_under_a_message(slack, adapter):
    buttons = (Button("Yes", "yes"), Button("Shop", url="https://shop.example"))
    await adapter.send(OutboundPart(delivery_id=1, thread_id="C1", text="Sure?", buttons=buttons))

    (call,) = called(slack, "chat.postMessage")
    shown = call["blocks"] if isinstance(call["blocks"], list) else json.loads(call["blocks"])
    assert shown[0]["text"]["text"] == "Sure?"
    assert [button.get("value") or button["url"] for button in shown[1]["elements"]] == ["yes", "https://shop.example"]


async def test_a_text_too_long_for_buttons_is_refused_before_it_is_sent(slack, adapter):
    part = OutboundPart(delivery_id=1, thread_id="C1", text="x" * 3001, buttons=(Button("Yes"),))

    with pytest.raises(Refused, match="3000"):
        await adapter.send(part)
    assert called(slack, "chat.postMessage") == []
