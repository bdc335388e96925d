"""Our Telegram is held to two judges that know nothing of it: PTB, and the published description of the Bot API."""

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import httpx
import pytest
from telegram import Bot, Message, Update
from telegram.request import HTTPXRequest

from tests.channels_adapters.bot_api import faults, needs_description
from tests.channels_adapters.contract.samples import SAMPLES
from tests.channels_adapters.fake_telegram import ADA, FakeTelegram, blocked, error, migrated, throttled
from tests.channels_adapters.hook import Hook

TOKEN = "6600000001:AAOpenSetTokenMadeUpForTests0000000"
# Samples of what Telegram never sends, or not yet.
UNREAL = set(
    "date_after_the_year_9999 far_reply_date later_content location_off_the_earth message_id_of_4000_digits "
    "message_that_is_a_list message_without_chat message_without_id no_date null_fields null_message "
    "nul_and_lone_surrogates poll_update someone_joins text_that_is_a_number unknown_fields unknown_update".split()
)
REAL = sorted(path for path in (SAMPLES / "telegram").glob("*.json") if path.stem not in {*UNREAL, "connection"})


@pytest.fixture
def telegram():
    with FakeTelegram() as running:
        yield running


@pytest.fixture
async def bot(telegram):
    request = HTTPXRequest(connection_pool_size=4)
    made = Bot(TOKEN, f"{telegram.url}/bot", f"{telegram.url}/file/bot", request=request, get_updates_request=request)
    async with made:
        yield made


def post(address, /, **params):
    return httpx.post(address, json=params, trust_env=False).json()


@pytest.fixture
def hook():
    with Hook() as running:
        yield running


async def test_ptb_starts_and_sends_everything_through_it(telegram, bot):
    assert bot.username == "open_demo_bot"
    assert (await bot.send_message(7, "Hi")).text == "Hi"
    assert (await bot.send_photo(7, b"\x89PNG", caption="look")).caption == "look"
    assert (await bot.send_document(7, b"data", filename="a.pdf")).document.file_size == 4
    assert await bot.send_chat_action(7, "typing")
    assert await bot.answer_callback_query("1")
    assert await bot.set_webhook("https://desk.example/hooks/1/", secret_token="s")
    assert (await bot.get_webhook_info()).url == "https://desk.example/hooks/1/"
    assert await bot.delete_webhook()
    assert telegram.called("sendDocument")[0].files == {"document": ("a.pdf", b"data")}


async def test_ptb_downloads_a_file_from_it(telegram, bot):
    telegram.add_file("F1", b"four")

    file = await bot.get_file("F1")

    assert await file.download_as_bytearray() == b"four"


async def test_ptb_polls_updates_from_it_until_they_are_confirmed(telegram, bot):
    telegram.push(telegram.written("one"), telegram.pressed("yes"))

    first = await bot.get_updates(timeout=0)
    again = await bot.get_updates(timeout=0)
    rest = await bot.get_updates(offset=first[0].update_id + 1, timeout=0)

    assert [update.update_id for update in first] == [update.update_id for update in again]
    assert [update.callback_query.data for update in rest] == ["yes"]


def test_what_it_delivers_is_read_by_ptb(telegram):
    for update in (telegram.written("Hi"), telegram.pressed("yes"), telegram.update(message_reaction=a_reaction())):
        read = Update.de_json(update)
        parts = (read, read.effective_user, read.effective_chat, read.effective_message)
        assert read.effective_user.first_name == "Ada"
        assert not any(part.api_kwargs for part in parts if part)  # fields that PTB does not know


@needs_description
def test_what_it_delivers_is_described(telegram):
    for update in (telegram.written("Hi"), telegram.pressed("yes"), telegram.update(message_reaction=a_reaction())):
        assert faults("Update", update) == ""


@needs_description
@pytest.mark.parametrize("method, type_name, params", [
    ("getMe", "User", {}),
    ("sendMessage", "Message", {"chat_id": "7", "text": "Hi"}),
    ("sendMessage", "Message", {"chat_id": "-1007", "text": "Hi"}),
    ("getWebhookInfo", "WebhookInfo", {}),
    ("getFile", "File", {"file_id": "F1"}),
])  # fmt: skip
def test_what_it_answers_is_described(telegram, method, type_name, params):
    telegram.add_file("F1", b"four")

    answer = post(f"{telegram.url}/bot{TOKEN}/{method}", **params)

    assert answer["ok"] is True
    assert faults(type_name, answer["result"]) == ""


@needs_description
async def test_uploads_are_answered_as_described(telegram, bot):
    for sent in (await bot.send_photo(7, b"\x89PNG"), await bot.send_document(7, b"data")):
        assert faults("Message", sent.to_dict()) == ""
        assert Message.de_json(sent.to_dict(), bot) == sent


@needs_description
@pytest.mark.parametrize("answer", [throttled(3), blocked(), migrated(-1007), error(500, "Internal Server Error")])
def test_its_errors_have_the_parameters_that_are_described(answer):
    assert faults("ResponseParameters", json.loads(answer.body).get("parameters", {})) == ""


@needs_description
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_sample_is_what_telegram_sends(path):
    update = json.loads(path.read_text())["body"]

    assert faults("Update", update) == ""
    assert Update.de_json(update).update_id == update["update_id"]


def test_a_second_poll_ends_the_first(telegram):
    url = f"{telegram.url}/bot{TOKEN}/getUpdates"
    first = []
    waiting = threading.Thread(target=lambda: first.append(post(f"{url}?timeout=9")))
    waiting.start()
    telegram.wait_for("getUpdates")
    post(f"{url}?timeout=0")
    waiting.join()

    assert first[0]["error_code"] == 409


def test_a_webhook_and_polling_exclude_each_other(telegram):
    post(f"{telegram.url}/bot{TOKEN}/setWebhook", url="https://desk.example/hooks/1/")

    assert post(f"{telegram.url}/bot{TOKEN}/getUpdates")["error_code"] == 409


def test_a_wrong_token_and_a_wrong_method_are_refused(telegram):
    telegram.token = TOKEN

    assert post(f"{telegram.url}/bot1:wrong/getMe")["error_code"] == 401
    assert post(f"{telegram.url}/bot{TOKEN}/getMoon")["error_code"] == 404


def test_it_delivers_to_a_webhook_twice_and_out_of_order(telegram, hook):
    post(f"{telegram.url}/bot{TOKEN}/setWebhook", url=hook.url, secret_token="s3cret")
    one, two = telegram.written("one"), telegram.written("two")

    assert telegram.deliver(two, one, times=2) == [200] * 4

    assert [json.loads(body)["message"]["text"] for _, body in hook.requests] == ["two", "two", "one", "one"]
    assert {headers["X-Telegram-Bot-Api-Secret-Token"] for headers, _ in hook.requests} == {"s3cret"}


def test_only_the_wanted_kinds_are_queued(telegram):
    post(f"{telegram.url}/bot{TOKEN}/getUpdates", allowed_updates='["message"]')

    telegram.push(telegram.update(poll_answer={}), telegram.written("Hi"))

    assert len(post(f"{telegram.url}/bot{TOKEN}/getUpdates")["result"]) == 1


def test_it_runs_as_a_program_that_others_steer():
    command = [sys.executable, "-m", "tests.channels_adapters.fake_telegram", "--port", "0"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as program:
        try:
            url = program.stdout.readline().strip()
            post(f"{url}/_fake/say", text="Hi", customer={"id": 7})
            post(f"{url}/_fake/script", method="sendMessage", answer="throttled", argument=3)
            updates = post(f"{url}/bot{TOKEN}/getUpdates")["result"]
            answers = [post(f"{url}/bot{TOKEN}/sendMessage", chat_id=7, text="Hello")["ok"] for _ in range(2)]
            with urllib.request.urlopen(f"{url}/_fake/calls") as response:
                calls = json.load(response)
        finally:
            program.terminate()

    assert updates[0]["message"]["from"] == {**ADA, "id": 7}
    assert answers == [False, True]
    assert [call["method"] for call in calls] == ["getUpdates", "sendMessage", "sendMessage"]


def a_reaction():
    chat, thumb = {"id": 7, "type": "private", "first_name": "Ada"}, [{"type": "emoji", "emoji": "👍"}]
    return {"chat": chat, "message_id": 5, "user": ADA, "date": 1787219940, "old_reaction": [], "new_reaction": thumb}
