"""The fake Bluesky, judged by the published lexicons and by the `atproto` library, which know neither side."""

from datetime import UTC, datetime

import pytest
from atproto import AsyncClient, models
from atproto.exceptions import BadRequestError, RequestException, UnauthorizedError

from channels_adapters.adapters.bluesky import BlueskyAdapter
from channels_adapters.contract import OutboundAct, OutboundFile, OutboundPart
from tests.channels_adapters import lexicons
from tests.channels_adapters.fake_bluesky import PASSWORD, FakeBluesky
from tests.channels_adapters.web_fake import Answer

pytestmark = pytest.mark.xdist_group("bluesky")  # the library takes seconds to import


@pytest.fixture
async def sky():
    async with FakeBluesky() as running:
        yield running


@pytest.fixture
async def library(sky):
    client = AsyncClient(f"{sky.url}/xrpc")
    await client.login("shop.test", PASSWORD)
    yield client
    await client.request.close()


async def test_the_library_signs_in_and_is_refused_with_a_wrong_password(sky):
    client = AsyncClient(f"{sky.url}/xrpc")

    with pytest.raises(UnauthorizedError):
        await client.login("shop.test", "wrong")
    me = await client.login("shop.test", PASSWORD)
    await client.request.close()

    assert me.did == sky.us["did"]


async def test_the_library_reads_a_mention_and_its_thread(sky, library):
    alice = sky.person("alice.test", name="Alice")
    root = sky.post(alice, "Who sells lamps?")
    asked = sky.post(alice, "@shop.test do you?", to=root["uri"])

    told = (await library.app.bsky.notification.list_notifications()).notifications
    thread = await library.get_post_thread(asked["uri"], depth=0)
    await library.app.bsky.notification.update_seen({"seen_at": told[0].indexed_at})

    assert [(one.reason, one.author.handle, one.record.text) for one in told] == [
        ("mention", "alice.test", "@shop.test do you?")
    ]
    assert thread.thread.parent.post.uri == root["uri"]
    assert sky.seen_at == told[0].indexed_at


@pytest.mark.filterwarnings("ignore:Use 'content")  # the library's own affair
async def test_the_library_posts_an_answer_with_a_picture_and_deletes_it(sky, library):
    asked = sky.post(sky.person("alice.test"), "@shop.test hello")
    ref = models.create_strong_ref((await library.get_posts([asked["uri"]])).posts[0])

    said = await library.send_image(
        text="here", image=b"\x89PNG", image_alt="A map", reply_to=models.AppBskyFeedPost.ReplyRef(parent=ref, root=ref)
    )
    (kept,) = sky.ours()
    await library.delete_post(said.uri)

    assert kept["value"]["reply"]["parent"]["uri"] == asked["uri"]
    assert kept["value"]["embed"]["images"][0]["alt"] == "A map"
    assert sky.ours() == []


async def test_the_library_writes_and_reads_direct_messages(sky, library):
    alice = sky.person("alice.test")
    first = sky.say(alice, "in private")
    copy = library.with_bsky_chat_proxy()
    chat = copy.chat.bsky.convo

    convo = (await chat.get_convo_for_members({"members": [alice["did"]]})).convo
    said = await chat.send_message({"convo_id": convo.id, "message": {"text": "hello"}})
    await chat.add_reaction({"convo_id": convo.id, "message_id": first["id"], "value": "👍"})
    read = (await chat.get_messages({"convo_id": convo.id})).messages
    logs = (await chat.get_log()).logs
    await copy.request.close()

    assert [message.text for message in read] == ["hello", "in private"]
    assert read[0].id == said.id
    assert read[1].reactions[0].value == "👍"
    kinds = [log.py_type.rpartition("#")[2] for log in logs]
    assert kinds == ["logBeginConvo", "logCreateMessage", "logCreateMessage"]


async def test_the_library_is_told_what_is_wrong(sky, library):
    sky.script("GET", "/xrpc/app.bsky.actor.getProfile", Answer(429, {"error": "RateLimitExceeded", "message": "Slow"}))
    with pytest.raises(RequestException, match="RateLimitExceeded"):
        await library.get_profile(sky.us["did"])
    with pytest.raises(BadRequestError, match="RecordNotFound"):
        await library.com.atproto.repo.get_record(
            {"repo": sky.us["did"], "collection": "app.bsky.feed.post", "rkey": "3jzfcijpj2z2a"}
        )


@pytest.mark.skipif(bool(lexicons.missing()), reason=lexicons.missing() or "there")
async def test_all_that_the_adapter_says_and_the_fake_answers_is_as_the_lexicons_want_it(sky, monkeypatch):
    alice, bob = sky.person("alice.test"), sky.person("bob.test", labels=("bot",))
    ours = sky.post(sky.us, "We sell lamps")
    sky.convo_of([sky.us, bob])
    adapter = BlueskyAdapter({"identifier": "shop.test", "app_password": PASSWORD, "api_url": sky.url})
    await adapter.check("")
    sky.expire()
    stored = await heard(adapter, sky, alice, ours)
    (asked,) = [event for event in stored if getattr(event, "external_id", "").startswith("at://")]
    part = OutboundPart(5, asked.thread_id, "See https://example.org #lamps @alice.test " * 12, answers=asked.details)
    sent = await adapter.send(part)
    picture = OutboundFile("a.png", "image/png", b"\x89PNG", alt="A map")
    await adapter.send(OutboundPart(6, asked.thread_id, "Map", picture, asked.external_id))
    film = OutboundFile("a.mp4", "video/mp4", b"ftyp", alt="A film")
    await adapter.send(OutboundPart(7, asked.thread_id, "", film, answers=asked.details))
    private = OutboundPart(8, f"dm:{alice['did']}", "Hello @alice.test", wanted_at=datetime(2026, 11, 20, tzinfo=UTC))
    receipt = await adapter.send(private)
    assert (await adapter.look_up(private)) == receipt
    message = sky.messages[next(iter(reversed(sky.messages)))][0]
    for act in (
        OutboundAct(1, "like", asked.thread_id, asked.external_id),
        OutboundAct(1, "unlike", asked.thread_id, asked.external_id),
        OutboundAct(1, "hide", asked.thread_id, asked.external_id, answers=asked.details),
        OutboundAct(1, "unhide", asked.thread_id, asked.external_id, answers=asked.details),
        OutboundAct(1, "delete", asked.thread_id, sent.external_id),
        OutboundAct(1, "react", f"dm:{alice['did']}", message["id"], "👍"),
        OutboundAct(1, "react", f"dm:{alice['did']}", message["id"], ""),
    ):
        await adapter.act(act)
    await adapter.close()

    count, wrong = await lexicons.judge(sky)

    assert wrong == []
    assert count > 60


async def heard(adapter, sky, alice, ours):
    """The events of what alice does: an answer with a picture, a like, and a private message with a reaction."""
    sky.post(
        alice, "Which?", to=ours["uri"], embed={"$type": "app.bsky.embed.images", "images": [sky.image(b"\x89PNG")]}
    )
    sky.like(alice, ours["uri"])
    said = sky.say(alice, "in private")
    convo = sky.convo_of([sky.us, alice])
    sky.react_to(convo, said, alice, "❤️")
    sky.unsay(convo, said)
    stored = []

    async def store(batch, cursor):
        stored.extend(event for _, body in batch for event in adapter.parse(body))
        if len(stored) >= 5:
            await adapter.close()

    adapter.poll_seconds = 0.05
    cursor = '{"since": "2020", "newest": "", "known": [], "log": "", "watched": []}'
    with pytest.raises(Exception, match="changed"):
        await adapter.listen(cursor, store)
    return stored


async def test_the_judge_does_find_what_is_wrong(sky):
    if lexicons.missing():
        pytest.skip(lexicons.missing())
    sky.said += [("chat.bsky.convo.sendMessage", {"id": "1", "text": "no rev"})]

    assert "rev" in (await lexicons.judge(sky))[1][0]
