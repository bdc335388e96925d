"""What leaves by Twilio, and what each of its answers means."""

import base64
import json
from urllib.parse import parse_qsl

import pytest

from channels_adapters.adapters.twilio import TwilioAdapter
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, TemplateUse, Uncertain
from crm.workspace import clock
from tests.channels_adapters.fake_platform import Answer, FakePlatform
from tests.channels_adapters.patience import patience

SID = "AC" + "0" * 32
CONTENT_SID = "HX" + "a" * 32
MESSAGES = f"/2010-04-01/Accounts/{SID}/Messages.json"
NUMBERS = f"/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json"
HOOK = "https://desk.example/hooks/1/"
ACCEPTED = Answer(201, {"sid": "SM7", "status": "queued", "num_segments": "2", "error_code": None})


@pytest.fixture
async def twilio():
    async with FakePlatform() as running:
        running.usual = lambda call: ACCEPTED
        yield running


@pytest.fixture
async def adapter(twilio):
    made = adapter_of(twilio, sms_number="+46709999999", whatsapp_number="+46708888888")
    yield made
    await made.close()


def adapter_of(twilio, **settings):
    given = {"account_sid": SID, "auth_token": "t0ken", "api_url": twilio.url, "hook_url": HOOK, **settings}
    made = TwilioAdapter(given)
    return made


def a_part(text="Hello", thread_id="+46701234567", **fields):
    return OutboundPart(12, thread_id, text, wanted_at=clock.now(), **fields)


def form_of(call):
    return dict(parse_qsl(call.body.decode(), keep_blank_values=True))


async def test_a_text_leaves_as_sms_and_its_statuses_will_name_the_part(twilio, adapter):
    receipt = await adapter.send(a_part("Hej å"))

    (call,) = twilio.called(MESSAGES)
    assert form_of(call) == {
        "To": "+46701234567",
        "From": "+46709999999",
        "Body": "Hej å",
        "StatusCallback": f"{HOOK}?rapport_part=12",
    }
    assert call.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:t0ken".encode()).decode()
    assert (receipt.external_id, receipt.details) == ("SM7", {"segments": "2"})


async def test_whatsapp_leaves_from_the_whatsapp_number(twilio, adapter):
    await adapter.send(a_part(thread_id="whatsapp:+46701234567"))

    form = form_of(twilio.calls[0])
    assert (form["To"], form["From"]) == ("whatsapp:+46701234567", "whatsapp:+46708888888")


@pytest.mark.parametrize(
    "to, sender",
    [
        ("+46700000001", "+46700000001"),
        ("whatsapp:+46708888888", "+46709999999"),  # of another kind than the thread
        ("'; --", "+46709999999"),
        (None, "+46709999999"),
    ],
)
async def test_an_answer_leaves_from_the_number_they_wrote_to(twilio, adapter, to, sender):
    await adapter.send(a_part(answers={"to": to}))

    assert form_of(twilio.calls[0])["From"] == sender


async def test_a_messaging_service_chooses_the_number(twilio):
    adapter = adapter_of(twilio, messaging_service_sid="MG1")
    await adapter.send(a_part())
    await adapter.close()

    assert form_of(twilio.calls[0])["MessagingServiceSid"] == "MG1"
    assert "From" not in form_of(twilio.calls[0])


async def test_without_a_number_to_send_from_it_is_refused(twilio):
    adapter = adapter_of(twilio, sms_number="+46709999999")

    with pytest.raises(Refused, match="whatsapp_number"):
        await adapter.send(a_part(thread_id="whatsapp:+46701234567"))
    await adapter.close()


@pytest.mark.parametrize("thread_id", ["", "Nordic Bank", "whatsapp:", "C123:9", "x" * 300])
async def test_what_takes_no_answer_is_refused(twilio, adapter, thread_id):
    with pytest.raises(Refused, match="takes no answers"):
        await adapter.send(a_part(thread_id=thread_id))
    assert twilio.calls == []


def a_file(name, mime, size=4, url="https://desk.example/public-files/p/x"):
    return OutboundFile(name, mime, b"x" * size, url)


@pytest.mark.parametrize(
    "thread_id, file",
    [
        ("+46701234567", a_file("a.jpg", "image/jpeg")),
        ("whatsapp:+46701234567", a_file("a.pdf", "application/pdf")),
        ("whatsapp:+46701234567", a_file("a.jpg", "image/jpeg", 6_000_000)),
    ],
)
async def test_a_file_leaves_by_our_address(twilio, adapter, thread_id, file):
    await adapter.send(a_part("Look", thread_id, file=file))

    form = form_of(twilio.calls[0])
    assert (form["MediaUrl"], form["Body"]) == (file.url, "Look")


@pytest.mark.parametrize("file", [a_file("a.pdf", "application/pdf"), a_file("a.jpg", "image/jpeg", 6_000_000)])
async def test_what_sms_does_not_carry_is_a_link(twilio, adapter, file):
    await adapter.send(a_part("Look", file=file))

    form = form_of(twilio.calls[0])
    assert form["Body"] == f"Look\n{file.url}"
    assert "MediaUrl" not in form


@pytest.mark.parametrize("url", ["", "http://localhost:8000/x", "http://desk.example/x", "https://localhost/x"])
async def test_a_file_that_twilio_cannot_fetch_is_refused(url):
    adapter = TwilioAdapter({"account_sid": SID, "auth_token": "t", "sms_number": "+46709999999"})

    with pytest.raises(Refused, match="PUBLIC_URL"):
        await adapter.send(a_part("", file=a_file("a.jpg", "image/jpeg", url=url)))
    await adapter.close()


async def test_nobody_is_told_an_address_that_cannot_be_called(twilio):
    adapter = adapter_of(twilio, sms_number="+46709999999", hook_url="")
    await adapter.send(a_part())
    await adapter.close()

    assert "StatusCallback" not in form_of(twilio.calls[0])


CONTENT = {
    "sid": CONTENT_SID,
    "friendly_name": "order_update",
    "language": "sv",
    "variables": {"10": "x", "1": "name", "2": "number"},
    "types": {"twilio/text": {"body": "Hej {{1}}, order {{2}}"}},
    "approval_requests": {"status": "approved", "category": "UTILITY", "rejection_reason": ""},
}


async def test_templates_are_listed_with_their_states(twilio, adapter):
    rejected = CONTENT | {
        "sid": "HX" + "b" * 32,
        "approval_requests": {"status": "rejected", "rejection_reason": "vague"},
    }
    asked = CONTENT | {"sid": "HX" + "c" * 32, "approval_requests": None}
    twilio.script("/v1/ContentAndApprovals", Answer(200, {"contents": [CONTENT, rejected, asked, {}]}))

    first, second, third = await adapter.templates()

    assert (first.name, first.language, first.status) == (f"order_update {CONTENT_SID}", "sv", "approved")
    assert (first.text, first.variables, first.category) == ("Hej {{1}}, order {{2}}", ("1", "2", "10"), "utility")
    assert (second.status, second.reason, third.status) == ("rejected", "vague", "pending")


async def test_a_template_leaves_with_its_values(twilio, adapter):
    twilio.script(f"/v1/Content/{CONTENT_SID}", Answer(200, CONTENT))
    use = TemplateUse(f"order_update {CONTENT_SID}", "sv", ("Anna", "17", "!"))

    await adapter.send(a_part("Hej Anna", "whatsapp:+46701234567", template=use))

    form = form_of(twilio.called(MESSAGES)[0])
    assert form["ContentSid"] == CONTENT_SID
    assert json.loads(form["ContentVariables"]) == {"1": "Anna", "2": "17", "10": "!"}
    assert "Body" not in form


async def test_a_template_that_is_not_filled_in_is_refused(twilio, adapter):
    twilio.script(f"/v1/Content/{CONTENT_SID}", Answer(200, CONTENT))

    with pytest.raises(Refused, match="3 values"):
        await adapter.send(a_part(template=TemplateUse(f"o {CONTENT_SID}", "sv", ("Anna",))))
    with pytest.raises(Refused, match="no template"):
        await adapter.send(a_part(template=TemplateUse("order_update", "sv")))
    assert twilio.called(MESSAGES) == []


def error(code, status=400, message="They say why"):
    return Answer(status, {"code": code, "message": message, "status": status, "more_info": "https://..."})


@pytest.mark.parametrize(
    "answer, why",
    [
        (error(21211), "not a number"),
        (error(21610), "STOP"),
        (error(21614), "landline"),
        (error(63016), "24 hours"),
        (error(21408, 403), "switched off"),
        (error(21999), "error 21999.*They say why"),
        (Answer(201, {"sid": "SM7", "status": "failed", "error_code": 21610}), "STOP"),
        (Answer(404, {"code": 20405, "message": "no"}), "no"),
    ],
)
async def test_what_never_works_is_refused_in_plain_words(twilio, adapter, answer, why):
    twilio.script(MESSAGES, answer)

    with pytest.raises(Refused, match=why):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "answer, after",
    [
        (Answer(429, {"code": 20429, "message": "Too many"}, {"Retry-After": "3"}), 3),
        (error(63018), None),
        (error(20503, 503), None),
        (Answer(500, "<html>"), None),
        (error(20003, 401), 300),
        (Answer(401, "no"), 300),
    ],
)
async def test_what_may_work_later_is_tried_later(twilio, adapter, answer, after):
    twilio.script(MESSAGES, answer)

    with pytest.raises(Retryable) as failure:
        await adapter.send(a_part())
    assert failure.value.retry_after == after


@pytest.mark.parametrize(
    "answer",
    [
        Answer(how="hang"),
        Answer(how="drop"),
        Answer(502, "<html>"),
        Answer(504, ""),
        Answer(201, "<html>"),
        Answer(200, {"ok": True}),
    ],
)
async def test_when_nobody_knows_it_is_uncertain_and_a_status_will_tell(twilio, adapter, answer):
    adapter.call_seconds = patience(answer.how)
    twilio.script(MESSAGES, answer)

    with pytest.raises(Uncertain):
        await adapter.send(a_part())


async def test_typing_is_shown_on_whatsapp_under_their_message(twilio, adapter):
    await adapter.typing_under("whatsapp:+46701234567", "SM1")
    await adapter.typing_under("+46701234567", "SM1")
    await adapter.typing_under("whatsapp:+46701234567", "")

    (call,) = twilio.calls
    assert (call.path, form_of(call)) == ("/v2/Indicators/Typing.json", {"messageId": "SM1", "channel": "whatsapp"})


async def test_without_a_token_what_waits_is_kept():
    with pytest.raises(Retryable, match="token"):
        await TwilioAdapter({}).send(a_part())


async def test_nothing_to_send_is_refused(twilio, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" "))


async def test_the_connection_test_finds_the_number_and_registers_the_hook(twilio, adapter):
    twilio.script(NUMBERS, Answer(200, {"incoming_phone_numbers": [{"sid": "PN1"}]}))

    found = await adapter.check(HOOK)

    assert (found.problems, found.facts["hook_url"]) == ((), HOOK)
    (call,) = twilio.called(f"/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers/PN1.json")
    assert form_of(call) == {"SmsUrl": HOOK, "SmsMethod": "POST"}


async def test_a_messaging_service_is_told_the_hook_instead(twilio):
    adapter = adapter_of(twilio, sms_number="+46709999999", messaging_service_sid="MG1")
    twilio.script(NUMBERS, Answer(200, {"incoming_phone_numbers": [{"sid": "PN1"}]}))
    await adapter.check(HOOK)
    await adapter.close()

    assert form_of(twilio.called("/v1/Services/MG1")[0])["InboundRequestUrl"] == HOOK


@pytest.mark.parametrize(
    "answer, problem",
    [
        (error(20003, 401), "copy them again"),
        (Answer(200, {"incoming_phone_numbers": []}), "has no number"),
        (Answer(how="drop"), "Twilio"),
    ],
)
async def test_the_connection_test_says_what_is_wrong(twilio, adapter, answer, problem):
    twilio.script(NUMBERS, answer)

    found = await adapter.check(HOOK)

    assert problem in found.problems[0]
    assert found.facts["hook_url"] == HOOK


async def test_media_are_fetched_with_the_token_from_twilio_only(twilio, adapter):
    path = f"/2010-04-01/Accounts/{SID}/Messages/MM1/Media/ME1"
    twilio.script(path, Answer(200, b"jpeg"))

    assert await adapter.fetch(f"https://api.twilio.com{path}", 10) == b"jpeg"
    assert twilio.calls[0].headers["authorization"].startswith("Basic ")
    for url in ("https://evil.example/x", "http://api.twilio.com/x", "https://api.twilio.com.evil.example/", "x"):
        with pytest.raises(Refused, match="does not lie with Twilio"):
            await adapter.fetch(url, 10)
    assert len(twilio.calls) == 1
