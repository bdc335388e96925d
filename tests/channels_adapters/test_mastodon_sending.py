"""What leaves by Mastodon, in public and in private, and what each failure means."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from channels_adapters.adapters.mastodon import MastodonAdapter, sending
from channels_adapters.contract import OutboundAct, OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from tests.channels_adapters.fake_mastodon import TOKEN, FakeMastodon
from tests.channels_adapters.patience import patience
from tests.channels_adapters.web_fake import Answer

POSTS = "/api/v1/statuses"
HOOK = "https://desk.example/hooks/1/"
A_PICTURE = OutboundFile("map.png", "image/png", b"\x89PNG", alt="A map")


@pytest.fixture
async def server():
    async with FakeMastodon() as running:
        yield running


@pytest.fixture
async def adapter(server, monkeypatch):
    monkeypatch.setattr(sending, "_LOOK_AGAIN", 0.01)
    made = MastodonAdapter({"access_token": TOKEN, "api_url": server.url})
    yield made
    await made.close()


@pytest.fixture
async def asked(server):
    """What Alice asked in public."""
    return await server.post(server.person("alice@far.example"), "@shop hello", visibility="unlisted")


def a_part(thread_id, text="Hello", **fields):
    return OutboundPart(
        **{"delivery_id": 12, "thread_id": thread_id, "text": text, "wanted_at": datetime.now(UTC)} | fields
    )


def known(post, **more):
    """The details of a message, as they come back when it is answered."""
    return {"status": post["id"], "to": ["alice@far.example"], "visibility": post["visibility"]} | more


async def test_a_public_answer_stands_under_the_post_and_names_its_writer(server, adapter, asked):
    receipt = await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))

    said = server.statuses[receipt.external_id]
    assert (said["in_reply_to_id"], said["visibility"]) == (asked["id"], "unlisted")
    assert server.sources[said["id"]]["text"] == "@alice@far.example Hello"
    assert [person["acct"] for person in said["mentions"]] == ["alice@far.example"]


async def test_without_details_the_server_is_asked_whom_we_answer(server, adapter, asked):
    receipt = await adapter.send(a_part(f"post:{asked['id']}"))

    assert server.sources[receipt.external_id]["text"] == "@alice@far.example Hello"
    assert server.statuses[receipt.external_id]["visibility"] == "unlisted"


async def test_a_direct_message_is_never_answered_in_public(server, adapter):
    secret = await server.post(server.person("alice@far.example"), "@shop my number", visibility="direct")

    with pytest.raises(Refused, match="direct message"):
        await adapter.send(a_part(f"post:{secret['id']}"))


async def test_a_private_answer_is_seen_by_those_it_names_only(server, adapter, asked):
    receipt = await adapter.send(a_part("direct:alice@far.example", "Your order", answers=known(asked, subject="Lamp")))

    said = server.statuses[receipt.external_id]
    assert (said["visibility"], said["spoiler_text"], said["in_reply_to_id"]) == ("direct", "Lamp", asked["id"])
    assert server.sources[said["id"]]["text"] == "@alice@far.example Your order"


async def test_a_private_message_can_be_the_first(server, adapter):
    server.person("alice@far.example"), server.person("bob")

    receipt = await adapter.send(a_part("direct:alice@far.example,bob"))

    assert server.sources[receipt.external_id]["text"] == "@alice@far.example @bob Hello"


async def test_who_is_named_already_is_not_named_twice(server, adapter, asked):
    receipt = await adapter.send(a_part("direct:alice@far.example", "Hi @alice@far.example how are you"))

    assert server.sources[receipt.external_id]["text"] == "Hi @alice@far.example how are you"


async def test_a_private_answer_to_a_post_that_is_gone_goes_all_the_same(server, adapter, asked):
    del server.statuses[asked["id"]]

    receipt = await adapter.send(a_part("direct:alice@far.example", answers=known(asked)))

    assert server.statuses[receipt.external_id]["in_reply_to_id"] is None


async def test_a_public_answer_to_a_post_that_is_gone_is_refused(server, adapter, asked):
    del server.statuses[asked["id"]]

    with pytest.raises(Refused, match="gone"):
        await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))


@pytest.mark.parametrize("thread_id", ["", "1150", "post:", "post:../x", "post:1/2", "chat:1"])
async def test_what_is_no_conversation_of_mastodon_is_refused(adapter, thread_id):
    with pytest.raises(Refused):
        await adapter.send(a_part(thread_id))


async def test_nothing_to_send_is_refused(server, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part("post:1", " "))
    assert server.calls == []


async def test_a_long_answer_is_a_chain_of_posts(server, adapter, asked):
    text = " ".join(f"word{number}" for number in range(150))

    receipt = await adapter.send(a_part(f"post:{asked['id']}", text, answers=known(asked)))

    chain = receipt.details["chain"]
    assert len(chain) == 3
    assert [server.statuses[post]["in_reply_to_id"] for post in chain] == [asked["id"], *chain[:-1]]
    words = [word for post in chain for word in server.sources[post]["text"].split() if not word.startswith("@")]
    assert words == text.split()


@pytest.mark.parametrize(
    "text, counted",
    [
        ("hello", 5),
        ("see https://example.org/" + "x" * 300, 27),
        ("http://a.io", 23),
        ("@alice@far.example hi", 9),
        ("@alice hi", 9),
        ("mail a@b.example", 16),
        ("👩🏽‍🚒é", 2),
    ],
)
def test_text_is_counted_as_mastodon_counts(text, counted):
    assert sending.length(text) == counted


async def test_a_server_with_a_limit_of_its_own_gets_posts_of_that_length(asked, server, adapter):
    server.limit = 60
    adapter.settings = {**adapter.settings, "max_characters": "60"}

    receipt = await adapter.send(a_part(f"post:{asked['id']}", "one two three " * 10, answers=known(asked)))

    assert len(receipt.details["chain"]) > 2


async def test_a_file_leaves_with_its_alt_text(server, adapter, asked):
    server.is_slow_with_files = True

    receipt = await adapter.send(a_part(f"post:{asked['id']}", "", file=A_PICTURE, answers=known(asked)))

    (media,) = server.statuses[receipt.external_id]["media_attachments"]
    assert (media["description"], server.uploaded[media["id"]]["file"]["data"]) == ("A map", b"\x89PNG")


async def test_a_file_that_mastodon_does_not_show_is_refused(server, adapter, asked):
    bill = OutboundFile("bill.pdf", "application/pdf", b"%PDF")

    with pytest.raises(Refused, match="content type"):
        await adapter.send(a_part(f"post:{asked['id']}", "", file=bill, answers=known(asked)))


async def test_a_file_that_never_gets_ready_waits(server, adapter, asked, monkeypatch):
    server.is_slow_with_files = True
    monkeypatch.setattr(sending, "_LOOKS", 2)

    with pytest.raises(Retryable, match="works on the file"):
        await adapter.send(a_part(f"post:{asked['id']}", "", file=A_PICTURE, answers=known(asked)))


@pytest.mark.parametrize("how", ["drop", "hang"])
async def test_a_repeat_after_a_lost_answer_is_one_post(server, adapter, asked, how):
    part = a_part(f"post:{asked['id']}", answers=known(asked))
    adapter.call_seconds = patience(how)
    server.script("POST", POSTS, Answer(arrives=True, how=how))
    with pytest.raises(Retryable):
        await adapter.send(part)

    receipt = await adapter.send(part)

    assert [post for post in server.statuses if post != asked["id"]] == [receipt.external_id]


async def test_a_repeat_in_the_middle_of_a_chain_goes_on(server, adapter, asked):
    part = a_part(f"post:{asked['id']}", "word " * 250, answers=known(asked))
    server.script("POST", POSTS, Answer(status=500, body="no", arrives=True))
    with pytest.raises(Retryable):
        await adapter.send(part)

    receipt = await adapter.send(part)

    assert len(server.statuses) == 1 + len(receipt.details["chain"])


@pytest.mark.parametrize("words", ["word " * 250, "see https://example.org/a/very/long/way/to/go?x=1 soon"])
async def test_a_repeat_after_the_hour_looks_first(server, adapter, asked, words):
    wanted_at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    part = a_part(f"post:{asked['id']}", words, answers=known(asked), wanted_at=wanted_at)
    first = await adapter.send(part)
    server._keys.clear()

    again = await adapter.send(part)

    assert again == first


async def test_another_part_is_another_post(server, adapter, asked):
    one = await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))
    other = await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked), delivery_id=13))

    assert one.external_id != other.external_id


async def test_too_many_waits_as_long_as_the_server_says(server, adapter, asked):
    reset = (datetime.now(UTC) + timedelta(seconds=70)).isoformat().replace("+00:00", "Z")
    server.script("POST", POSTS, Answer(429, {"error": "Too many requests"}, {"X-RateLimit-Reset": reset}))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))

    assert 60 < trouble.value.retry_after <= 70


@pytest.mark.parametrize(
    "status, error, kind, words",
    [
        (401, "The access token is invalid", Retryable, "access token"),
        (403, "This action is outside the authorized scopes", Retryable, "scopes"),
        (403, "Your login is currently disabled", Retryable, "shut"),
        (403, "This action is not allowed", Refused, "not allowed"),
        (404, "Record not found", Refused, "gone"),
        (410, "Gone", Refused, "gone"),
        (422, "Validation failed: Text character limit of 500 exceeded", Refused, "limit of 500"),
        (500, "", Retryable, "trouble"),
        (502, "", Retryable, "trouble"),
        (503, "Remote data could not be fetched", Retryable, "trouble"),
        (301, "", Retryable, "between us"),
        (403, "", Retryable, "between us"),
        (404, "", Retryable, "between us"),
    ],
)
async def test_each_failure_in_plain_words(server, adapter, asked, status, error, kind, words):
    server.script("POST", POSTS, Answer(status, {"error": error} if error else "<html>"))

    with pytest.raises(kind, match=words):
        await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))


@pytest.mark.parametrize("body", ["<html>", [1], {"id": None}, {}, {"error": "lies"}])
async def test_a_good_status_that_makes_no_sense_is_tried_again(server, adapter, asked, body):
    server.script("POST", POSTS, Answer(200, body))

    with pytest.raises(Retryable, match="no sense"):
        await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))


async def test_a_server_that_cannot_be_reached_took_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    adapter = MastodonAdapter({"access_token": TOKEN, "api_url": url})

    with pytest.raises(Retryable, match="could not be reached"):
        await adapter.send(a_part("direct:bob"))
    await adapter.close()


async def test_a_server_that_was_typed_in_may_not_be_a_private_address(server):
    adapter = MastodonAdapter({"access_token": TOKEN, "server": server.url})

    with pytest.raises(Retryable, match="private network"):
        await adapter.send(a_part("direct:bob"))
    await adapter.close()
    assert server.calls == []


def an_act(kind, target, **fields):
    return OutboundAct(delivery_id=3, kind=kind, thread_id="post:1", target=target, **fields)


async def test_an_edit_keeps_whom_it_names_and_what_it_shows(server, adapter, asked):
    sent = await adapter.send(a_part(f"post:{asked['id']}", "Helo", file=A_PICTURE, answers=known(asked)))

    await adapter.act(an_act("edit", sent.external_id, text="Hello"))

    assert server.sources[sent.external_id]["text"] == "@alice@far.example Hello"
    assert len(server.called("PUT", "/api/v1/statuses/{id}")[0].body["media_ids"]) == 1


async def test_an_edited_chain_becomes_one_post(server, adapter, asked):
    sent = await adapter.send(a_part(f"post:{asked['id']}", "word " * 250, answers=known(asked)))

    await adapter.act(an_act("edit", sent.external_id, text="Short"))

    assert set(server.statuses) == {asked["id"], sent.external_id}


async def test_an_edit_that_is_too_long_changes_nothing(server, adapter, asked):
    sent = await adapter.send(a_part(f"post:{asked['id']}", answers=known(asked)))

    with pytest.raises(Refused, match="longer"):
        await adapter.act(an_act("edit", sent.external_id, text="x" * 600))
    assert server.sources[sent.external_id]["text"] == "@alice@far.example Hello"


async def test_a_deleted_chain_is_gone_whole_and_twice_does_no_harm(server, adapter, asked):
    sent = await adapter.send(a_part(f"post:{asked['id']}", "word " * 250, answers=known(asked)))

    await adapter.act(an_act("delete", sent.external_id))
    await adapter.act(an_act("delete", sent.external_id))

    assert set(server.statuses) == {asked["id"]}


async def test_a_post_is_liked_and_not_any_more(server, adapter, asked):
    await adapter.act(an_act("like", asked["id"]))
    liked = set(server.favourites)
    await adapter.act(an_act("unlike", asked["id"]))

    assert liked == {(server.us["id"], asked["id"])}
    assert server.favourites == set()


@pytest.mark.parametrize("kind", ["hide", "react", "read"])
async def test_what_mastodon_cannot_do_is_refused(adapter, kind):
    with pytest.raises(Refused, match="cannot"):
        await adapter.act(an_act(kind, "1"))


async def test_a_file_is_fetched_without_our_token(server, adapter):
    server.blobs["cat.png"] = b"\x89PNG"

    assert await adapter.fetch(f"{server.url}/media/cat.png", 10) == b"\x89PNG"

    (call,) = server.called("GET", "/media/{name}")
    assert "Authorization" not in call.headers


async def test_a_file_that_had_no_address_yet_is_asked_for_by_its_post(server, adapter):
    media = server.attach("late.png", b"\x89PNG") | {"url": None}
    server.media[media["id"]] = media
    post = await server.post(server.person("alice@far.example"), "@shop", media_ids=[media["id"]])

    with pytest.raises(Retryable, match="works on"):
        await adapter.fetch(f"{post['id']}/{media['id']}", 10)
    media["url"] = f"{server.url}/media/late.png"
    assert await adapter.fetch(f"{post['id']}/{media['id']}", 10) == b"\x89PNG"
    with pytest.raises(Refused, match="gone"):
        await adapter.fetch(f"{post['id']}/7", 10)


async def test_a_file_that_is_too_large_gone_or_in_a_private_network_is_refused(server, adapter):
    server.blobs["big"] = b"x" * 11

    with pytest.raises(Refused, match="larger"):
        await adapter.fetch(f"{server.url}/media/big", 10)
    with pytest.raises(Refused, match="no longer"):
        await adapter.fetch(f"{server.url}/media/none", 10)
    for address in ("http://127.0.0.1:1/x", "http://169.254.169.254/latest", "http://[::1]/", "https://"):
        with pytest.raises(Refused, match="do not call"):
            await adapter.fetch(address, 10)


async def test_a_working_account_is_named(server, adapter):
    found = await adapter.check(HOOK)

    assert found.problems == ()
    assert (found.facts["account"], found.facts["account_id"]) == ("@shop", server.us["id"])
    assert found.facts["max_characters"] == "500"


async def test_a_token_that_is_none_or_may_not_write_is_a_problem(server, adapter):
    server.script("GET", "/api/v1/apps/verify_credentials", Answer(200, {"id": "1", "scopes": ["read"]}))
    assert "write" in (await adapter.check(HOOK)).problems[0]

    for token in ("wrong", "", "é", "a\nb"):
        other = MastodonAdapter({"access_token": token, "api_url": server.url})
        assert "access token" in (await other.check(HOOK)).problems[0]
        await other.close()


def test_uncertain_is_not_among_what_mastodon_answers():
    assert MastodonAdapter.capabilities.repeatable
    assert not issubclass(Retryable, Uncertain)
