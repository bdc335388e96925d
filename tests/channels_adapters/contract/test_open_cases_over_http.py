"""The open adapter cases through the hooks themselves and through `manage.py parse`, on inboxes made by `connect`."""

import io
import json
import sys
import time

import pytest
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator
from django.core.management import call_command

from channels_adapters import hooks
from channels_adapters.registry import channels
from channels_adapters.workers.intake import Intake
from tests.channels_adapters.contract.test_open_cases import caselib, cases
from tests.factories import make_workspace

by_http = [case for case in cases if all(delivery.get("via") == "http" for delivery in case["deliveries"])]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not by_http, reason="the adapter cases do not lie beside the repository"),
]


@pytest.fixture
def intake(monkeypatch, transactional_db):
    running = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": running})())
    running.start()
    yield running
    running.stop()


def run(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return json.loads(out.getvalue())


def connected(case):
    """The key of an inbox with the settings of the case's channel, and nothing else but a platform that is away."""
    adapter = channels()[case["channel"]]
    known = {setting.key for setting in adapter.settings_form}
    given = {key: value for key, value in case["_channel"].items() if isinstance(value, str)}
    given |= {"api_url": "http://127.0.0.1:9"} if "api_url" in known else {}
    make_workspace()
    pairs = [f"{key}={value}" for key, value in given.items()]
    return run("connect", case["channel"], "--name", case["channel"], "--set", *pairs)["key"]


@pytest.mark.parametrize("case", by_http or [None], ids=lambda case: case["id"] if case else "none")
def test_a_case_is_answered_as_expected(case, intake):
    key = connected(case)

    for number, want in enumerate(case["expect"]):
        request = caselib.materialise(case, number, now=time.time())
        headers = [(name.encode(), value.encode()) for name, value in request["headers"].items()]
        path = f"/hooks/{key}/{request['path']}?{request['query']}"
        asked = HttpCommunicator(hooks.hooks, request["method"], path, request["body"], headers)
        answer = async_to_sync(asked.get_response)(timeout=10)
        assert answer["status"] in want["status"]
        assert answer["body"].decode() == want.get("body_equals", answer["body"].decode())
        assert want.get("body_contains", "") in answer["body"].decode()


@pytest.mark.parametrize("case", by_http or [None], ids=lambda case: case["id"] if case else "none")
def test_a_case_is_parsed_as_expected(case, monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    key = connected(case)

    for number, want in enumerate(case["expect"]):
        request = caselib.materialise(case, number, now=time.time())
        given = {**request, "body": request["body"].decode("utf-8", "surrogateescape")}
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(given).encode())))
        told = run("parse", key)
        assert told["status"] in want["status"]
        assert want["outcome"] in (told["outcome"], "any")
        assert len(told["events"]) == len(want["events"]) or want["outcome"] == "any"
        for expected, event in zip(want["events"], told["events"], strict=False):
            assert caselib.diff_event(expected, event) == []
