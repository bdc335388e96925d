"""Hostile deliveries among good ones, through the real hook and intake: nothing falls over, nothing good is lost."""

import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django_scopes import scopes_disabled

from channels_adapters import connections, hooks
from channels_adapters.workers.intake import Intake
from conversations.models import Inbox, Message
from tests.factories import make_workspace
from tests.installation import BOT_TOKEN, SECRET, update

pytestmark = pytest.mark.django_db(transaction=True)


def changed(number: int, **message: object) -> bytes:
    told = update(number, 77, "hostile")
    told["message"] |= message
    return json.dumps(told).encode()


def with_text(number: int, text: str) -> bytes:
    return json.dumps(update(number, 77, text)).encode("utf-8", "surrogatepass")


HOSTILE = {
    "a NUL": with_text(1, "a\x00b"),
    "a lone surrogate": b'{"update_id":2,"message":{"message_id":2,"date":1,"chat":{"id":77,"type":"private"},'
    b'"from":{"id":77,"is_bot":false,"first_name":"A"},"text":"a\\ud800b"}}',
    "a megabyte of text": with_text(3, "x" * 900_000),
    "more than a megabyte": with_text(4, "x" * 2_000_000),
    "a number of 5,000 digits": b'{"update_id":5,"message":{"message_id":' + b"9" * 5000 + b"}}",
    "an id of 5,000 digits": b'{"update_id":' + b"9" * 5000 + b"}",
    "depth 100,000": b'{"update_id":6,"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a date in the year 33658": changed(7, date=1_000_000_000_000),
    "a date before time": changed(8, date=-(10**18)),
    "a date that is no number": changed(9, date="yesterday"),
    "right to left and zero width": with_text(10, "\u202egpj.exe\u202c\u200b\u2066"),
    "markup": with_text(11, "<script>alert(1)</script><img src=x onerror=alert(1)>"),
    "not a number": b'{"update_id":12,"message":{"message_id":NaN,"date":Infinity}}',
    "no sender": changed(13, **{"from": None}),
    "no chat": changed(14, chat=None),
    "a chat that is a word": changed(15, chat="chat"),
    "a name of markup and a megabyte": changed(
        16, **{"from": {"id": 77, "is_bot": False, "first_name": "<b>" * 200_000}}
    ),
    "an empty object": b"{}",
    "nothing": b"",
    "null": b"null",
    "a list": b"[1]",
    "no JSON": b"update_id=1",
    "other bytes": bytes(range(256)),
    "the same key twice": b'{"update_id":17,"update_id":18,"message":{"text":1,"text":2}}',
    "an unknown kind": b'{"update_id":19,"something_new":{"a":[]}}',
}


@pytest.fixture
def inbox(transactional_db) -> Inbox:
    given = {"bot_token": BOT_TOKEN, "secret_token": SECRET, "mode": "webhook"}
    return connections.connect(make_workspace(), "telegram", name="Bot", given=given)


@pytest.fixture
def running(monkeypatch, transactional_db):
    intake = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()


async def post(inbox: Inbox, body: bytes) -> int:
    headers = [(b"x-telegram-bot-api-secret-token", SECRET.encode())]
    answer = await HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", body, headers).get_response(timeout=20)
    return int(answer["status"])


async def test_hostile_deliveries_are_answered_in_words_and_the_good_ones_beside_them_arrive(inbox, running):
    answers = {}
    for number, (name, body) in enumerate(HOSTILE.items()):
        answers[name] = await post(inbox, body)
        assert await post(inbox, with_text(1000 + number, f"good {number}")) == 200

    def taken_in() -> list[str]:
        running.stop()
        with scopes_disabled():
            return list(Message.objects.filter(text__startswith="good").order_by("pk").values_list("text", flat=True))

    good = await sync_to_async(taken_in)()
    assert good == [f"good {number}" for number in range(len(HOSTILE))]
    assert set(answers.values()) <= {200, 400, 413}, answers
    assert answers["more than a megabyte"] == 413
    assert answers["no JSON"] == answers["null"] == answers["a list"] == answers["nothing"] == 400
    assert answers["an unknown kind"] == answers["markup"] == answers["a NUL"] == 200
