import asyncio
import json
import threading
import time

import pytest
from channels.testing import HttpCommunicator
from django.test import Client
from django_scopes import scope

from conversations import desk
from conversations.live import long_poll
from crm.workspace import tokens
from crm.workspace.models import Role
from crm.workspace.threads import in_thread
from tests.factories import make_conversation, make_inbox, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(transactional_db):
    return make_member(make_workspace(), role=Role.OWNER)


@pytest.fixture(autouse=True)
def holding(monkeypatch):
    monkeypatch.setattr(long_poll, "_is_over", False)


async def application(scope, receive, send):
    """The long poll before the API's own view, without the ASGI server's side of Django."""

    async def api(scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = f"{scope['path']}?{scope['query_string'].decode()}"
        answer = await in_thread(lambda: Client().get(path, headers=headers))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": []})
        await send({"type": "http.response.body", "body": answer.content})

    await long_poll.hold(scope, receive, send, api)


def asking(key, query):
    headers = [(b"authorization", f"Bearer {key}".encode())]
    return HttpCommunicator(application, "GET", f"/api/v1/events?{query}", headers=headers)


async def ask(key, query):
    answer = await asking(key, query).get_response(timeout=15)
    return answer["status"], json.loads(answer["body"])


def key_of(member, *scopes):
    return tokens.make(member, name="feed", scopes=scopes or ("read",))[1]


def resolve_one(owner):
    with scope(workspace=owner.workspace):
        desk.resolve(make_conversation(make_inbox(owner.workspace)), by=owner)


async def head(key):
    return (await ask(key, "limit=200"))[1]["items"][-1]["number"]


async def held(count=1):
    """Wait until so many requests are held."""
    for _ in range(500):
        if len(long_poll._held) == count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("no request is held")


async def test_what_is_there_already_is_answered_at_once(owner):
    key = await in_thread(key_of, owner)
    await in_thread(resolve_one, owner)
    began = time.monotonic()

    status, found = await ask(key, "since=0&wait=25")

    assert status == 200
    assert found["items"][0]["number"] == 1
    assert time.monotonic() - began < 5


async def test_the_answer_comes_as_soon_as_something_newer_is_there_and_no_thread_waits(owner, monkeypatch):
    monkeypatch.setattr(long_poll, "LOOK_EVERY", 20.0)  # a hint, not a look
    key = await in_thread(key_of, owner)
    since = await head(key)
    asked = asyncio.create_task(ask(key, f"since={since}&wait=25"))
    await held()
    threads = threading.active_count()
    more = [asyncio.create_task(ask(key, f"since={since}&wait=25")) for _ in range(20)]
    await held(21)
    await asyncio.sleep(0.2)
    grown, began = threading.active_count() - threads, time.monotonic()

    await in_thread(resolve_one, owner)
    answers = await asyncio.gather(asked, *more)

    assert {status for status, _found in answers} == {200}
    assert {found["items"][0]["number"] for _status, found in answers} == {since + 1}
    assert time.monotonic() - began < 10
    assert grown < 20  # the pool's threads for a short look each, none that waits
    assert not long_poll._held


async def test_a_hint_that_was_lost_costs_a_look(owner, monkeypatch):
    monkeypatch.setattr(long_poll, "LOOK_EVERY", 0.2)

    async def deaf(workspace_id, moved):
        await asyncio.sleep(60)

    monkeypatch.setattr(long_poll, "_hear", deaf)
    key = await in_thread(key_of, owner)
    asked = asyncio.create_task(ask(key, f"since={await head(key)}&wait=25"))
    await held()

    await in_thread(resolve_one, owner)

    assert (await asked)[1]["items"]


async def test_when_nothing_happens_the_answer_is_empty_after_the_wait(owner):
    key = await in_thread(key_of, owner)
    since = await head(key)
    began = time.monotonic()

    status, found = await ask(key, f"since={since}&wait=1")

    assert (status, found) == (200, {"items": [], "next": None})
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "query", ["wait=31", "wait=-1", "wait=soon", "wait=1.5", "wait=9999999999999999999999", "wait="]
)
async def test_a_wait_that_is_no_wait_is_refused_at_once(owner, query):
    status, found = await ask(await in_thread(key_of, owner), f"since=99999&{query}")

    assert status == 422
    assert found["details"][0]["where"] == "query.wait"


async def test_who_may_not_read_does_not_wait(owner):
    status, _found = await ask("rpt_made-up", "since=99999&wait=25")
    assert status == 401

    status, _found = await ask(await in_thread(key_of, owner, "manage"), "since=99999&wait=25")
    assert status == 403


async def test_events_of_another_workspace_wake_nobody(owner, transactional_db):
    key = await in_thread(key_of, owner)
    since = await head(key)
    stranger = await in_thread(lambda: make_member(make_workspace(name="Other"), role=Role.OWNER))
    asked = asyncio.create_task(ask(key, f"since={since}&wait=2"))
    await held()

    await in_thread(resolve_one, stranger)

    assert (await asked)[1]["items"] == []


async def test_the_end_of_the_process_answers_who_waits(owner):
    key = await in_thread(key_of, owner)
    since = await head(key)
    asked = asyncio.create_task(ask(key, f"since={since}&wait=25"))
    await held()
    began = time.monotonic()

    long_poll.let_go()

    assert (await asked)[0] == 200
    assert (await ask(key, f"since={since}&wait=25"))[0] == 200  # nor is anybody held any more
    assert time.monotonic() - began < 5


async def test_a_caller_who_leaves_is_not_held(owner):
    key = await in_thread(key_of, owner)
    asked = asking(key, f"since={await head(key)}&wait=25")
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    await held()

    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(5)

    assert not long_poll._held
    assert await asked.receive_nothing()
