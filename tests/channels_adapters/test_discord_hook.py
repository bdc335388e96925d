"""Buttons, commands and forms at the hook: signed with Ed25519, answered within Discord's three seconds."""

import json
import subprocess

import pytest
import time_machine
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django_scopes import scope

from channels_adapters import connections, hooks
from channels_adapters.adapters.discord import DiscordAdapter
from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.workers.intake import Intake
from conversations.models import Message
from crm.workspace import clock
from tests.factories import make_workspace

SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"  # of RFC 8032, section 7.1
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SEED))
BUTTON = {
    "id": "88",
    "application_id": "1001",
    "type": 3,
    "token": "t0",
    "channel_id": "5000",
    "user": {"id": "2000", "username": "ada"},
    "message": {"id": "77"},
    "data": {"custom_id": "yes", "component_type": 2},
}


def adapter_of(**settings):
    return DiscordAdapter({"public_key": PUBLIC, **settings})


def signed(body, *, key=KEY, offset=0, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent_at = str(int(clock.now().timestamp()) + offset)
    signature = key.sign(sent_at.encode() + body).hex()
    headers = {"x-signature-timestamp": sent_at, "x-signature-ed25519": signature, **headers}
    return HookRequest("POST", "/hooks/1/", "", headers, body)


def test_what_discord_signed_is_taken():
    assert adapter_of().authenticate(signed(BUTTON)) is None


def test_a_signature_made_by_another_program_is_taken(tmp_path):
    """openssl signs as Discord does: the raw bytes of the time, then those of the body."""
    sent_at, body = str(int(clock.now().timestamp())), b'{"type": 1}'
    (tmp_path / "what").write_bytes(sent_at.encode() + body)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key"], check=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key", "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout[-32:]
    signature = subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-inkey", tmp_path / "key", "-rawin", "-in", tmp_path / "what"],
        check=True,
        capture_output=True,
    ).stdout
    headers = {"x-signature-timestamp": sent_at, "x-signature-ed25519": signature.hex()}

    adapter_of(public_key=public.hex()).authenticate(HookRequest("POST", "/", "", headers, body))


@pytest.mark.parametrize(
    "broken",
    [
        {"x-signature-ed25519": ""},
        {"x-signature-ed25519": "zz"},
        {"x-signature-ed25519": "00" * 64},
        {"x-signature-ed25519": "é"},
        {"x-signature-timestamp": ""},
        {"x-signature-timestamp": "soon"},
        {"x-signature-timestamp": "\udc00"},
        {"x-signature-timestamp": "1" * 5000},
    ],
)
def test_a_broken_signature_is_refused(broken):
    with pytest.raises(WebhookRejected) as refusal:
        adapter_of().authenticate(signed(BUTTON, **broken))

    assert refusal.value.status == 401


def test_the_signature_of_another_bot_is_refused():
    with pytest.raises(WebhookRejected):
        adapter_of().authenticate(signed(BUTTON, key=Ed25519PrivateKey.generate()))


def test_changed_bytes_are_refused():
    request = signed(BUTTON)

    with pytest.raises(WebhookRejected):
        adapter_of().authenticate(HookRequest("POST", "/", "", request.headers, request.body + b" "))


@pytest.mark.parametrize("offset", [-301, 301])
def test_a_signature_of_another_time_is_refused(offset):
    with time_machine.travel(1787220000, tick=False), pytest.raises(WebhookRejected, match="too old"):
        adapter_of().authenticate(signed(BUTTON, offset=offset))


@pytest.mark.parametrize("key", ["", "zz", "00", "é"])
def test_without_a_key_nothing_is_taken(key):
    with pytest.raises(WebhookRejected):
        DiscordAdapter({"public_key": key}).authenticate(signed(BUTTON))


def test_the_seed_of_a_key_pair_stands_for_the_public_key():
    DiscordAdapter({"private_key_seed": SEED}).authenticate(signed(BUTTON))

    with pytest.raises(WebhookRejected):
        DiscordAdapter({"private_key_seed": "zz"}).authenticate(signed(BUTTON))
    assert KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == PUBLIC


def test_a_ping_is_answered():
    answer = adapter_of().answer(signed({"id": "1", "type": 1, "application_id": "1001"}))

    assert (answer.status, json.loads(answer.body), answer.content_type) == (200, {"type": 1}, "application/json")


def test_the_ping_of_discord_s_own_events_is_answered():
    assert adapter_of().answer(signed({"version": 1, "type": 0, "application_id": "1001"})).status == 204


def test_a_question_what_to_propose_is_answered_with_nothing():
    answer = adapter_of().answer(signed({"id": "1", "type": 4, "data": {"name": "order"}}))

    assert json.loads(answer.body) == {"type": 8, "data": {"choices": []}}


@pytest.mark.parametrize("body", [BUTTON, {"type": 1, "event": {"type": "APPLICATION_AUTHORIZED"}}, [1], b"\xff", {}])
def test_other_requests_are_no_handshake(body):
    assert adapter_of().answer(signed(body)) is None


def test_each_kind_is_acknowledged_in_its_own_way():
    adapter = adapter_of()

    def said(body):
        return adapter.acknowledge(adapter.delivery_id(json.dumps(body).encode()))

    assert json.loads(said(BUTTON).body) == {"type": 6}
    command = json.loads(said(BUTTON | {"type": 2}).body)
    assert (command["type"], command["data"]["flags"]) == (4, 64)
    assert said({"type": 1, "event": {"type": "APPLICATION_AUTHORIZED"}}).status == 204


@pytest.mark.django_db(transaction=True)
def test_a_button_that_is_posted_twice_is_one_message(monkeypatch):
    intake = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    workspace = make_workspace()
    given = {"public_key": PUBLIC, "application_id": "1001", "bot_user_id": "1000"}
    inbox = connections.connect(workspace, "discord", name="Discord", given=given)
    intake.start()

    answers = [post(inbox, signed(BUTTON)) for _ in range(2)]
    refused = post(inbox, signed(BUTTON, key=Ed25519PrivateKey.generate()))
    ping = post(inbox, signed({"id": "1", "type": 1}))
    intake.stop()

    assert [(answer["status"], json.loads(answer["body"])) for answer in answers] == [(200, {"type": 6})] * 2
    assert refused["status"] == 401
    assert json.loads(ping["body"]) == {"type": 1}
    with scope(workspace=workspace):
        assert Message.objects.get().external_id == "callback:88"


def post(inbox, request):
    headers = [(key.encode(), value.encode()) for key, value in request.headers.items()]
    asked = HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", request.body, headers)
    return async_to_sync(asked.get_response)(timeout=10)
