"""Slack's requests at the door: the published signature, what is not theirs, the handshake."""

import hashlib
import hmac
import json
import time

import pytest
import time_machine
from slack_sdk.signature import SignatureVerifier

from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import HookRequest, WebhookRejected

SECRET = "open-slack-signing-secret"
# From Slack's own page "Verifying requests from Slack".
PUBLISHED = {
    "secret": "8f742231b10e8888abcd99yyyzzz85a5",
    "timestamp": "1531420618",
    "signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "body": b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
}


def a_request(body, timestamp, signature):
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
    return HookRequest("POST", "/hooks/1/", "", headers, body)


def signed(body, *, secret=SECRET, at=None):
    """As Slack signs, written from its description."""
    timestamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return a_request(body, timestamp, f"v0={mac.hexdigest()}")


def refusal(request, secret=SECRET):
    with pytest.raises(WebhookRejected) as refused:
        SlackAdapter({"signing_secret": secret}).authenticate(request)
    return refused.value.status


def test_the_published_signature_is_taken():
    adapter = SlackAdapter({"signing_secret": PUBLISHED["secret"]})
    request = a_request(PUBLISHED["body"], PUBLISHED["timestamp"], PUBLISHED["signature"])

    with time_machine.travel(int(PUBLISHED["timestamp"]) + 5):
        adapter.authenticate(request)

    (command,) = adapter.parse(request.body)
    assert (command.text, command.sender.username) == ("/webhook-collect", "roadrunner")


def test_the_published_signature_is_refused_for_another_byte_and_later():
    body, moment, signature = PUBLISHED["body"], PUBLISHED["timestamp"], PUBLISHED["signature"]

    with time_machine.travel(int(moment) + 5):
        assert refusal(a_request(body + b"&", moment, signature), PUBLISHED["secret"]) == 401
    assert refusal(a_request(body, moment, signature), PUBLISHED["secret"]) == 401


def test_our_way_of_signing_is_the_vendor_s():
    request = signed(b'{"a": 1}')

    assert SignatureVerifier(SECRET).is_valid_request(request.body, dict(request.headers))
    SlackAdapter({"signing_secret": SECRET}).authenticate(request)


@pytest.mark.parametrize("seconds, is_taken", [(-290, True), (290, True), (-310, False), (310, False), (-86400, False)])
def test_a_signature_is_good_for_five_minutes(seconds, is_taken):
    request = signed(b"{}", at=time.time() + seconds)

    if is_taken:
        SlackAdapter({"signing_secret": SECRET}).authenticate(request)
    else:
        assert refusal(request) == 401


@pytest.mark.parametrize("timestamp", ["", "abc", "1.5", "-", "9" * 400, "9" * 5000, "\udc00", "NaN", "٣"])
def test_a_timestamp_that_is_none_is_refused(timestamp):
    assert refusal(a_request(b"{}", timestamp, "v0=00")) == 401


@pytest.mark.parametrize("signature", ["", "v0=", "v0=é", "\udc00", "v1=00", "x" * 10_000])
def test_a_signature_that_is_none_is_refused(signature):
    assert refusal(a_request(b"{}", str(int(time.time())), signature)) == 401


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[1]", b"null", b"", b'{"type":"url_verification","challenge":"x"}'])
def test_an_unsigned_body_is_refused_whatever_it_is(body):
    assert refusal(a_request(body, str(int(time.time())), "v0=00")) == 401
    assert refusal(HookRequest("POST", "/", "", {}, body)) == 401


def test_a_body_that_is_not_utf_8_is_refused_also_when_signed():
    assert refusal(signed(b"\xff\xfe")) == 401


@pytest.mark.parametrize("secret", ["", "   "])
def test_without_a_secret_nothing_is_taken(secret):
    assert refusal(signed(b"{}", secret=""), secret) == 401


@pytest.mark.parametrize("body", [b"[1]", b"null", b"7", b"", b"hello", b'{"type":"event_callback"}', b"{}"])
def test_a_signed_body_that_is_no_delivery_is_a_400(body):
    with pytest.raises(WebhookRejected) as refused:
        SlackAdapter({}).delivery_id(body)

    assert refused.value.status == 400


def test_the_handshake_gives_the_challenge_back():
    adapter = SlackAdapter({"signing_secret": SECRET})
    request = signed(b'{"type":"url_verification","challenge":"\\u00e9 x","token":"t"}')

    adapter.authenticate(request)
    answer = adapter.answer(request)

    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "é x"})


def test_a_message_about_the_handshake_is_no_handshake():
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"text": "url_verification"}}).encode()

    assert SlackAdapter({}).answer(signed(body)) is None


def test_a_retry_has_the_id_of_the_first_try():
    body = b'{"type": "event_callback", "event_id": "Ev1", "event": {}}'

    assert SlackAdapter({}).delivery_id(body) == "Ev1" == SlackAdapter({}).delivery_id(body + b" ")


def test_a_stored_delivery_is_answered_with_nothing():
    assert (SlackAdapter.accepted.status, SlackAdapter.accepted.body) == (200, b"")
