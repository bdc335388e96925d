"""What holds for every channel. A new adapter is found by itself; it only brings its samples."""

import json

import pytest

from channels_adapters.contract import Capabilities, HookRequest, Setting, Unreadable, WebhookRejected
from channels_adapters.registry import channels
from conversations import normalized
from tests.channels_adapters.contract.samples import SAMPLES, adapter_of, connection, missing, parsed, samples

every_channel = pytest.mark.parametrize("channel", sorted(channels()))
every_sample = pytest.mark.parametrize("sample", samples(), ids=lambda sample: f"{sample.channel}-{sample.name}")

HOSTILE = {
    "empty": b"",
    "null": b"null",
    "a list": b"[1]",
    "a number": b"7",
    "not JSON": b"<xml/>",
    "half": b'{"update_id": 1, "message": {"te',
    "not UTF-8": b'{"update_id": 1, "text": "\xff\xfe"}',
    "UTF-16": '{"update_id": 1}'.encode("utf-16"),
    "NaN": b'{"update_id": NaN}',
    "infinity": b'{"update_id": 1e999, "message": {"date": -Infinity}}',
    "a deep list": b"[" * 100_000,
    "a deep object": b'{"update_id": 1, "message": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "a number of 5,000 digits": b'{"update_id": ' + b"9" * 5_000 + b"}",
    "a number of 4,000 digits": b'{"update_id": ' + b"9" * 4_000 + b"}",
    "lone surrogates": b'{"update_id": 1, "\\ud800": "\\udfff"}',
    "a form": b"a=1&b=%00&c=%ff",
    "a name of Python": b'{"__class__": {"__init__": "x"}, "constructor": 1}',
}


@every_channel
def test_a_channel_says_what_it_is(channel):
    adapter = channels()[channel]

    assert adapter.channel == channel
    assert adapter.label
    assert isinstance(adapter.capabilities, Capabilities)
    assert adapter.capabilities.text_limit > 0
    assert json.dumps(adapter.capabilities.as_json())
    assert all(isinstance(setting, Setting) and setting.label for setting in adapter.settings_form)
    assert len({setting.key for setting in adapter.settings_form}) == len(adapter.settings_form)
    assert adapter.body_limit > 0


@every_channel
def test_secrets_of_a_channel_are_marked_as_secret(channel):
    secretive = ("token", "secret", "password")

    for setting in channels()[channel].settings_form:
        assert setting.secret or not any(word in setting.key for word in secretive), setting.key


@every_channel
def test_an_unsigned_request_is_refused(channel):
    adapter = adapter_of(channel)

    for body in (b"{}", b'{"update_id": 1}', b""):
        with pytest.raises(WebhookRejected) as refusal:
            adapter.authenticate(HookRequest("POST", "/hooks/x/", "", {"content-type": "application/json"}, body))
        assert refusal.value.status in (401, 403)


@every_channel
def test_a_request_with_wrong_proof_is_refused(channel):
    adapter = adapter_of(channel)

    for wrong in ("", "wrong", "é", "\udc00", "x" * 10_000):
        headers = dict.fromkeys(connection(channel).get("signed", {}), wrong)
        with pytest.raises(WebhookRejected):
            adapter.authenticate(HookRequest("POST", "/hooks/x/", "", headers, b"{}"))


@pytest.mark.parametrize("channel", [name for name in sorted(channels()) if "signed" in connection(name)])
def test_a_request_with_proof_is_taken(channel):
    request = HookRequest("POST", "/hooks/x/", "", connection(channel)["signed"], b"{}")

    assert adapter_of(channel).authenticate(request) is None


@every_channel
def test_an_account_without_settings_takes_no_request(channel):
    adapter = channels()[channel]({})

    for value in ("", "None"):
        headers = dict.fromkeys(connection(channel).get("signed", {}), value)
        with pytest.raises(WebhookRejected):
            adapter.authenticate(HookRequest("POST", "/hooks/x/", "", headers, b"{}"))


@every_channel
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_body_is_refused_or_read_never_a_crash(channel, body):
    adapter = adapter_of(channel)

    refusals = [refusal_of(adapter.delivery_id, body), refusal_of(adapter.parse, body)]

    assert all("\n" not in refusal.reason and len(refusal.reason) < 200 for refusal in refusals if refusal)
    assert refusals[0] is None or refusals[0].status == 400


def refusal_of(read, body):
    """What the contract lets a reader raise; None when it read the body."""
    try:
        read(body)
    except (WebhookRejected, Unreadable) as refusal:
        return refusal
    return None


@every_channel
def test_a_channel_has_samples(channel):
    assert any(sample.channel == channel for sample in samples()), f"none in {SAMPLES / channel}"


@every_sample
def test_a_sample_reads_as_expected(sample):
    events = parsed(adapter_of(sample.channel), sample.body)

    assert missing(sample.expect, events) == []


@every_sample
def test_reading_is_pure(sample):
    one, other = adapter_of(sample.channel), adapter_of(sample.channel)

    assert parsed(one, sample.body) == parsed(one, sample.body) == parsed(other, sample.body)


@every_sample
def test_what_is_read_can_be_stored(sample):
    if sample.expect == [{"kind": "Unreadable"}]:
        return
    for event in adapter_of(sample.channel).parse(sample.body):
        assert isinstance(event, normalized.Inbound)
        assert getattr(event, "thread_id", "none is named")
        assert getattr(event, "at", None) is None or event.at.tzinfo is not None
    for event in parsed(adapter_of(sample.channel), sample.body):
        text = json.dumps(event, ensure_ascii=False, allow_nan=False)
        assert "\\u0000" not in text
        assert text.encode()  # no lone surrogates


@every_sample
def test_a_sample_with_every_value_spoiled_is_refused_or_read_never_a_crash(sample):
    adapter = adapter_of(sample.channel)
    try:
        body = json.loads(sample.body)
    except ValueError:
        return

    for spoiled in _spoilt(body):
        refusal = refusal_of(adapter.parse, json.dumps(spoiled).encode())
        assert refusal is None or isinstance(refusal, Unreadable)


def _spoilt(value):
    """The value with each of its parts in turn replaced by something of another shape."""
    yield from (None, [], {}, "x", -1, 1.5, True, 10**30, "\x00\ud800", [[]], {"a": None})
    if isinstance(value, dict):
        for key, item in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: spoiled} for spoiled in _spoilt(item))
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], spoiled, *value[place + 1 :]] for spoiled in _spoilt(item))
