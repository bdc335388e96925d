"""LINE: what is signed, what leaves, and what each answer means. The samples are judged by LINE's own library."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from itertools import pairwise

import jsonschema
import pytest
import yaml
from linebot.v3 import WebhookParser
from linebot.v3.exceptions import InvalidSignatureError

from channels_adapters.adapters.line import LineAdapter
from channels_adapters.contract import (
    Button,
    HookRequest,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    Uncertain,
    WebhookRejected,
)
from crm.workspace import clock
from tests.channels_adapters.contract.samples import samples
from tests.channels_adapters.fake_platform import Answer, FakePlatform
from tests.channels_adapters.patience import patience
from tests.channels_adapters.prism import DESCRIPTIONS
from tests.conftest import NOT_BESIDE, left_out

USER = "U" + "a" * 32
SECRET = "channel_secret"
HOOK = "https://desk.example/hooks/1/"
PUSH, REPLY = "/v2/bot/message/push", "/v2/bot/message/reply"
SENT = Answer(200, {"sentMessages": [{"id": "461230966842064897", "quoteToken": "q1"}]})
BROKEN = ("only_broken", "no_source", "null_fields", "batch_with_a_broken_one", "no_events", "far_time")


def signature(body, secret=SECRET):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def asked(body, given):
    return HookRequest("POST", "/hooks/1/", "", {"x-line-signature": given}, body)


def adapter_of(**settings):
    return LineAdapter({"channel_secret": SECRET, "channel_access_token": "t0ken", **settings})


def test_the_known_example_is_taken():
    body = b'{"destination":"U","events":[]}'
    request = asked(body, "vP9OJ+/yhHo/jhW7t2KINzvFT3JZE91gXkUiAaACV+0=")
    adapter_of().authenticate(request)

    assert adapter_of().answer(request).status == 200


@pytest.mark.parametrize("given", ["", "x", signature(b"{}", "another"), signature(b"{} "), signature(b"{}").lower()])
def test_what_line_did_not_sign_for_us_is_refused(given):
    with pytest.raises(WebhookRejected):
        adapter_of().authenticate(asked(b"{}", given))
    with pytest.raises(InvalidSignatureError):
        WebhookParser(SECRET).parse('{"destination": "U", "events": []}', given)


line_samples = pytest.mark.parametrize(
    "sample",
    [each for each in samples() if each.channel == "line" and each.name not in (*BROKEN, "nul_and_lone_surrogates")],
    ids=lambda sample: sample.name,
)


@line_samples
def test_the_samples_are_what_line_s_library_reads(sample):
    events = WebhookParser(SECRET).parse(sample.body.decode(), signature(sample.body))

    assert len(events) == len(json.loads(sample.body)["events"])


@pytest.fixture(scope="module")
def described():
    path = DESCRIPTIONS / "line-webhook.yml"
    if not path.exists():
        left_out("LINE's webhooks against their description", f"it {NOT_BESIDE}")
        pytest.skip("no description")
    return yaml.safe_load(path.read_text())


@line_samples
def test_the_samples_are_as_line_describes_them(described, sample):
    for event in json.loads(sample.body)["events"]:
        kind = described["components"]["schemas"]["Event"]["discriminator"]["mapping"].get(event["type"])
        if kind and "message" in event:
            kinds = described["components"]["schemas"]["MessageContent"]["discriminator"]["mapping"]
            content = kinds.get(event["message"]["type"])
            if content:
                jsonschema.validate(event["message"], {**described, "$ref": content})
        jsonschema.validate(event, {**described, "$ref": kind or "#/components/schemas/Event"})


def test_a_redelivery_is_known():
    first = next(each for each in samples() if each.channel == "line" and each.name == "text").body
    again = first.replace(b'"isRedelivery": false', b'"isRedelivery": true')

    assert first != again
    assert adapter_of().delivery_id(first) == adapter_of().delivery_id(again)


@pytest.fixture
async def line():
    async with FakePlatform() as running:
        running.usual = lambda call: SENT if "/message/" in call.path else Answer(200, {})
        yield running


@pytest.fixture
async def adapter(line):
    made = adapter_of(api_url=line.url)
    yield made
    await made.close()


def answers(seconds_ago=1):
    said_at = int((clock.now().timestamp() - seconds_ago) * 1000)
    return {"reply_token": "r1", "said_at": str(said_at), "message": "468", "quote_token": "q0"}


def a_part(text="Hello", *, wanted_ago=0.0, **fields):
    wanted_at = clock.now() - timedelta(seconds=wanted_ago)
    return OutboundPart(12, USER, text, wanted_at=wanted_at, **fields)


def said(call):
    return json.loads(call.body)


async def test_an_answer_within_the_minute_is_free(line, adapter):
    receipt = await adapter.send(a_part(answers=answers()))

    (call,) = line.calls
    assert call.path == REPLY
    assert said(call) == {"replyToken": "r1", "messages": [{"type": "text", "text": "Hello"}]}
    assert call.headers["authorization"] == "Bearer t0ken"
    assert (receipt.external_id, receipt.details) == ("461230966842064897", {"quote_token": "q1"})


@pytest.mark.parametrize(
    "given",
    [
        {},
        answers(41),
        answers() | {"said_at": "x"},
        answers() | {"said_at": "9" * 20},
        answers() | {"reply_token": None},
    ],
)
async def test_later_it_is_pushed_with_a_key_that_tells_a_repeat(line, adapter, given):
    part = a_part(answers=given)
    await adapter.send(part)
    await adapter.send(part)

    first, second = line.called(PUSH)
    assert len(line.calls) == 2
    assert said(first)["to"] == USER
    assert first.headers["x-line-retry-key"] == second.headers["x-line-retry-key"]


async def test_another_part_has_another_key(line, adapter):
    await adapter.send(a_part())
    await adapter.send(a_part(wanted_ago=5))

    keys = [call.headers["x-line-retry-key"] for call in line.calls]
    assert all(one != other for one, other in pairwise(keys))


async def test_a_spent_reply_token_costs_a_push_and_nothing_else(line, adapter):
    line.script(REPLY, Answer(400, {"message": "Invalid reply token"}))

    await adapter.send(a_part(answers=answers()))

    assert [call.path for call in line.calls] == [REPLY, PUSH]


async def test_a_repeat_that_line_knows_is_sent(line, adapter):
    body = {"message": "The retry key is already accepted", "sentMessages": [{"id": "461"}]}
    line.script(
        PUSH,
        Answer(409, body, {"X-Line-Accepted-Request-Id": "req-1"}),
        Answer(409, {}, {"X-Line-Accepted-Request-Id": "req-1"}),
    )

    assert (await adapter.send(a_part())).external_id == "461"
    assert (await adapter.send(a_part())).external_id == "req-1"


@pytest.mark.parametrize("answer", [Answer(how="hang"), Answer(how="drop"), Answer(500, {}), Answer(502, "<html>")])
async def test_a_push_without_an_answer_is_tried_again_for_its_key_tells_a_repeat(line, adapter, answer):
    adapter.call_seconds = patience(answer.how)
    line.script(PUSH, answer)

    with pytest.raises(Retryable):
        await adapter.send(a_part())


@pytest.mark.parametrize("answer", [Answer(how="hang"), Answer(how="drop"), Answer(500, {}), Answer(200, "<html>")])
async def test_a_reply_without_an_answer_is_uncertain_and_never_pushed(line, adapter, answer):
    adapter.call_seconds = patience(answer.how)
    line.script(REPLY, answer)

    with pytest.raises(Uncertain):
        await adapter.send(a_part(answers=answers()))
    assert len(line.calls) == 1


@pytest.mark.parametrize(
    "answer, kind, why",
    [
        (Answer(429, {"message": "You have reached your monthly limit."}), Refused, "used up"),
        (
            Answer(429, {"message": "The API rate limit is exceeded"}, {"Retry-After": "7"}),
            Retryable,
            "slow down",
        ),
        (Answer(401, {"message": "Authentication failed"}), Retryable, "access token"),
        (Answer(403, {"message": "Not authorized"}), Retryable, "access token"),
        (
            Answer(400, {"message": "The request body has 1 error(s)", "details": [{"message": "Size must be"}]}),
            Refused,
            "1 error.*Size must be",
        ),
        (Answer(413, "<html>"), Refused, "413"),
    ],
)
async def test_what_line_says_is_said_in_plain_words(line, adapter, answer, kind, why):
    line.script(PUSH, answer)

    with pytest.raises(kind, match=why):
        await adapter.send(a_part())


async def test_a_long_text_of_emoji_is_several_messages_of_one_call(line, adapter):
    await adapter.send(a_part("👍" * 5_000))

    messages = said(line.calls[0])["messages"]
    assert "".join(message["text"] for message in messages) == "👍" * 5_000
    assert all(len(message["text"].encode("utf-16-le")) // 2 <= 5_000 for message in messages)
    assert len(messages) <= 5


async def test_buttons_are_quick_replies(line, adapter):
    buttons = [Button("Yes, thank you very much", "y"), Button("Shop", url="https://shop.example/")]
    await adapter.send(a_part(buttons=tuple(buttons)))

    first, second = said(line.calls[0])["messages"][-1]["quickReply"]["items"]
    assert first["action"] == {
        "type": "postback",
        "label": "Yes, thank you very ",
        "data": "y",
        "displayText": "Yes, thank you very ",
    }
    assert second["action"] == {"type": "uri", "label": "Shop", "uri": "https://shop.example/"}


async def test_their_last_message_can_be_quoted(line, adapter):
    await adapter.send(a_part(answers=answers(99), reply_to="468"))
    await adapter.send(a_part(answers=answers(99), reply_to="467"))

    first, second = (said(call)["messages"][0] for call in line.calls)
    assert first["quoteToken"] == "q0"
    assert "quoteToken" not in second


def a_file(mime, size=4, url="https://desk.example/public-files/p/x"):
    return OutboundFile("x", mime, b"x" * size, url)


async def test_a_picture_leaves_by_our_address(line, adapter):
    file = a_file("image/png")
    await adapter.send(a_part("Look", file=file))

    assert said(line.calls[0])["messages"] == [
        {"type": "image", "originalContentUrl": file.url, "previewImageUrl": file.url},
        {"type": "text", "text": "Look"},
    ]


@pytest.mark.parametrize("file", [a_file("application/pdf"), a_file("image/png", 1_100_000), a_file("video/mp4")])
async def test_what_line_does_not_carry_is_a_link(line, adapter, file):
    await adapter.send(a_part("Look", file=file))

    assert said(line.calls[0])["messages"] == [{"type": "text", "text": f"Look\n{file.url}"}]


async def test_a_file_that_line_cannot_fetch_is_refused():
    with pytest.raises(Refused, match="PUBLIC_URL"):
        await adapter_of().send(a_part(file=a_file("image/png", url="http://localhost/x")))


async def test_typing_and_reading_are_shown_where_they_can_be(line, adapter):
    await adapter.typing(USER)
    await adapter.typing("C" + "c" * 32)  # groups show none
    await adapter.act(OutboundAct(1, "read", USER, "468", answers={"read_token": "r9"}))
    await adapter.act(OutboundAct(1, "read", USER, "468"))

    animation, read = line.calls
    assert (animation.path, said(animation)) == ("/v2/bot/chat/loading/start", {"chatId": USER, "loadingSeconds": 20})
    assert (read.path, said(read)) == ("/v2/bot/chat/markAsRead", {"markAsReadToken": "r9"})
    with pytest.raises(Refused):
        await adapter.act(OutboundAct(1, "delete", USER, "468"))


async def test_files_are_fetched_by_their_message_and_only_line_sees_the_token(line, adapter):
    line.script("/v2/bot/message/468/content", Answer(202, ""), Answer(200, b"jpeg"))

    with pytest.raises(Retryable):
        await adapter.fetch("468", 10)  # a film that is still being prepared
    assert await adapter.fetch("468", 10) == b"jpeg"
    assert line.calls[-1].headers["authorization"] == "Bearer t0ken"
    for elsewhere in ("https://127.0.0.1/a.jpg", "../../profile/U1"):
        with pytest.raises(Refused):
            await adapter.fetch(elsewhere, 10)


async def test_a_person_s_profile(line, adapter):
    profile = {"displayName": "Brown", "userId": USER, "pictureUrl": "https://profile.line.example/x", "language": "ja"}
    line.script(f"/v2/bot/profile/{USER}", Answer(200, profile), Answer(404, {"message": "Not found"}))

    person = await adapter.profile(USER)

    assert (person.name, person.language, person.picture) == ("Brown", "ja", "https://profile.line.example/x")
    assert await adapter.profile(USER) is None


async def test_the_connection_test_registers_the_hook(line, adapter):
    line.script("/v2/bot/info", Answer(200, {"displayName": "Shop", "basicId": "@1", "userId": "U" + "b" * 32}))
    line.script("/v2/bot/message/quota", Answer(200, {"type": "limited", "value": 200}))
    line.script("/v2/bot/message/quota/consumption", Answer(200, {"totalUsage": 7}))
    line.script("/v2/bot/channel/webhook/endpoint", Answer(200, {}), Answer(200, {"endpoint": HOOK, "active": False}))

    found = await adapter.check(HOOK)

    assert "Use webhook" in found.problems[0]
    assert found.facts["bot_user_id"] == "U" + "b" * 32
    assert found.facts["messages this month"] == "7 of 200"
    put = line.called("/v2/bot/channel/webhook/endpoint")[0]
    assert (put.method, said(put)) == ("PUT", {"endpoint": HOOK})


async def test_the_connection_test_says_what_is_wrong(line, adapter):
    line.script("/v2/bot/info", Answer(401, {"message": "Authentication failed"}))

    assert "access token" in (await adapter.check(HOOK)).problems[0]
    assert "access token" in (await LineAdapter({"channel_secret": "s"}).check(HOOK)).problems[0]
