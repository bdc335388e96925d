import json
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.db import OperationalError
from django_scopes import scopes_disabled

from channels_adapters import connections, hooks
from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import HookAnswer
from channels_adapters.models import RawDelivery
from channels_adapters.workers.intake import Intake
from conversations.models import Inbox, Message
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inbox(transactional_db, toy) -> Inbox:
    return connections.connect(make_workspace(), "toy", name="Toys", given={})


@pytest.fixture
def running(monkeypatch, transactional_db):
    """An intake of the test's own, stopped before the database is emptied."""
    intake = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()


async def post(inbox, body=b'{"id": 1, "from": "ada", "text": "hello"}', *, secret="s3cret", method="POST", key=None):
    headers = [(b"x-secret", secret.encode("latin-1"))]
    path = f"/hooks/{key or inbox.key}/"
    return await HttpCommunicator(hooks.hooks, method, path, body, headers).get_response(timeout=10)


@sync_to_async
def rows() -> int:
    with scopes_disabled():
        return RawDelivery.objects.count()


async def test_a_signed_delivery_is_stored_when_it_is_acknowledged(inbox, running):
    answer = await post(inbox)

    assert answer["status"] == 200
    assert await rows() == 1


async def test_it_becomes_a_message(inbox, running):
    await post(inbox)

    def taken_in():
        running.stop()
        with scopes_disabled():
            return Message.objects.get().text

    assert await sync_to_async(taken_in)() == "hello"


@pytest.mark.parametrize("secret", ["", "wrong", "s3cret ", "é"])
async def test_a_wrong_secret_is_refused_and_nothing_is_kept(inbox, running, secret):
    answer = await post(inbox, secret=secret)

    assert answer["status"] == 403
    assert await rows() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"{",
        b'{"no": "id"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_not_the_platform_s_is_a_400_with_one_line(inbox, running, body):
    answer = await post(inbox, body)

    assert answer["status"] == 400
    assert answer["body"].decode().count("\n") == 1
    assert await rows() == 0


async def test_a_body_over_the_limit_is_a_413(inbox, running):
    answer = await post(inbox, b"x" * (1024 * 1024 + 1))

    assert answer["status"] == 413
    assert await rows() == 0


@pytest.mark.parametrize("key", ["nobody", "../etc", "a" * 41, "%00"])
async def test_an_unknown_inbox_is_a_404(inbox, running, key):
    assert (await post(inbox, key=key))["status"] == 404


async def test_only_posts_deliver(inbox, running):
    assert (await post(inbox, method="GET"))["status"] == 405


async def test_a_paused_inbox_asks_for_a_later_delivery(inbox, running):
    await sync_to_async(lambda: Inbox.objects.with_scopes_disabled().update(state="paused"))()

    assert (await post(inbox))["status"] == 503
    assert await rows() == 0


async def test_a_delivery_that_cannot_be_stored_is_not_acknowledged(inbox, running, monkeypatch):
    def no_disk(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(RawDelivery.objects.__class__, "bulk_create", no_disk, raising=False)

    answer = await post(inbox)

    assert answer["status"] == 503


async def test_the_acknowledgement_says_ok_in_json(inbox, running):
    assert json.loads((await post(inbox))["body"]) == {"ok": True}


async def test_while_storing_hangs_the_answer_comes_in_the_platform_s_time(inbox, running, toy, monkeypatch):
    monkeypatch.setattr(toy, "answer_within", 0.5)
    going_on = threading.Event()
    monkeypatch.setattr("channels_adapters.workers.intake.store", lambda batch: going_on.wait(20))
    began = time.monotonic()

    answer = await post(inbox)
    took = time.monotonic() - began
    going_on.set()

    assert answer["status"] == 503
    assert took < 1.5


async def test_while_the_database_hangs_a_slack_inbox_answers_within_three_seconds(inbox, running, toy, monkeypatch):
    monkeypatch.setattr(toy, "answer_within", SlackAdapter.answer_within)
    await post(inbox)
    going_on = threading.Event()
    monkeypatch.setattr("channels_adapters.workers.intake.store", lambda batch: going_on.wait(20))
    monkeypatch.setattr(connections, "serving", lambda key: going_on.wait(20))
    began = time.monotonic()

    known, unknown = await post(inbox, b'{"id": 2, "from": "ada", "text": "x"}'), await post(inbox, key="nobody")
    took = time.monotonic() - began
    going_on.set()

    assert (known["status"], unknown["status"]) == (503, 503)
    assert took < 2.5 + 1 + 1  # one after the other


async def test_what_a_stored_delivery_is_answered_is_the_channel_s(inbox, running, toy, monkeypatch):
    monkeypatch.setattr(toy, "accepted", HookAnswer(200))

    answer = await post(inbox)

    assert (answer["status"], answer["body"]) == (200, b"")


async def test_while_the_database_is_away_a_delivery_is_to_come_again(inbox, running, monkeypatch):
    def away(key):
        raise OperationalError("no such host")

    await post(inbox)
    monkeypatch.setattr(connections, "serving", away)

    assert (await post(inbox, key="nobody"))["status"] == 503
    assert (await post(inbox, secret="wrong"))["status"] == 403


async def test_while_more_waits_than_can_be_stored_a_delivery_is_to_come_again(inbox, running, monkeypatch):
    monkeypatch.setattr("channels_adapters.workers.intake.FULL", 0)

    answer = await post(inbox)

    assert answer["status"] == 503
    assert dict(answer["headers"])[b"retry-after"] == b"5"
    assert await rows() == 0


async def test_a_body_that_does_not_come_in_time_is_not_waited_for(inbox, running, toy, monkeypatch):
    monkeypatch.setattr(toy, "answer_within", 0.5)
    request = HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", headers=[(b"x-secret", b"s3cret")])
    began = time.monotonic()

    await request.send_input({"type": "http.request", "body": b'{"id": 1', "more_body": True})
    start = await request.receive_output(timeout=10)

    assert start["status"] == 503
    assert time.monotonic() - began < 5
    assert await rows() == 0


async def test_a_body_that_says_it_is_too_long_is_not_read(inbox, running):
    headers = [(b"x-secret", b"s3cret"), (b"content-length", b"999999999999")]
    request = HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", headers=headers)

    await request.send_input({"type": "http.request", "body": b"{", "more_body": True})  # and nothing more

    assert (await request.receive_output(timeout=10))["status"] == 413
