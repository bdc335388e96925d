import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command
from django_scopes import scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import Check
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.workers.intake import Arrival, store
from conversations.models import Inbox
from conversations.models.inbox import new_key
from crm.models import Agent, Membership
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_create_agent_makes_a_login_with_its_role():
    run("create_agent", "ana@example.org", "--password", "a-long-password", "--role", "admin")

    with scopes_disabled():
        assert Membership.objects.get().role == "admin"
    assert Agent.objects.get().check_password("a-long-password")


def test_create_agent_again_changes_password_and_role():
    run("create_agent", "ana@example.org", "--password", "one", "--role", "admin")
    run("create_agent", "ANA@example.org", "--password", "two", "--role", "analyst")

    with scopes_disabled():
        assert Membership.objects.get().role == "analyst"
    assert Agent.objects.get().check_password("two")


def test_create_agent_refuses_what_is_no_address():
    with pytest.raises(CommandError, match="not an email"):
        run("create_agent", "ana", "--password", "x")


def test_connect_prints_one_line_of_json(toy):
    answer = json.loads(run("connect", "toy", "--name", "Toys", "--set", "secret=word"))

    assert set(answer) == {"inbox", "key", "hook_url", "problems"}
    assert answer["hook_url"].endswith(f"/hooks/{answer['key']}/")
    with scopes_disabled():
        assert Connection.objects.get().settings == {"secret": "word"}


def test_connect_says_what_is_wrong_and_still_connects(toy, monkeypatch):
    async def check(self, hook_url):
        return Check(problems=("the platform does not answer",))

    monkeypatch.setattr(toy, "check", check)

    answer = json.loads(run("connect", "toy"))

    assert answer["problems"] == ["the platform does not answer"]


@pytest.mark.parametrize(
    "words,complaint",
    [
        (("connect", "pigeon"), "no channel"),
        (("connect", "toy", "--set", "secret"), "key=value"),
        (("connect", "toy", "--set", "colour=red"), "no setting"),
        (("connect", "telegram"), "bot_token"),
    ],
)
def test_connect_refuses_in_words(toy, words, complaint):
    with pytest.raises(CommandError, match=complaint):
        run(*words)
    with scopes_disabled():
        assert Connection.objects.count() == 0


def parse(monkeypatch, inbox, request) -> dict:
    raw = request if isinstance(request, bytes) else json.dumps(request).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    return json.loads(run("parse", inbox.key))


@pytest.fixture
def inbox(toy):
    return connections.connect(make_workspace(), "toy", name="Toys", given={})


def test_parse_shows_events_and_stores_nothing(monkeypatch, inbox):
    body = json.dumps({"id": 1, "from": "ada", "text": "hello"})

    answer = parse(monkeypatch, inbox, {"headers": {"X-Secret": "s3cret"}, "body": body})

    assert (answer["status"], answer["outcome"]) == (200, "accept")
    assert answer["events"][0]["kind"] == "message"
    assert answer["events"][0]["sender"]["id"] == "ada"
    with scopes_disabled():
        assert RawDelivery.objects.count() == 0


def test_parse_refuses_what_the_hook_refuses(monkeypatch, inbox):
    answer = parse(monkeypatch, inbox, {"headers": {"X-Secret": "wrong"}, "body": "{}"})

    assert (answer["status"], answer["outcome"], answer["events"]) == (403, "reject", [])


def test_parse_of_something_that_is_no_request_says_so(monkeypatch, inbox):
    with pytest.raises(CommandError, match="JSON object"):
        parse(monkeypatch, inbox, b"hello")


def test_an_inbox_s_key_never_looks_like_an_option():
    assert all(new_key()[0].isalpha() for _ in range(500))


def test_parse_of_a_delivery_that_came_before_says_that_a_repeat_changes_nothing(monkeypatch, inbox):
    body = json.dumps({"id": 1, "from": "ada", "text": "hello"})
    store([Arrival(inbox, "1", body.encode())])

    answer = parse(monkeypatch, inbox, {"headers": {"X-Secret": "s3cret"}, "body": body})

    assert (answer["outcome"], answer["duplicate"]) == ("ignore", True)


def test_parse_ignores_a_repeat_and_forgets_when_asked(monkeypatch, inbox):
    request = {"headers": {"X-Secret": "s3cret"}, "body": json.dumps({"id": 2, "from": "ada", "text": "hello"})}
    assert parse(monkeypatch, inbox, request)["outcome"] == "accept"
    assert parse(monkeypatch, inbox, request)["outcome"] == "ignore"

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(request).encode())))
    assert json.loads(run("parse", inbox.key, "--fresh"))["outcome"] == "accept"


def test_connect_explains_a_channel_s_settings_and_connects_nothing(toy):
    assert run("connect", "toy", "--explain") == "secret: any word\n"
    assert not Connection.objects.exists()
    with pytest.raises(CommandError, match="no channel 'nope'"):
        run("connect", "nope", "--explain")


def test_an_inbox_is_paused_resumed_and_looked_at_from_the_command_line(toy):
    key = json.loads(run("connect", "toy", "--name", "Toys"))["key"]

    assert json.loads(run("inbox", key, "--pause"))["state"] == "paused"
    assert json.loads(run("inbox", key, "--resume"))["state"] == "live"
    found = json.loads(run("inbox", key))
    assert (found["name"], found["problems"], found["failed"]) == ("Toys", [], 0)


def test_a_lost_inbox_is_mended_by_a_test_from_the_command_line(toy):
    key = json.loads(run("connect", "toy", "--name", "Toys"))["key"]
    with scopes_disabled():
        Inbox.objects.update(state="lost", lost_reason="The app was removed.")

    with pytest.raises(CommandError, match="--check"):
        run("inbox", key, "--resume")
    assert json.loads(run("inbox", key, "--check"))["state"] == "live"


def test_an_inbox_is_removed_from_the_command_line(toy):
    key = json.loads(run("connect", "toy", "--name", "Toys"))["key"]

    assert json.loads(run("inbox", key, "--remove"))["state"] == "removed"
    with pytest.raises(CommandError, match="no inbox"):
        run("inbox", key)
