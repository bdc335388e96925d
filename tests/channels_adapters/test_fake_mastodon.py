"""The fake server, judged by Mastodon.py, which knows neither it nor the adapter."""

import asyncio
import threading

import pytest
from mastodon import Mastodon, MastodonNotFoundError, MastodonRatelimitError, MastodonUnauthorizedError, StreamListener
from mastodon.errors import MastodonAPIError

from tests.channels_adapters.fake_mastodon import TOKEN, FakeMastodon
from tests.channels_adapters.web_fake import Answer


@pytest.fixture
async def server():
    async with FakeMastodon() as running:
        yield running


def library(server, token=TOKEN):
    return Mastodon(
        access_token=token,
        api_base_url=server.url,
        ratelimit_method="throw",
        request_timeout=5,
        version_check_mode="none",
    )


async def ask(method, *args, **kwargs):
    return await asyncio.to_thread(method, *args, **kwargs)


async def test_the_library_reads_the_account_and_the_instance(server):
    client = library(server)

    assert (await ask(client.account_verify_credentials)).acct == "shop"
    assert (await ask(client.instance_v2)).configuration.statuses.max_characters == 500


async def test_the_library_reads_a_mention_with_its_thread_and_its_file(server):
    alice = server.person("alice@far.example", name="Alice")
    first = await server.post(alice, "Is it open?")
    picture = server.attach("cat.png", b"\x89PNG", description="A cat")
    await server.post(alice, "@shop are you?", to=first["id"], media_ids=[picture["id"]])
    client = library(server)

    (told,) = await ask(client.notifications, types=["mention"], min_id="0")
    context = await ask(client.status_context, told.status)

    assert (told.type, told.account.acct, told.status.visibility) == ("mention", "alice@far.example", "public")
    assert told.status.created_at.tzinfo is not None
    assert told.status.media_attachments[0].description == "A cat"
    assert [above.id for above in context.ancestors] == [first["id"]]


async def test_the_library_pages_on_from_what_it_has(server):
    alice = server.person("alice@far.example")
    for number in range(5):
        await server.post(alice, f"@shop {number}")
    client = library(server)

    newest = await ask(client.notifications, limit=1)
    after_second = await ask(client.notifications, min_id=server.notifications[1]["id"], limit=2)

    assert newest[0].id == server.notifications[-1]["id"]
    assert [told.id for told in after_second] == [server.notifications[n]["id"] for n in (3, 2)]


async def test_the_library_posts_answers_edits_and_deletes(server):
    alice = server.person("alice@far.example")
    asked = await server.post(alice, "@shop hello")
    client = library(server)

    media = await ask(client.media_post, b"\x89PNG", mime_type="image/png", description="A map")
    said = await ask(client.status_post, "@alice@far.example here", in_reply_to_id=asked["id"], media_ids=[media])
    edited = await ask(client.status_update, said, "@alice@far.example there")
    source = await ask(client.status_source, said)
    await ask(client.status_favourite, asked["id"])
    await ask(client.status_delete, said)

    assert (said.in_reply_to_id, said.mentions[0].acct) == (asked["id"], "alice@far.example")
    assert said.media_attachments[0].description == "A map"
    assert edited.edited_at is not None
    assert source.text == "@alice@far.example there"
    assert (server.us["id"], asked["id"]) in server.favourites
    assert said.id not in server.statuses


async def test_the_library_s_repeat_with_one_key_is_one_post(server):
    client = library(server)

    first = await ask(client.status_post, "once", idempotency_key="k")
    again = await ask(client.status_post, "once", idempotency_key="k")

    assert first.id == again.id
    assert len(server.statuses) == 1


async def test_the_library_waits_for_a_slow_file(server, monkeypatch):
    server.is_slow_with_files = True
    monkeypatch.setattr("mastodon.media.time.sleep", lambda seconds: None)  # it asks every few seconds

    media = await ask(library(server).media_post, b"RIFF", mime_type="video/mp4", synchronous=True)

    assert media.url


async def test_the_library_is_told_what_is_wrong(server):
    client = library(server)
    server.script("POST", "/api/v1/statuses", Answer(429, {"error": "Too many requests"}, {"X-RateLimit-Reset": "x"}))

    with pytest.raises(MastodonRatelimitError):
        await ask(client.status_post, "hello")
    with pytest.raises(MastodonAPIError, match="limit of 500"):
        await ask(client.status_post, "x" * 501)
    with pytest.raises(MastodonNotFoundError):
        await ask(client.status, "9")
    with pytest.raises(MastodonUnauthorizedError):
        await ask(library(server, "wrong").account_verify_credentials)


async def test_the_library_hears_the_stream(server):
    heard, came = [], threading.Event()

    class Listener(StreamListener):
        def on_notification(self, notification):
            heard.append(notification)
            came.set()

    stream = await ask(library(server).stream_user, Listener(), run_async=True, timeout=5)
    await server.until(lambda: server.streams)
    await server.post(server.person("alice@far.example"), "@shop hello")
    await asyncio.to_thread(came.wait, 5)
    await asyncio.to_thread(stream.close)

    assert [told.type for told in heard] == ["mention"]
