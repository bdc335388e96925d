"""The open adapter cases that lie beside the repository, when they do: what a delivery says, in their words."""

import importlib.util
import time
from pathlib import Path

import pytest

from channels_adapters import plain
from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.registry import channels

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "platforms" / "cases"


def load_caselib():
    spec = importlib.util.spec_from_file_location("caselib", CASES / "caselib.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


caselib = load_caselib() if CASES.exists() else None
cases = [case for case in caselib.load(CASES) if case["channel"] in channels()] if caselib else []
cases = [case for case in cases if case["channel"] != "email"]  # see tests/channels_adapters/email/test_open_cases.py


@pytest.mark.skipif(not cases, reason="the adapter cases do not lie beside the repository")
@pytest.mark.parametrize("case", cases or [None], ids=lambda case: case["id"] if case else "none")
def test_a_case_is_taken_as_expected(case):
    adapter = channels()[case["channel"]](case["_channel"])
    seen = set()

    for number, want in enumerate(case["expect"]):
        outcome, events = take(adapter, caselib.materialise(case, number, now=time.time()), seen)
        assert want["outcome"] in (outcome, "any")
        assert len(events) == len(want["events"]) or want["outcome"] == "any"
        for expected, event in zip(want["events"], events, strict=False):
            assert caselib.diff_event(expected, event) == []


def take(adapter, request, seen):
    headers = {name.lower(): value for name, value in request["headers"].items()}
    hook = HookRequest(request["method"], request["path"], request["query"], headers, request["body"])
    try:
        adapter.authenticate(hook)
        if adapter.answer(hook) is not None:
            return "challenge", []
        delivery_id = adapter.delivery_id(hook.body)
    except WebhookRejected:
        return "reject", []
    if delivery_id in seen:
        return "ignore", []
    seen.add(delivery_id)
    events = [plain.event(event) for event in adapter.parse(hook.body)]
    return ("accept" if events else "ignore"), events
