"""What leaves by Bluesky, in public and in private, what each failure means, and whether it arrived after all."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from channels_adapters.adapters.bluesky import BlueskyAdapter, richtext, sending
from channels_adapters.contract import OutboundAct, OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from channels_adapters.reading import Fields
from tests.channels_adapters.fake_bluesky import PASSWORD, FakeBluesky
from tests.channels_adapters.patience import patience
from tests.channels_adapters.web_fake import Answer

PUT, SEND = "/xrpc/com.atproto.repo.putRecord", "/xrpc/chat.bsky.convo.sendMessage"
SIGN_IN, RENEW = "/xrpc/com.atproto.server.createSession", "/xrpc/com.atproto.server.refreshSession"
WHEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
A_PICTURE = OutboundFile("map.png", "image/png", b"\x89PNG", alt="A map")


@pytest.fixture
async def sky():
    async with FakeBluesky() as running:
        yield running


@pytest.fixture
async def adapter(sky):
    made = an_adapter(sky)
    yield made
    await made.close()


def an_adapter(sky, **settings):
    given = {"identifier": "@shop.test", "app_password": PASSWORD, "api_url": sky.url, "plc_url": sky.url}
    made = BlueskyAdapter(given | settings)
    return made


@pytest.fixture
def alice(sky):
    return sky.person("alice.test", name="Alice")


@pytest.fixture
def asked(sky, alice):
    """What Alice asked in public, deep in a thread."""
    root = sky.post(sky.person("bob.test"), "Who sells lamps?")
    return sky.post(alice, "@shop.test do you?", to=root["uri"])


def a_part(thread_id, text="Hello", **fields):
    return OutboundPart(**{"delivery_id": 12, "thread_id": thread_id, "text": text, "wanted_at": WHEN} | fields)


def known(post):
    """The details of a message, as they come back when it is answered."""
    root = post["value"].get("reply", {}).get("root", post)
    return {"uri": post["uri"], "cid": post["cid"], "root": root["uri"], "root_cid": root["cid"]}


def private(alice, text="Hello", **fields):
    return a_part(f"dm:{alice['did']}", text, **fields)


async def test_a_public_answer_stands_under_the_post_in_its_thread(sky, adapter, asked):
    receipt = await adapter.send(a_part(known(asked)["root"], answers=known(asked)))

    value = sky.records[receipt.external_id]["value"]
    assert value["text"] == "Hello"
    assert value["reply"]["parent"] == sky.ref(asked["uri"])
    assert value["reply"]["root"] == asked["value"]["reply"]["root"]


@pytest.mark.parametrize("reply_to", ["asked", ""])
async def test_without_details_the_server_is_asked_what_stands_above(sky, adapter, asked, reply_to):
    uri = asked["uri"] if reply_to else known(asked)["root"]

    receipt = await adapter.send(a_part(known(asked)["root"], reply_to=asked["uri"] if reply_to else ""))

    reply = sky.records[receipt.external_id]["value"]["reply"]
    assert (reply["parent"]["uri"], reply["root"]["uri"]) == (uri, known(asked)["root"])


async def test_an_answer_to_a_post_that_is_gone_is_refused(sky, adapter, asked):
    del sky.records[asked["uri"]]

    with pytest.raises(Refused, match="gone"):
        await adapter.send(a_part(known(asked)["root"], reply_to=asked["uri"]))


@pytest.mark.parametrize("thread_id", ["", "dm:", "dm:alice", "chat:1", "https://bsky.app/x"])
async def test_what_is_no_conversation_of_bluesky_is_refused(adapter, thread_id):
    with pytest.raises(Refused, match="no Bluesky conversation"):
        await adapter.send(a_part(thread_id))


async def test_nothing_to_send_is_refused(sky, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part("at://x", " "))
    assert sky.calls == []


async def test_a_long_answer_is_a_chain_of_posts(sky, adapter, asked):
    text = " ".join(f"word{number}👩🏽‍🚒" for number in range(90))

    receipt = await adapter.send(a_part(known(asked)["root"], text, answers=known(asked)))

    chain = receipt.details["chain"]
    values = [sky.records[uri]["value"] for uri in chain]
    assert len(chain) > 2
    assert [value["reply"]["parent"]["uri"] for value in values] == [asked["uri"], *chain[:-1]]
    assert " ".join(value["text"] for value in values) == text
    assert all(sending.length(value["text"]) <= 300 for value in values)


@pytest.mark.parametrize(
    "text, counted", [("hello", 5), ("👩🏽‍🚒é", 2), ("x" * 10, 10), ("﷽" * 10, 10), ("👩🏽‍🚒" * 10, 15)]
)
def test_text_is_counted_as_bluesky_counts(text, counted):
    assert sending.length(text) == counted


def test_facets_are_told_in_bytes():
    text = "Grüße @alice.test, see https://example.org/ä?x=1. Mail a@b.example #Lampe #1 @nobody.test"

    found = richtext.facets(text, {"alice.test": "did:plc:a"})

    features = [facet["features"][0] for facet in found]
    words = [text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode() for facet in found]
    assert words == ["@alice.test", "https://example.org/ä?x=1", "#Lampe"]
    assert features[0]["did"] == "did:plc:a"
    assert features[1]["uri"] == "https://example.org/ä?x=1"
    assert features[2]["tag"] == "Lampe"


def test_what_facets_say_comes_back_as_text():
    text = "Grüße @alice.test, see https://example.org/ä?x=1 #Lampe"
    facets = [Fields(facet) for facet in richtext.facets(text, {"alice.test": "did:plc:a"})]

    assert richtext.plain(text, facets) == text
    assert richtext.plain(text, [Fields({}), Fields({"index": {"byteStart": 9, "byteEnd": 4}}), *facets]) == text


async def test_a_handle_in_an_answer_becomes_a_mention_and_a_strange_one_does_not(sky, adapter, asked, alice):
    receipt = await adapter.send(a_part(known(asked)["root"], "@Alice.test @nobody.test", answers=known(asked)))

    (facet,) = sky.records[receipt.external_id]["value"]["facets"]
    assert facet["features"][0]["did"] == alice["did"]


async def test_a_picture_leaves_with_its_alt_text(sky, adapter, asked):
    receipt = await adapter.send(a_part(known(asked)["root"], "", file=A_PICTURE, answers=known(asked)))

    (image,) = sky.records[receipt.external_id]["value"]["embed"]["images"]
    assert image["alt"] == "A map"
    assert sky.blobs[image["image"]["ref"]["$link"]] == (b"\x89PNG", "image/png")


@pytest.mark.parametrize(
    "file, words",
    [
        (OutboundFile("a.pdf", "application/pdf", b"%PDF"), "pictures and MP4"),
        (OutboundFile("a.webm", "video/webm", b"x"), "pictures and MP4"),
        (OutboundFile("a.png", "image/png", b"x" * 2_000_001), "2 MB"),
    ],
)
async def test_a_file_that_bluesky_does_not_show_is_refused(sky, adapter, asked, file, words):
    with pytest.raises(Refused, match=words):
        await adapter.send(a_part(known(asked)["root"], file=file, answers=known(asked)))


@pytest.mark.parametrize("trouble", [{"how": "drop"}, {"how": "hang"}, {"status": 502, "body": "<html>"}], ids=str)
async def test_a_repeat_after_a_lost_answer_is_one_post(sky, adapter, asked, trouble):
    adapter.call_seconds = patience(trouble.get("how"))
    part = a_part(known(asked)["root"], "word " * 100, answers=known(asked))
    sky.script("POST", PUT, Answer(arrives=True, **trouble))
    with pytest.raises(Retryable):
        await adapter.send(part)

    assert await adapter.look_up(part) is None
    receipt = await adapter.send(part)

    assert [kept["uri"] for kept in sky.ours()] == receipt.details["chain"]


async def test_other_parts_and_other_times_are_other_posts(sky, adapter, asked):
    for part in ({}, {"delivery_id": 13}, {"wanted_at": WHEN + timedelta(seconds=1)}):
        await adapter.send(a_part(known(asked)["root"], answers=known(asked), **part))

    assert len(sky.ours()) == 3


async def test_a_private_answer_goes_to_the_person(sky, adapter, alice):
    receipt = await adapter.send(private(alice, "See https://example.org"))

    (convo,) = sky.convos.values()
    (message,) = sky.messages[convo["id"]]
    assert (receipt.external_id, message["text"]) == (message["id"], "See https://example.org")
    assert message["facets"][0]["features"][0]["uri"] == "https://example.org"
    assert convo["status"] == "accepted"


async def test_a_group_is_answered_by_its_id(sky, adapter, alice):
    group = sky.convo_of([sky.us, alice, sky.person("bob.test")])

    await adapter.send(a_part(f"convo:{group}"))

    assert [message["text"] for message in sky.messages[group]] == ["Hello"]


async def test_a_direct_message_takes_no_file(sky, adapter, alice):
    with pytest.raises(Refused, match="no files"):
        await adapter.send(private(alice, file=A_PICTURE))


async def test_a_long_direct_message_is_several(sky, adapter, alice):
    receipt = await adapter.send(private(alice, "word " * 500))

    (messages,) = sky.messages.values()
    assert receipt.details["chain"] == [message["id"] for message in messages]
    assert len(messages) == 3


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_direct_message_whose_answer_was_lost_is_looked_up(sky, adapter, alice, arrives):
    sky.script("POST", SEND, Answer(arrives=arrives, how="drop"))
    with pytest.raises(Uncertain):
        await adapter.send(private(alice))

    found = await adapter.look_up(private(alice))

    (messages,) = sky.messages.values()
    assert (found.external_id if found else None) == (messages[0]["id"] if arrives else None)


async def test_words_said_long_before_are_not_the_part_that_is_looked_for(sky, adapter, alice):
    await adapter.send(private(alice))

    assert await adapter.look_up(private(alice, wanted_at=WHEN + timedelta(hours=1))) is None


async def test_a_chain_of_direct_messages_that_broke_stays_uncertain(sky, adapter, alice):
    sky.script("POST", SEND, Answer(500, "no"))
    with pytest.raises(Retryable):
        await adapter.send(private(alice, "word " * 500))
    assert await adapter.look_up(private(alice, "word " * 500)) is None

    carry = sky.called("POST", SEND)
    sky.script(
        "POST", SEND, Answer(arrives=True, status=200, body={"id": "7", "text": "w"}), Answer(429, {"error": "x"})
    )
    with pytest.raises(Uncertain, match="beginning"):
        await adapter.send(private(alice, "word " * 500))
    with pytest.raises(Uncertain, match="beginning"):
        await adapter.look_up(private(alice, "word " * 500))
    assert len(carry) == 1


@pytest.mark.parametrize(
    "status, error, message, kind, words",
    [
        (429, "RateLimitExceeded", "Rate Limit Exceeded", Retryable, "slow down"),
        (401, "AuthenticationRequired", "Invalid", Retryable, "app password"),
        (401, "AccountTakedown", "Account has been taken down", Retryable, "taken the account down"),
        (400, "InvalidToken", "Bad token scope", Retryable, "direct messages"),
        (400, "BlockedActor", "", Refused, "blocked"),
        (400, "MessagesDisabled", "", Refused, "takes no direct"),
        (400, "NotFollowedBySender", "", Refused, "those they follow"),
        (400, "InvalidRequest", "recipient has disabled incoming messages", Refused, "takes no direct"),
        (400, "AccountSuspended", "", Refused, "AccountSuspended"),
        (400, "InvalidRequest", "message too long", Refused, "too long"),
        (500, "InternalServerError", "", Retryable, "trouble"),
        (502, "UpstreamFailure", "", Uncertain, "trouble"),
        (504, "UpstreamTimeout", "", Uncertain, "trouble"),
        (403, "", "", Retryable, "between us"),
    ],
)
async def test_each_failure_says_whether_it_may_have_arrived(sky, adapter, alice, status, error, message, kind, words):
    body = {"error": error, "message": message} if error else "<html>"
    sky.script("POST", SEND, *[Answer(status, body)] * 2)

    with pytest.raises(kind, match=words):
        await adapter.send(private(alice))


@pytest.mark.parametrize("body", ["<html>", [1], {}, {"id": None}, {"error": "lies"}])
async def test_a_good_status_that_makes_no_sense(sky, adapter, alice, asked, body):
    sky.script("POST", SEND, Answer(200, body))
    with pytest.raises(Uncertain, match="no sense"):
        await adapter.send(private(alice))

    sky.script("POST", PUT, Answer(200, body))
    with pytest.raises(Retryable, match="no sense"):
        await adapter.send(a_part(known(asked)["root"], answers=known(asked)))


async def test_too_many_waits_as_long_as_the_server_says(sky, adapter, asked):
    reset = str(int((datetime.now(UTC) + timedelta(seconds=90)).timestamp()))
    sky.script("POST", PUT, Answer(429, {"error": "RateLimitExceeded"}, {"RateLimit-Reset": reset}))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part(known(asked)["root"], answers=known(asked)))

    assert 80 < trouble.value.retry_after <= 90


async def test_a_session_that_runs_out_is_renewed_and_signing_in_is_spared(sky, adapter, asked):
    await adapter.send(a_part(known(asked)["root"], answers=known(asked)))
    sky.expire()
    await adapter.send(a_part(known(asked)["root"], answers=known(asked), delivery_id=13))

    assert (len(sky.called("POST", SIGN_IN)), len(sky.called("POST", RENEW))) == (1, 1)
    assert len(sky.ours()) == 2


async def test_a_session_that_cannot_be_renewed_is_made_anew(sky, adapter, asked):
    await adapter.send(a_part(known(asked)["root"], answers=known(asked)))
    sky.expire()
    sky.refreshes.clear()
    await adapter.send(a_part(known(asked)["root"], answers=known(asked), delivery_id=13))

    assert len(sky.called("POST", SIGN_IN)) == 2


async def test_an_app_password_that_is_taken_back_waits_for_a_person(sky, adapter, asked):
    await adapter.send(a_part(known(asked)["root"], answers=known(asked)))
    sky.expire()
    sky.refreshes.clear()
    sky.script("POST", SIGN_IN, Answer(401, {"error": "AuthenticationRequired", "message": "Invalid"}))

    with pytest.raises(Retryable, match="app password") as trouble:
        await adapter.send(a_part(known(asked)["root"], answers=known(asked), delivery_id=13))

    assert trouble.value.retry_after == 300


async def test_a_server_that_cannot_be_reached_took_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    adapter = BlueskyAdapter({"identifier": "a", "app_password": "b", "api_url": url})

    with pytest.raises(Retryable, match="could not be reached"):
        await adapter.send(a_part("dm:did:plc:a"))
    await adapter.close()


async def test_a_server_that_was_typed_in_may_not_be_a_private_address(sky):
    adapter = BlueskyAdapter({"identifier": "a", "app_password": "b", "service": sky.url})

    with pytest.raises(Retryable, match="private network"):
        await adapter.send(a_part("dm:did:plc:a"))
    await adapter.close()
    assert sky.calls == []


def an_act(kind, target, thread_id="at://x", **fields):
    return OutboundAct(delivery_id=3, kind=kind, thread_id=thread_id, target=target, **fields)


async def test_a_deleted_chain_is_gone_whole_and_twice_does_no_harm(sky, adapter, asked):
    await adapter.send(a_part(known(asked)["root"], "Stays", answers=known(asked), delivery_id=13))
    sent = await adapter.send(a_part(known(asked)["root"], "word " * 150, answers=known(asked)))

    await adapter.act(an_act("delete", sent.external_id))
    await adapter.act(an_act("delete", sent.external_id))

    assert [kept["value"]["text"] for kept in sky.ours()] == ["Stays"]


async def test_only_posts_of_our_own_are_deleted(sky, adapter, asked):
    with pytest.raises(Refused, match="our own"):
        await adapter.act(an_act("delete", asked["uri"]))
    assert asked["uri"] in sky.records


@pytest.mark.parametrize("kinds", [("like", "unlike"), ("react", "react")])
async def test_a_post_is_liked_once_and_not_any_more(sky, adapter, asked, kinds):
    for _ in range(2):
        await adapter.act(an_act(kinds[0], asked["uri"], text="❤️"))
    (like,) = sky.ours("app.bsky.feed.like")
    await adapter.act(an_act(kinds[1], asked["uri"], text=""))

    assert like["value"]["subject"] == sky.ref(asked["uri"])
    assert sky.ours("app.bsky.feed.like") == []


async def test_an_answer_under_our_post_is_hidden_and_shown_again(sky, adapter, alice):
    ours = sky.post(sky.us, "News")
    rude, ruder = (sky.post(alice, words, to=ours["uri"]) for words in ("Bah", "Bah!"))
    for post in (rude, ruder, rude):
        await adapter.act(an_act("hide", post["uri"], ours["uri"], answers=known(post)))
    (gate,) = sky.ours("app.bsky.feed.threadgate")
    assert (gate["value"]["post"], gate["value"]["hiddenReplies"]) == (ours["uri"], [ruder["uri"], rude["uri"]])

    await adapter.act(an_act("unhide", rude["uri"], ours["uri"], answers=known(rude)))

    (gate,) = sky.ours("app.bsky.feed.threadgate")
    assert gate["value"]["hiddenReplies"] == [ruder["uri"]]


async def test_under_somebody_else_s_post_nothing_can_be_hidden(sky, adapter, asked):
    with pytest.raises(Refused, match="not ours"):
        await adapter.act(an_act("hide", asked["uri"], known(asked)["root"], answers=known(asked)))


async def test_a_direct_message_gets_a_reaction_and_loses_it(sky, adapter, alice):
    said = sky.say(alice, "hello")
    thread = f"dm:{alice['did']}"

    await adapter.act(an_act("react", said["id"], thread, text="👍"))
    given = [reaction["value"] for reaction in sky.messages[sky.convo_of([sky.us, alice])][0]["reactions"]]
    await adapter.act(an_act("react", said["id"], thread, text=""))

    assert given == ["👍"]
    assert sky.messages[sky.convo_of([sky.us, alice])][0]["reactions"] == []


@pytest.mark.parametrize(
    "kind, target, text",
    [
        ("edit", "at://x/y/z", "x"),
        ("react", "at://x/y/z", "👍"),
        ("delete", "3k", ""),
        ("hide", "3k", ""),
        ("read", "3k", ""),
    ],
)
async def test_what_bluesky_cannot_do_is_refused(adapter, kind, target, text):
    with pytest.raises(Refused):
        await adapter.act(an_act(kind, target, text=text))


async def test_a_file_is_fetched_where_its_owner_s_repository_lies(sky, adapter, alice):
    image = sky.image(b"\x89PNG")["image"]

    assert await adapter.fetch(f"{alice['did']}/{image['ref']['$link']}", 10) == b"\x89PNG"

    (call,) = sky.called("GET", "/xrpc/com.atproto.sync.getBlob")
    assert "Authorization" not in call.headers


async def test_in_a_closed_network_the_server_has_the_file(sky, alice):
    adapter = an_adapter(sky, plc_url="")
    image = sky.image(b"\x89PNG")["image"]

    assert await adapter.fetch(f"{alice['did']}/{image['ref']['$link']}", 10) == b"\x89PNG"
    assert sky.called("GET", "/{did}") == []
    await adapter.close()


async def test_a_file_that_is_too_large_gone_or_of_nobody_is_refused(sky, adapter, alice):
    link = sky.image(b"x" * 11)["image"]["ref"]["$link"]

    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(f"{alice['did']}/{link}", 10)
    for external_id in ("did:plc:nobody/bafy", "did:key:a/bafy", "x/y", "did:plc:a/../x", "did:web:127.0.0.1/bafy"):
        with pytest.raises((Refused, Retryable)):
            await adapter.fetch(external_id, 10)


async def test_a_repository_in_a_private_network_is_not_called(sky, adapter, alice):
    service = {"id": "#atproto_pds", "serviceEndpoint": "http://169.254.169.254"}
    sky.script("GET", "/{did}", Answer(200, {"id": alice["did"], "service": [service]}))

    with pytest.raises(Refused, match="do not call"):
        await adapter.fetch(f"{alice['did']}/bafy", 10)


async def test_a_working_account_is_named(sky, adapter):
    found = await adapter.check("")

    assert found.problems == ()
    assert (found.facts["account"], found.facts["did"]) == ("@shop.test", sky.us["did"])


async def test_an_app_password_without_direct_messages_is_a_problem(sky, adapter):
    refusal = Answer(400, {"error": "InvalidToken", "message": "Bad token scope"})
    sky.script("GET", "/xrpc/chat.bsky.convo.listConvos", refusal, refusal)

    found = await adapter.check("")

    assert "direct messages" in found.problems[0].lower()
    assert found.facts["did"] == sky.us["did"]


@pytest.mark.parametrize("given", [{"app_password": "wrong"}, {"app_password": ""}, {"identifier": ""}])
async def test_a_login_that_is_none_is_a_problem(sky, given):
    adapter = an_adapter(sky, **given)

    assert "app password" in (await adapter.check("")).problems[0]
    await adapter.close()
