"""Twilio's webhooks: who signed them is judged by Twilio's own validator as well."""

import hashlib
import json
import time
from urllib.parse import parse_qsl, urlencode

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.http import QueryDict
from django_scopes import scopes_disabled
from twilio.request_validator import RequestValidator

from channels_adapters import connections, hooks, plain
from channels_adapters.adapters.twilio import TwilioAdapter
from channels_adapters.adapters.twilio.signing import sign
from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.workers.intake import Intake
from conversations.models import Message
from tests.factories import make_workspace

TOKEN = "open0twilio0token"
URL = "https://desk.example/hooks/k1/"
FORM = {"AccountSid": "AC1", "MessageSid": "SM1", "From": "+46701234567", "Body": "50 % + moms é", "FromCity": ""}


@pytest.fixture(autouse=True)
def public_url(settings):
    settings.PUBLIC_URL = "https://desk.example"


def signed(form=FORM, url=URL, *, token=TOKEN, query="", method="POST", body=None):
    """A request as Twilio makes it, signed by Twilio's library."""
    body = urlencode(form).encode() if body is None else body
    fields = QueryDict(body) if method == "POST" else {}
    full = f"{url}?{query}" if query else url
    made = RequestValidator(token).compute_signature(full, fields)
    return HookRequest(method, "/hooks/k1/", query, {"x-twilio-signature": made}, body if method == "POST" else b"")


def adapter(**settings):
    return TwilioAdapter({"account_sid": "AC1", "auth_token": TOKEN, "sms_number": "+46709999999", **settings})


def test_the_published_example_is_signed_as_published():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }

    assert (
        sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", [*form.items()]) == b"RSOYDt4T1cUTdK1PDd93/VVr8B8="
    )


@pytest.mark.parametrize(
    "body",
    [
        b"A=1&A=2&A=1&B=&C",
        b"Body=%F0%9F%91%8D%0D%0A+%26+%3D",
        b"Body=a;b&X=%00",
        "Body=å".encode(),
        b"",
    ],
)
def test_what_twilio_s_library_signs_is_taken(body):
    adapter().authenticate(signed(body=body))


@pytest.mark.parametrize("url", [URL, URL.replace("example/", "example:443/")])
def test_the_port_is_signed_or_not(url):
    adapter().authenticate(signed(url=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example/in/twilio/inbound",
        "https://proxy.example/in/hooks/k1/",
        "https://proxy.example/in",
        "https://proxy.example:8443/in/twilio/inbound",
    ],
)
def test_a_proxy_in_front_has_an_address_of_its_own(url):
    base = "https://proxy.example:8443/in/" if "8443" in url else "https://proxy.example/in"
    adapter(webhook_base=base, webhook_path="/twilio/inbound").authenticate(signed(url=url))

    with pytest.raises(WebhookRejected):
        adapter().authenticate(signed(url=url))


def test_the_query_is_signed():
    adapter().authenticate(signed(query="rapport_part=7"))

    request = signed(query="rapport_part=7")
    other = HookRequest("POST", request.path, "rapport_part=8", request.headers, request.body)
    with pytest.raises(WebhookRejected):
        adapter().authenticate(other)


def test_a_get_is_signed_by_its_address():
    request = signed(method="GET", query=urlencode(FORM))
    adapter().authenticate(request)

    (message,) = adapter().parse(adapter().keep(request))
    assert message.text == "50 % + moms é"


def test_a_json_body_is_signed_by_its_hash():
    body = json.dumps(FORM).encode()
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    made = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    request = HookRequest("POST", "/hooks/k1/", query, {"x-twilio-signature": made}, body)
    adapter().authenticate(request)

    assert adapter().parse(adapter().keep(request))[0].text == "50 % + moms é"
    for other in (body + b" ", b""):
        with pytest.raises(WebhookRejected):
            adapter().authenticate(HookRequest("POST", "/hooks/k1/", query, request.headers, other))


@pytest.mark.parametrize(
    "request_",
    [
        signed(token="another inbox's"),
        signed(url="https://elsewhere.example/hooks/k1/"),
        HookRequest("POST", "/hooks/k1/", "", {}, urlencode(FORM).encode()),
        HookRequest("POST", "/hooks/k1/", "", signed().headers, urlencode(FORM | {"Body": "x"}).encode()),
        HookRequest("POST", "/hooks/k1/", "", signed().headers, b"&".join([urlencode(FORM).encode(), b"New="])),
        HookRequest("POST", "/hooks/k2/", "", signed().headers, urlencode(FORM).encode()),
    ],
)
def test_what_twilio_did_not_sign_for_us_is_refused(request_):
    with pytest.raises(WebhookRejected) as refusal:
        adapter().authenticate(request_)

    assert refusal.value.status == 403


def test_a_form_of_too_many_fields_is_refused():
    with pytest.raises(WebhookRejected) as refusal:
        adapter().authenticate(HookRequest("POST", "/hooks/k1/", "", {}, b"a=1&" * 2_000))

    assert refusal.value.status == 400


def test_each_status_of_a_message_is_a_delivery_of_its_own():
    named = adapter().delivery_id

    assert named(b"MessageSid=SM1&From=x") == "SM1"
    assert named(b"MessageSid=SM1&MessageStatus=delivered") == "SM1:delivered"
    assert named(b"SmsSid=SM1&SmsStatus=received") == "SM1"


def test_our_number_of_the_part_comes_back_in_the_address():
    request = signed({"MessageSid": "SM9", "MessageStatus": "delivered"}, query="rapport_part=7")

    (receipt,) = adapter().parse(adapter().keep(request))

    assert (receipt.target, receipt.part) == ("SM9", 7)
    assert dict(parse_qsl(adapter().keep(request).decode()))["rapport_part"] == "7"


def test_a_choice_stands_with_the_message_that_makes_it():
    (event,) = plain.events(adapter().parse(urlencode(FORM | {"Body": "STOP"}).encode()))

    assert (event["kind"], event["effects"]) == ("message", {"opt_out": True, "auto_respond": False})


@pytest.fixture
def running(monkeypatch, transactional_db):
    intake = Intake()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tail", ["", "twilio/inbound"])
async def test_over_http_it_is_stored_and_the_answer_says_nothing_to_the_customer(running, tail):
    inbox = await sync_to_async(connected)()
    request = signed(url="https://proxy.example/hooks/twilio/inbound")
    path = f"/hooks/{inbox.key}/{tail}"
    headers = [(b"x-twilio-signature", request.headers["x-twilio-signature"].encode())]

    asked = HttpCommunicator(hooks.hooks, "POST", path, request.body, headers)
    answer = await asked.get_response(timeout=10)

    assert (answer["status"], answer["body"]) == (200, b"<Response/>")
    assert (b"content-type", b"text/xml") in answer["headers"]
    assert await sync_to_async(texts)(running) == ["50 % + moms é"]


def connected():
    given = {"account_sid": "AC1", "auth_token": TOKEN, "webhook_base": "https://proxy.example/hooks"}
    return connections.connect(make_workspace(), "twilio", name="SMS", given=given)


def texts(intake):
    with scopes_disabled():
        until = time.monotonic() + 60  # the first message of a process loads what reads it
        while not Message.objects.exists() and time.monotonic() < until:
            time.sleep(0.02)
        intake.stop()
        return list(Message.objects.values_list("text", flat=True))
