"""What leaves by Telegram, and what each failure means for the message."""

import json
import logging
import socket

import pytest

from channels_adapters.adapters.telegram import TelegramAdapter
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from tests.channels_adapters.fake_telegram import (
    FakeTelegram,
    blocked,
    dropping,
    error,
    failing,
    hanging,
    lying,
    migrated,
    refused,
    throttled,
)

TOKEN = "6600000001:AAOpenSetTokenMadeUpForTests0000000"
MEGABYTE = 1024 * 1024


@pytest.fixture
def telegram():
    with FakeTelegram() as running:
        yield running


@pytest.fixture
async def adapter(telegram):
    made = TelegramAdapter({"bot_token": TOKEN, "api_url": telegram.url})
    yield made
    await made.close()


def a_part(text="Hello", thread_id="700100200", **fields):
    return OutboundPart(delivery_id=1, thread_id=thread_id, text=text, **fields)


def a_photo(size=10, mime="image/png"):
    return OutboundFile(name="a.png", mime=mime, data=b"x" * size)


async def test_a_text_is_sent_to_its_chat(telegram, adapter):
    receipt = await adapter.send(a_part("Hej 📦 <b>"))

    (call,) = telegram.called("sendMessage")
    assert call.params == {"chat_id": "700100200", "text": "Hej 📦 <b>"}
    assert receipt.external_id.isdigit()


async def test_a_text_goes_to_its_topic(telegram, adapter):
    await adapter.send(a_part(thread_id="-100123:77"))

    (call,) = telegram.called("sendMessage")
    assert call.params["chat_id"] == "-100123"
    assert call.params["message_thread_id"] == "77"


async def test_what_no_platform_takes_leaves_the_text(telegram, adapter):
    await adapter.send(a_part("a\x00b\ud800c"))

    assert telegram.called("sendMessage")[0].params["text"] == "abc"


async def test_an_answer_names_what_it_answers(telegram, adapter):
    await adapter.send(a_part(reply_to="11"))

    assert '"message_id": 11' in telegram.called("sendMessage")[0].params["reply_parameters"]


async def test_an_answer_to_a_button_is_a_plain_message(telegram, adapter):
    await adapter.send(a_part(reply_to="callback:4382"))

    assert "reply_parameters" not in telegram.called("sendMessage")[0].params


async def test_an_answer_to_a_message_that_is_gone_is_sent_without_it(telegram, adapter):
    telegram.script("sendMessage", refused("Bad Request: message to be replied not found"))

    await adapter.send(a_part(reply_to="11"))

    first, second = telegram.called("sendMessage")
    assert "reply_parameters" in first.params
    assert "reply_parameters" not in second.params


async def test_a_picture_is_sent_as_a_photo(telegram, adapter):
    await adapter.send(a_part("look", file=a_photo()))

    (call,) = telegram.called("sendPhoto")
    assert call.files == {"photo": ("a.png", b"x" * 10)}
    assert call.params["caption"] == "look"


@pytest.mark.parametrize(
    "file", [a_photo(10 * MEGABYTE + 1), a_photo(mime="image/svg+xml"), a_photo(mime="text/plain")]
)
async def test_other_files_are_sent_as_documents(telegram, adapter, file):
    await adapter.send(a_part("", file=file))

    (call,) = telegram.called("sendDocument")
    assert call.files["document"] == ("a.png", file.data)
    assert "caption" not in call.params


async def test_a_picture_that_is_no_photo_to_telegram_still_goes_as_a_document(telegram, adapter):
    telegram.script("sendPhoto", refused("Bad Request: PHOTO_INVALID_DIMENSIONS"))

    await adapter.send(a_part(file=a_photo()))

    assert len(telegram.called("sendDocument")) == 1


async def test_a_group_that_moved_gets_the_message_at_its_new_place(telegram, adapter):
    telegram.script("sendMessage", migrated(-1007))

    receipt = await adapter.send(a_part(thread_id="-7", reply_to="3"))

    assert [call.params["chat_id"] for call in telegram.called("sendMessage")] == ["-7", "-1007"]
    assert receipt.external_id


@pytest.mark.parametrize("part", [a_part(""), a_part("  \n"), a_part(thread_id="nowhere"), a_part(thread_id="")])
async def test_what_cannot_be_sent_is_refused_without_asking(telegram, adapter, part):
    with pytest.raises(Refused):
        await adapter.send(part)

    assert telegram.calls == []


async def test_a_throttled_part_waits_as_long_as_telegram_says(telegram, adapter):
    telegram.script("sendMessage", throttled(17))

    with pytest.raises(Retryable) as failure:
        await adapter.send(a_part())

    assert failure.value.retry_after == 17


@pytest.mark.parametrize("wait", ["soon", None, {}, float("nan"), float("inf"), -3, 10**400])
async def test_a_throttled_part_survives_an_odd_pause(telegram, adapter, wait):
    telegram.script("sendMessage", error(429, "Too Many Requests", retry_after=wait))

    with pytest.raises(Retryable) as failure:
        await adapter.send(a_part())

    assert failure.value.retry_after is None or 0 <= failure.value.retry_after <= 86_400


@pytest.mark.parametrize("answer, word", [
    (blocked(), "blocked"),
    (error(403, "Forbidden: user is deactivated"), "closed"),
    (error(403, "Forbidden: bot was kicked from the supergroup chat"), "removed"),
    (error(403, "Forbidden: bot can't initiate conversation with a user"), "has not written"),
    (error(403, "Forbidden: something new"), "something new"),
    (refused("Bad Request: chat not found"), "Chat not found"),
    (refused("Bad Request: message is too long"), "too long"),
    (error(400, "x" * 5_000), "xxx"),
])  # fmt: skip
async def test_what_telegram_refuses_is_never_sent_again(telegram, adapter, answer, word):
    telegram.script("sendMessage", answer)

    with pytest.raises(Refused) as failure:
        await adapter.send(a_part())

    assert word in failure.value.reason
    assert len(failure.value.reason) < 300


@pytest.mark.parametrize("status", [401, 404])
async def test_a_refused_token_is_worth_another_try_after_minutes(telegram, adapter, status):
    telegram.script("sendMessage", error(status, "Unauthorized"))

    with pytest.raises(Retryable) as failure:
        await adapter.send(a_part())

    assert failure.value.retry_after == 300
    assert "token" in failure.value.reason


async def test_a_text_that_is_no_token_never_reaches_an_address(telegram):
    adapter = TelegramAdapter({"bot_token": "1:a/../../other?x=", "api_url": telegram.url})

    with pytest.raises(Retryable):
        await adapter.send(a_part())

    assert telegram.calls == []


@pytest.mark.parametrize("status", [500, 503, 520])
async def test_a_server_that_says_it_failed_is_asked_again(telegram, adapter, status):
    telegram.script("sendMessage", failing(status))

    with pytest.raises(Retryable):
        await adapter.send(a_part())


@pytest.mark.parametrize("answer", [
    failing(502),
    failing(504),
    dropping(),
    lying('{"ok": false}'),
    lying('{"ok": false, "result": {"message_id": 5}}'),
    lying("<html>"),
    lying("[]"),
    lying("null"),
    lying('{"ok": true, "result": true}'),
    lying('{"ok": true, "result": {}}'),
    lying('{"ok": true, "result": {"message_id": "x", "date": 1, "chat": {"id": 1, "type": "private"}}}'),
    lying('{"ok": true, "result": {"message_id": 5, "date": 1795000000000000, "chat": {"id": 1, "type": "private"}}}'),
    lying("[" * 100_000),
])  # fmt: skip
async def test_what_may_have_arrived_is_uncertain(telegram, adapter, answer):
    telegram.script("sendMessage", answer)

    with pytest.raises(Uncertain):
        await adapter.send(a_part())


async def test_a_server_that_never_answers_leaves_it_uncertain(telegram, adapter):
    adapter.call_seconds = 0.05
    telegram.script("sendMessage", hanging())

    with pytest.raises(Uncertain):
        await adapter.send(a_part())


async def test_a_send_ends_before_its_lease_does(telegram, adapter):
    adapter.send_seconds = 0.05
    telegram.script("sendMessage", hanging())

    with pytest.raises(Uncertain):
        await adapter.send(a_part())


async def test_without_a_connection_nothing_was_sent():
    with socket.socket() as closed:  # bound and not listening: refuses
        closed.bind(("127.0.0.1", 0))
        adapter = TelegramAdapter({"bot_token": TOKEN, "api_url": f"http://127.0.0.1:{closed.getsockname()[1]}"})
        with pytest.raises(Retryable):
            await adapter.send(a_part())

    await adapter.close()


@pytest.mark.parametrize("api_url", ["ftp://127.0.0.1", "127.0.0.1:1", "http://[::", "nonsense"])
async def test_an_address_that_is_none_sends_nothing(api_url):
    adapter = TelegramAdapter({"bot_token": TOKEN, "api_url": api_url})

    with pytest.raises(Retryable):
        await adapter.send(a_part())

    await adapter.close()


async def test_typing_is_shown(telegram, adapter):
    await adapter.typing("-100123:77")

    (call,) = telegram.called("sendChatAction")
    assert call.params == {"chat_id": "-100123", "action": "typing", "message_thread_id": "77"}


async def test_a_file_is_fetched(telegram, adapter):
    telegram.add_file("F1", b"four")

    assert await adapter.fetch("F1", limit=4) == b"four"


def a_file(path):
    file = {"file_id": "F1", "file_unique_id": "F1", "file_path": path}
    return lying(json.dumps({"ok": True, "result": file}))


async def test_a_file_that_says_it_is_over_the_limit_is_not_taken(telegram, adapter):
    telegram.add_file("F1", b"x" * 300_000)

    with pytest.raises(Refused):
        await adapter.fetch("F1", limit=299_999)


async def test_a_file_that_turns_out_over_the_limit_is_not_taken(telegram, adapter):
    telegram.add_file("F1", b"x" * 300_000)
    telegram.script("getFile", a_file(telegram.files["F1"][0]))

    with pytest.raises(Refused):
        await adapter.fetch("F1", limit=299_999)


@pytest.mark.parametrize("path", ["/etc/hostname", "", None, 5, [], "documents/none", "a\nb"])
async def test_a_file_from_elsewhere_is_not_read(telegram, adapter, path):
    telegram.add_file("F1", b"four")
    telegram.script("getFile", a_file(path))

    with pytest.raises(Retryable):
        await adapter.fetch("F1", limit=100)


async def test_a_file_that_is_not_there_now_may_be_there_later(telegram, adapter):
    with pytest.raises(Retryable):
        await adapter.fetch("unknown", limit=100)


async def test_a_file_that_telegram_does_not_give_to_bots_is_refused(telegram, adapter):
    telegram.script("getFile", refused("Bad Request: file is too big"))

    with pytest.raises(Refused):
        await adapter.fetch("F1", limit=100)


ECHOES = [error(400, f"bad address /bot{TOKEN}/sendMessage"), error(404, f"Cannot POST /bot{TOKEN}/sendMessage")]


@pytest.mark.parametrize("answer", [throttled(2), blocked(), *ECHOES, dropping(), lying("<html>"), failing(502)])
async def test_the_token_is_neither_logged_nor_shown(telegram, adapter, answer, caplog):
    caplog.set_level(logging.DEBUG)
    telegram.script("sendMessage", answer)
    words = " ".join(["a", "private", "word"])

    with pytest.raises((Retryable, Refused, Uncertain)) as failure:
        await adapter.send(a_part(words))

    logging.getLogger("tests").error("the worker logs it", exc_info=failure.value)
    assert TOKEN not in caplog.text
    assert words not in caplog.text
    assert TOKEN not in failure.value.reason
