"""The generic channel's hook, as another system calls it: over HTTP, signed by `openssl`."""

import json
import subprocess
import time
from datetime import UTC, datetime

import pytest
import time_machine
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django_scopes import scope, scopes_disabled

from channels_adapters import connections, hooks
from channels_adapters.adapters.webhook import WebhookAdapter
from channels_adapters.adapters.webhook.signing import sign
from channels_adapters.contract import HookRequest, Refused, Unreadable, WebhookRejected
from channels_adapters.models import RawDelivery
from channels_adapters.workers.intake import Intake
from conversations.inbound import receive_message
from conversations.inbound_changes import apply
from conversations.models import Message
from crm.models import Customer, Identity
from tests.factories import make_workspace

NOW = datetime(2026, 8, 20, 10, 0, tzinfo=UTC)
SAID = b'{"type": "message", "id": "ext-1", "contact": {"id": "k1"}, "text": "hello"}'


def by_openssl(body, secret="s3cret", at=None):
    at = int(time.time()) if at is None else at
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-r"]
    made = subprocess.run(command, input=b"%d." % at + body, capture_output=True, check=True).stdout.split()[0]
    return {"x-crm-timestamp": str(at), "x-crm-signature": f"sha256={made.decode()}"}


def asked(body=SAID, method="POST", **headers):
    given = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(method, "/hooks/x/", "", given, body)


def adapter(**settings):
    return WebhookAdapter({"secret": "s3cret", **settings})


def test_our_signature_is_the_one_of_openssl():
    assert sign("s3cret", 1787220000, SAID) == by_openssl(SAID, at=1787220000)["x-crm-signature"]


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_a_signature_of_these_minutes_is_taken(off):
    with time_machine.travel(NOW, tick=False):
        adapter().authenticate(asked(**by_openssl(SAID, at=int(NOW.timestamp()) + off)))


@pytest.mark.parametrize("off", [-301, 301, -86_400])
def test_a_signature_of_another_time_is_refused(off):
    with time_machine.travel(NOW, tick=False), pytest.raises(WebhookRejected, match="five minutes") as refusal:
        adapter().authenticate(asked(**by_openssl(SAID, at=int(NOW.timestamp()) + off)))

    assert refusal.value.status == 401


def test_the_time_is_signed_too():
    signed = by_openssl(SAID) | {"x-crm-timestamp": str(int(time.time()) + 1)}

    with pytest.raises(WebhookRejected):
        adapter().authenticate(asked(**signed))


@pytest.mark.parametrize("at", ["", "soon", "-1", "1e9", "9" * 13, "²", "1787220000.5"])
def test_a_time_that_is_none_is_refused(at):
    with pytest.raises(WebhookRejected):
        adapter().authenticate(asked(**by_openssl(SAID) | {"x-crm-timestamp": at}))


def test_another_body_or_another_inbox_s_secret_is_refused():
    for request in (asked(SAID + b" ", **by_openssl(SAID)), asked(**by_openssl(SAID, secret="other"))):
        with pytest.raises(WebhookRejected) as refusal:
            adapter().authenticate(request)
        assert refusal.value.status == 401


def test_while_the_secret_changes_the_old_one_is_taken_too():
    adapter(secret="new", old_secret="s3cret").authenticate(asked(**by_openssl(SAID)))

    with pytest.raises(WebhookRejected):
        adapter(secret="new").authenticate(asked(**by_openssl(SAID)))


def test_a_key_may_stand_for_a_signature():
    adapter(api_key="long").authenticate(asked(authorization="Bearer long"))

    for given, key in (("Bearer short", "long"), ("long", "long"), ("Bearer ", ""), ("Bearer s3cret", "long")):
        with pytest.raises(WebhookRejected):
            adapter(api_key=key).authenticate(asked(authorization=given))


def test_a_signed_get_tries_the_connection():
    request = asked(b"", method="GET", **by_openssl(b""))
    adapter().authenticate(request)

    assert json.loads(adapter().answer(request).body) == {"channel": "webhook"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
def test_another_content_type_is_a_415(kind):
    with pytest.raises(WebhookRejected) as refusal:
        adapter().authenticate(asked(content_type=kind, **by_openssl(SAID)))

    assert refusal.value.status == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.erp+json"])
def test_json_by_its_other_names_is_taken(kind):
    adapter().authenticate(asked(content_type=kind, **by_openssl(SAID)))


def test_an_id_belongs_to_its_kind_of_event():
    named = adapter().delivery_id

    assert named(SAID) == named(SAID.replace(b"hello", b"changed"))
    assert named(SAID) != named(SAID.replace(b'"message"', b'"edit"'))
    assert named(b'{"type": "typing"}') != named(b'{"type": "read"}')


def test_a_key_in_the_header_names_a_call_without_an_id():
    body = b'{"type": "message", "contact": {"id": "k1"}, "text": "hello"}'
    kept = adapter().keep(asked(body, idempotency_key="key-1"))

    (message,) = adapter().parse(kept)

    assert (adapter().delivery_id(kept), message.external_id) == ("message:key-1", "key-1")
    assert adapter().keep(asked(SAID, idempotency_key="é\n")) == SAID


def test_the_id_in_the_body_counts_before_the_header():
    kept = adapter().keep(asked(SAID, idempotency_key="key-1"))

    assert adapter().delivery_id(kept) == adapter().delivery_id(SAID) == "message:ext-1"


def test_a_file_that_lies_in_the_call_is_found_there():
    said = {"type": "message", "id": "1", "contact": {"id": "k"}, "attachments": [{}, {"data": "bWVvdw=="}]}
    body = json.dumps(said).encode()
    (file,) = adapter().parse(body)[0].attachments

    assert adapter().carries(file.external_id)
    assert adapter().unpack(body, file.external_id, 4) == b"meow"
    assert not adapter().carries("https://files.example/a.jpg")
    for wrong, limit in ((file.external_id, 3), ("within:0", 9), ("within:7", 9), ("within:x", 9)):
        with pytest.raises(Refused):
            adapter().unpack(body, wrong, limit)


@pytest.fixture
def running(monkeypatch, transactional_db):
    intake = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()


@pytest.mark.django_db(transaction=True)
async def test_a_message_over_http_is_stored_once_and_becomes_a_message(running):
    inbox = await sync_to_async(connected)()

    for _ in range(2):
        answer = await post(inbox, SAID)
        assert (answer["status"], json.loads(answer["body"])) == (202, {"id": "message:ext-1"})
    assert (await post(inbox, b"[1]"))["status"] == 400
    assert (await post(inbox, b"x" * 1_100_000))["status"] == 413

    assert await sync_to_async(stored)(running) == (1, ["hello"])


@pytest.mark.django_db(transaction=True)
async def test_who_calls_too_often_is_told_when_to_go_on(running, monkeypatch):
    monkeypatch.setattr(WebhookAdapter, "calls_per_second", 1)
    inbox = await sync_to_async(connected)()

    answers = [await post(inbox, SAID.replace(b"ext-1", b"ext-%d" % number)) for number in range(6)]

    assert [answer["status"] for answer in answers] == [202] * 5 + [429]
    assert dict(answers[5]["headers"])[b"retry-after"] == b"5"


def test_a_contact_is_shown_by_its_new_name(db):
    inbox = connected()
    with scope(workspace=inbox.workspace):
        for said in adapter().parse(SAID):
            receive_message(inbox, said, triage=None)
        renamed = b'{"type": "contact", "contact": {"id": "k1", "name": "Siv Berg", "username": "siv"}}'
        (changed,) = adapter().parse(renamed)

        assert apply(changed, inbox)
        assert not apply(changed, inbox)  # nothing new
        assert (Customer.objects.get().name, Identity.objects.get().handle) == ("Siv Berg", "@siv")
        (stranger,) = adapter().parse(renamed.replace(b"k1", b"k2"))
        assert not apply(stranger, inbox)
        assert Customer.objects.count() == 1


def test_a_contact_without_an_id_cannot_be_read():
    with pytest.raises(Unreadable, match="/contact/id is missing"):
        adapter().parse(b'{"type": "contact", "contact": {"name": "Siv"}}')


def connected():
    return connections.connect(make_workspace(), "webhook", name="ERP", given={"secret": "s3cret"})


async def post(inbox, body):
    headers = {"content-type": "application/json"} | by_openssl(body)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return await HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", body, raw).get_response(timeout=10)


def stored(intake):
    with scopes_disabled():
        until = time.monotonic() + 60  # the first message of a process loads what reads it
        while not Message.objects.exists() and time.monotonic() < until:
            time.sleep(0.02)
        intake.stop()
        return RawDelivery.objects.count(), list(Message.objects.values_list("text", flat=True))
