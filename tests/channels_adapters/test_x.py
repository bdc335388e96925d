"""X: its challenge and signatures, what leaves and what each failure means, and polling where there is no webhook."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from channels_adapters.adapters.x import XAdapter, counting, sending
from channels_adapters.contract import (
    HookRequest,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    Uncertain,
    WebhookRejected,
)
from conversations.normalized import InboundMessage
from tests.channels_adapters import hearing
from tests.channels_adapters.fake_x import BEARER, KEY, SECRET, TOKEN, TOKEN_SECRET, FakeX
from tests.channels_adapters.web_fake import Answer

HOOK = "https://desk.example/hooks/1/"
POSTS, WITH = "/2/tweets", "/2/dm_conversations/with/{id}/messages"
WHEN = datetime(2026, 11, 20, 9, 59, tzinfo=UTC)
A_PICTURE = OutboundFile("map.png", "image/png", b"\x89PNG", alt="A map")


@pytest.fixture
async def x():
    async with FakeX() as running:
        yield running


def an_adapter(x, **given):
    keys = {"consumer_key": KEY, "consumer_secret": SECRET, "access_token": TOKEN, "access_token_secret": TOKEN_SECRET}
    made = XAdapter(keys | {"bearer_token": BEARER, "api_url": x.url, "mode": "webhook", "username": "shop"} | given)
    return made


@pytest.fixture
async def adapter(x):
    made = an_adapter(x)
    yield made
    await made.close()


def a_part(text="Hello", thread_id="post:1800000000000000001", **fields):
    answers = {"post": "1800000000000000002"}
    given = {"delivery_id": 12, "thread_id": thread_id, "text": text, "wanted_at": WHEN, "answers": answers}
    return OutboundPart(**given | fields)


def get(query):
    return HookRequest("GET", "/hooks/1/", query, {}, b"")


def test_the_published_challenge_is_answered_as_published():
    adapter = XAdapter({"consumer_secret": "consumer_secret"})

    adapter.authenticate(get("crc_token=challenge_string&nonce=1"))
    answer = adapter.answer(get("crc_token=challenge_string&nonce=1"))

    assert json.loads(answer.body) == {"response_token": "sha256=v1WdiCVwy17uGTMWveHGlqQXN/qW1bQraNXXByRO2YA="}


@pytest.mark.parametrize("token", ['{"for_user_id":"100","direct_message_events":[]}', "{}", "", "a b", "x" * 201, "é"])
def test_a_challenge_that_could_be_a_delivery_is_not_answered(token):
    """Its answer would be the signature of a delivery that anyone could then send."""
    adapter, request = XAdapter({"consumer_secret": SECRET}), get(f"crc_token={quote(token)}")

    assert adapter.answer(request) is None
    with pytest.raises(WebhookRejected):
        adapter.authenticate(request)


async def test_a_signed_delivery_is_taken_and_a_changed_one_is_not(x, adapter):
    headers, body = x.delivery({"tweet_create_events": []})

    adapter.authenticate(HookRequest("POST", "/hooks/1/", "", headers, body))
    for wrong in (body + b" ", b"", body.replace(b"100", b"101")):
        with pytest.raises(WebhookRejected):
            adapter.authenticate(HookRequest("POST", "/hooks/1/", "", headers, wrong))
    with pytest.raises(WebhookRejected):
        an_adapter(x, consumer_secret="other").authenticate(HookRequest("POST", "/hooks/1/", "", headers, body))


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_second_signer_agrees(tmp_path):
    body = '{"for_user_id":"100","text":"Hallå"}'.encode()
    command = ["openssl", "dgst", "-sha256", "-hmac", SECRET, "-binary"]
    digest = subprocess.run(command, input=body, capture_output=True, check=True).stdout
    headers = {"x-twitter-webhooks-signature": f"sha256={base64.b64encode(digest).decode()}"}

    assert XAdapter({"consumer_secret": SECRET}).authenticate(HookRequest("POST", "/", "", headers, body)) is None
    assert digest == hmac.new(SECRET.encode(), body, hashlib.sha256).digest()


async def test_a_public_answer_stands_under_the_post(x, adapter):
    receipt = await adapter.send(a_part())

    (post,) = x.posts.values()
    assert (receipt.external_id, post["said"], post["replied"]) == (post["id"], "Hello", "1800000000000000002")


async def test_the_message_that_is_answered_counts_more_than_the_last(x, adapter):
    await adapter.send(a_part(reply_to="1800000000000000003"))

    assert [post["replied"] for post in x.posts.values()] == ["1800000000000000003"]


async def test_a_long_answer_is_a_chain_of_posts(x, adapter):
    text = "word " * 100 + "https://example.org/" + "x" * 100

    receipt = await adapter.send(a_part(text))

    posts = list(x.posts.values())
    assert receipt.details["chain"] == [post["id"] for post in posts]
    assert [post["replied"] for post in posts] == ["1800000000000000002", *(post["id"] for post in posts[:-1])]
    assert " ".join(post["said"] for post in posts) == text


@pytest.mark.parametrize(
    "text, counted",
    [
        ("hello", 5),
        ("你好", 4),
        ("https://example.org/" + "x" * 300, 23),
        ("see http://a.io now", 31),
        ("👩🏽‍🚒", 2),
        ("🇸🇪", 2),
        ("1️⃣", 2),
        ("é", 1),
        ("Ж", 1),
        ("“quoted”", 8),
        ("ﾊﾝ", 4),
        ("1 # ©", 5),
    ],
)
def test_text_is_counted_as_x_counts(text, counted):
    assert counting.length(text) == counted


async def test_a_private_answer_goes_to_the_person_and_one_to_a_group_to_it(x, adapter):
    await adapter.send(a_part("Your order", "dm:200"))
    await adapter.send(a_part("Your orders", "group:1700000000000000001"))

    assert [(event["to"], event["text"]) for event in x.messages] == [
        ("200", "Your order"),
        ("1700000000000000001", "Your orders"),
    ]


@pytest.mark.parametrize("thread_id", ["", "post:", "post:a", "dm:", "dm:../2", "group:1/2", "200"])
async def test_what_is_no_conversation_of_x_is_refused(x, adapter, thread_id):
    with pytest.raises(Refused, match="no conversation"):
        await adapter.send(a_part(thread_id=thread_id, answers={}))
    assert x.calls == []


async def test_a_picture_leaves_with_its_alt_text(x, adapter):
    await adapter.send(a_part("", file=A_PICTURE))
    await adapter.send(a_part("", "dm:200", file=A_PICTURE))

    (post,), (event,) = x.posts.values(), x.messages
    assert (x.uploads[post["media"][0]]["category"], x.alt_texts[post["media"][0]]) == ("tweet_image", "A map")
    assert x.uploads[event["media"][0]["media_id"]]["category"] == "dm_image"


async def test_a_film_leaves_in_pieces(x, adapter):
    data = bytes(9 * 1024 * 1024)

    await adapter.send(a_part("", file=OutboundFile("a.mp4", "video/mp4", data)))

    (upload,) = x.uploads.values()
    assert (upload["category"], upload["data"] == data) == ("tweet_video", True)
    assert len(x.called("POST", "/2/media/upload/{id}/append")) == 3


@pytest.mark.parametrize("mime, size", [("application/pdf", 1), ("image/png", 5 * 1024 * 1024 + 1)])
async def test_a_file_that_x_does_not_show_is_refused(x, adapter, mime, size):
    with pytest.raises(Refused, match="pictures"):
        await adapter.send(a_part("", file=OutboundFile("a", mime, bytes(size))))
    assert x.calls == []


@pytest.mark.parametrize("place", [("post:1800000000000000001", POSTS), ("dm:200", WITH)], ids=["public", "private"])
@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("text", ["Hello & <you>", "see https://example.org/a?b=1&c=2"])
async def test_what_left_without_an_answer_is_looked_up(x, adapter, place, arrives, text):
    thread_id, path = place
    x.script("POST", path, Answer(arrives=arrives, how="drop"))
    with pytest.raises(Uncertain):
        await adapter.send(a_part(text, thread_id))

    found = await adapter.look_up(a_part(text, thread_id))

    ids = [post["id"] for post in (*x.posts.values(), *x.messages)]
    assert ([found.external_id] if found else []) == ids


async def test_a_chain_that_broke_stays_uncertain(x, adapter):
    part = a_part("word " * 100)
    x.script("POST", POSTS, Answer(500, "no"))
    with pytest.raises(Retryable):
        await adapter.send(part)
    assert await adapter.look_up(part) is None

    sent = await adapter.send(part)
    del x.posts[sent.details["chain"][-1]]

    with pytest.raises(Uncertain, match="beginning"):
        await adapter.look_up(part)


async def test_trouble_after_the_first_post_is_uncertain(x, adapter):
    x.script("POST", POSTS, Answer(201, {"data": {"id": "1"}}), Answer(429, {"title": "Too Many Requests"}))

    with pytest.raises(Uncertain, match="beginning"):
        await adapter.send(a_part("word " * 100))


async def test_a_file_without_words_cannot_be_looked_up(x, adapter):
    with pytest.raises(Uncertain):
        await adapter.look_up(a_part("", file=A_PICTURE))


async def test_a_duplicate_of_our_own_earlier_try_was_sent(x, adapter):
    first = await adapter.send(a_part())

    assert await adapter.send(a_part()) == first
    assert len(x.posts) == 1


async def test_a_duplicate_of_something_else_is_refused(x, adapter):
    refusal = {"title": "Forbidden", "detail": "You are not allowed to create a Tweet with duplicate content."}
    x.script("POST", POSTS, Answer(403, refusal))

    with pytest.raises(Refused, match="twice"):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "status, body, kind, words",
    [
        (429, {"title": "Too Many Requests"}, Retryable, "slow down"),
        (429, {"title": "UsageCapExceeded", "detail": "Usage cap exceeded"}, Retryable, "plan"),
        (402, {"title": "CreditsDepleted"}, Retryable, "plan"),
        (403, {"reason": "client-not-enrolled", "detail": "enroll"}, Retryable, "plan"),
        (401, {"title": "Unauthorized"}, Retryable, "keys and tokens"),
        (403, {"errors": [{"code": 326, "message": "To protect our users"}]}, Retryable, "locked"),
        (
            403,
            {"errors": [{"code": 349, "message": "You cannot send messages to this user."}]},
            Refused,
            "does not take",
        ),
        (
            403,
            {"type": "x/oauth1-permissions", "detail": "You are not permitted to perform this"},
            Retryable,
            "only read",
        ),
        (403, {"title": "Forbidden", "detail": "You are not permitted to do this"}, Refused, "not permitted"),
        (404, {"title": "Not Found Error", "detail": "Could not find user"}, Refused, "no longer"),
        (400, {"title": "Invalid Request", "detail": "too long"}, Refused, "too long"),
        (500, {}, Retryable, "trouble"),
        (503, "<html>", Uncertain, "trouble"),
        (504, "<html>", Uncertain, "trouble"),
        (200, "<html>", Uncertain, "no sense"),
        (200, {"errors": [{"message": "lies"}]}, Uncertain, "no sense"),
        (200, {"data": {"dm_event_id": None}}, Uncertain, "no sense"),
        (403, "<html>", Retryable, "between us"),
        (302, "", Retryable, "between us"),
    ],
    ids=str,
)
async def test_each_failure_says_whether_it_may_have_arrived(x, adapter, status, body, kind, words):
    x.script("POST", WITH, Answer(status, body))

    with pytest.raises(kind, match=words):
        await adapter.send(a_part("Hello", "dm:200"))


async def test_too_many_waits_as_long_as_x_says(x, adapter):
    reset = str(int((datetime.now(UTC) + timedelta(seconds=90)).timestamp()))
    x.script("POST", POSTS, Answer(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": reset}))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part())

    assert 80 < trouble.value.retry_after <= 90


def an_act(kind, target="1800000000000000002", thread_id="post:1800000000000000001"):
    return OutboundAct(delivery_id=3, kind=kind, thread_id=thread_id, target=target)


async def test_posts_are_liked_hidden_and_both_taken_back(x, adapter):
    for kind in ("like", "hide"):
        await adapter.act(an_act(kind))
    assert (x.likes, x.hidden) == ({"1800000000000000002"}, {"1800000000000000002"})

    for kind in ("unlike", "unhide"):
        await adapter.act(an_act(kind))
    assert (x.likes, x.hidden) == (set(), set())


async def test_a_deleted_chain_is_gone_whole_and_twice_does_no_harm(x, adapter):
    sent = await adapter.send(a_part("word " * 100))

    for _ in range(2):
        await adapter.act(an_act("delete", sent.external_id))

    assert x.posts == {}


async def test_a_direct_message_is_deleted(x, adapter):
    sent = await adapter.send(a_part("Hello", "dm:200"))

    await adapter.act(an_act("delete", sent.external_id, "dm:200"))

    assert x.messages == []


@pytest.mark.parametrize("kind, target", [("edit", "1"), ("react", "1"), ("like", "../1")])
async def test_what_x_cannot_do_is_refused(x, adapter, kind, target):
    with pytest.raises(Refused):
        await adapter.act(an_act(kind, target))
    assert x.calls == []


async def test_a_file_is_fetched_signed_and_only_from_x(x, adapter):
    x.files["a"] = b"\x89PNG"

    assert await adapter.fetch(f"{x.url}/file/a", 10) == b"\x89PNG"
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(f"{x.url}/file/a", 3)
    for address in (
        "https://evil.example/a",
        "http://pbs.twimg.com/a",
        "https://pbs.twimg.com.evil.example/",
        "x",
        "[",
    ):
        with pytest.raises(Refused, match="not lie with X"):
            await adapter.fetch(address, 10)


async def test_the_webhook_is_registered_and_the_account_subscribed_once(x, adapter):
    for _ in range(2):
        found = await adapter.check(HOOK)

    assert found.problems == ()
    assert (found.facts["account"], found.facts["user_id"]) == ("@shop", "100")
    assert [webhook["url"] for webhook in x.webhooks] == [HOOK]
    assert x.is_subscribed


async def test_a_webhook_that_x_has_given_up_is_tried_anew(x, adapter):
    x.webhooks.append({"id": "1", "url": HOOK, "valid": False})

    await adapter.check(HOOK)

    assert x.webhooks == [{"id": "1", "url": HOOK, "valid": True}]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"bearer_token": ""}, "bearer token"),
        ({"access_token_secret": "wrong"}, "keys and tokens"),
        ({"consumer_key": "é"}, "keys and tokens"),
    ],
)
async def test_what_is_missing_is_a_problem_in_plain_words(x, given, words):
    adapter = an_adapter(x, **given)

    assert words in (await adapter.check(HOOK)).problems[0]
    await adapter.close()


async def test_what_is_polled_comes_once_in_order_and_only_what_is_new(x):
    x.users.append({"id": "200", "name": "Alice", "username": "alice"})
    x.mention("@shop old")
    x.say("old")
    listening = hearing.Hearing(an_adapter(x, mode="polling"), poll_seconds=0.05)
    async with listening.on():
        await listening.until(lambda: listening.stores > 1)
    for number in range(120):
        x.mention(f"@shop {number}")
        x.say(f"in private {number}")
    x.say("from the phone", sender="100")

    async with listening.on():
        await listening.until(lambda: len(listening.stored) >= 241)
        stores = listening.stores
        await listening.until(lambda: listening.stores > stores + 1)

    said = [event for event in listening.events() if isinstance(event, InboundMessage)]
    assert [event.text for event in said if event.is_public] == [str(number) for number in range(120)]
    assert [event.text for event in said if not event.is_public] == [f"in private {n}" for n in range(120)]
    assert {(event.sender.address, event.sender.username) for event in said} == {("200", "alice")}
    assert len(listening.stored) == 241


async def test_tokens_that_are_taken_back_end_polling_with_the_reason(x):
    listening = hearing.Hearing(an_adapter(x, mode="polling"), poll_seconds=0.02)
    x.script("GET", "/2/dm_events", Answer(401, {"title": "Unauthorized"}))

    async with listening.on() as task:
        with pytest.raises(Retryable, match="keys and tokens"):
            await task


def test_x_is_looked_up_because_it_has_no_keys_of_ours():
    assert XAdapter.capabilities.looks_up
    assert not XAdapter.capabilities.repeatable
    assert sending.LIMIT == 280
