"""The open cases of e-mail, through `manage.py parse` and through the mailbox into the hub, as both would take them."""

import base64
import io
import json
import sys
import types

import pytest
from django.core.management import call_command

from channels_adapters import connections
from channels_adapters.contract import HookRequest
from channels_adapters.models import RawDelivery
from channels_adapters.workers.taking_in import take_in_slow
from conversations.models import Conversation, Delivery, Message, Thread
from crm.models import Customer
from tests.channels_adapters.contract.test_open_cases import CASES, caselib

cases = [case for case in caselib.load(CASES) if case["channel"] == "email"] if caselib else []
every_case = pytest.mark.parametrize("case", cases or [None], ids=lambda case: case["id"] if case else "none")
lie_beside = pytest.mark.skipif(not cases, reason="the adapter cases do not lie beside the repository")


@pytest.fixture
def inbox(workspace):
    """The channel of the cases, connected by its plain keys, with the mail that it is supposed to have sent."""
    channel = cases[0]["_channel"]
    given = {key: value for key, value in channel.items() if isinstance(value, str)}
    made = connections.connect(workspace, "email", name="Help", given=given)
    customer = Customer.objects.create(workspace=workspace, name="Carl")
    for sent in channel["outgoing"]:
        conversation = Conversation.objects.create(workspace=workspace, customer=customer, inbox=made)
        thread = Thread(workspace=workspace, inbox=made, external_id=sent["conversation"], conversation=conversation)
        thread.save()
        Delivery.objects.create(workspace=workspace, thread=thread, state="sent", external_id=sent["message_id"])
    yield made
    connections.forget()


def parsed(inbox, request, monkeypatch):
    """What `manage.py parse` prints."""
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(json.dumps(request).encode())))
    call_command("parse", inbox.key, "--fresh", stdout=printed)
    return json.loads(printed.getvalue())


@lie_beside
@every_case
def test_a_case_is_parsed_as_expected(case, inbox, monkeypatch):
    for number, want in enumerate(case["expect"]):
        made, given = caselib.materialise(case, number), case["deliveries"][number]
        as_bytes = {**made, "body": None, "body_b64": base64.b64encode(made["body"]).decode()}

        for request in (as_bytes, {"envelope_to": made["envelope_to"], **given}):
            told = parsed(inbox, request, monkeypatch)
            assert want["outcome"] in (told["outcome"], "any")
            assert len(told["events"]) == len(want["events"]) or want["outcome"] == "any"
            for expected, event in zip(want["events"], told["events"], strict=False):
                assert caselib.diff_event(expected, event) == []


@lie_beside
@every_case
def test_a_case_is_taken_into_the_hub(case, inbox, workspace):
    adapter = connections.serving(inbox.key).adapter
    for number in range(len(case["deliveries"])):
        mail = caselib.materialise(case, number)["body"]
        raw = RawDelivery(workspace=workspace, inbox=inbox, delivery_id=adapter.delivery_id(mail), body=mail)
        raw.save()
    take_in_slow()

    message = Message.objects.get(direction="in")
    (wanted,) = case["expect"][0]["events"] or [{"text": "Jag är ledig."}]
    assert message.text == wanted["text"]
    assert ("auto_reply" in message.details.get("flags", ())) == ("auto" in case["tags"])
    if wanted.get("conversation"):
        assert message.thread.external_id == wanted["conversation"]
        assert Conversation.objects.count() == 1
    assert not Message.objects.filter(direction="out").exists()


def test_a_mail_has_no_proof_and_a_request_needs_one(workspace, monkeypatch):
    inbox = connections.connect(workspace, "email", name="Help", given={"address": "help@open.example"})
    text = "From: carl@kund.example\nSubject: x\n\nhello\n"

    by_mail = parsed(inbox, {"via": "email", "eml_text": text, "envelope_from": ""}, monkeypatch)
    by_request = parsed(inbox, {"method": "POST", "headers": {}, "body": text}, monkeypatch)
    secret = connections.serving(inbox.key).adapter.settings["hook_secret"]
    proven = {"headers": {"Authorization": f"Bearer {secret}"}, "body": text, "query": "from=carl@kund.example"}
    connections.forget()

    assert (by_mail["outcome"], by_mail["events"][0]["flags"]) == ("accept", ["auto_reply"])
    assert (by_request["status"], by_request["outcome"]) == (401, "reject")
    told = parsed(inbox, proven, monkeypatch)
    assert (told["outcome"], told["events"][0]["text"]) == ("accept", "hello")


def test_a_request_is_taken_as_it_comes_over_http(workspace):
    inbox = connections.connect(workspace, "email", name="Help", given={"address": "help@open.example"})
    served = connections.serving(inbox.key)
    bearer = {"authorization": f"Bearer {served.adapter.settings['hook_secret']}"}
    request = HookRequest("POST", "", "from=carl@kund.example", bearer, b"From: carl@kund.example\r\n\r\nhello\r\n")

    served.adapter.authenticate(request)
    body = served.adapter.keep(request)
    connections.forget()

    assert body.startswith(b"Return-Path: <carl@kund.example>\r\n")
    assert served.adapter.delivery_id(body)
