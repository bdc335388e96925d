"""What each failure of a homeserver means, and that nothing is confirmed before it is stored."""

import asyncio
import contextlib
import json
import socket

import pytest

from channels_adapters.adapters.matrix import MatrixAdapter
from channels_adapters.contract import (
    HookRequest,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    WebhookRejected,
)
from conversations.normalized import ConnectionLost
from tests.channels_adapters.patience import patience
from tests.channels_adapters.scripted import Answer, Scripted

ROOM, ME = "!opaque:crm.test", "@desk:crm.test"
PART = OutboundPart(7, ROOM, "Hello")


@pytest.fixture
async def server():
    async with Scripted() as running:
        running.says("/members", Answer(200, {"chunk": []}))
        yield running


@pytest.fixture
async def adapter(server):
    made = adapter_of(server.url)
    yield made
    await made.close()


def adapter_of(url, **settings):
    made = MatrixAdapter({"api_url": url, "access_token": "syt_fake", "user_id": ME, **settings})
    made.poll_seconds = 0
    return made


def error(code, status=400, **more):
    return Answer(status, {"errcode": code, "error": f"about {code}", **more})


@pytest.mark.parametrize(
    "answer, kind, reason, wait",
    [
        (error("M_LIMIT_EXCEEDED", 429, retry_after_ms=2500), Retryable, "slow down", 2.5),
        (Answer(429, {}, {"Retry-After": "7"}), Retryable, "slow down", 7),
        (Answer(429, {}, {"Retry-After": "soon"}), Retryable, "slow down", None),
        (Answer(429, {}, {"Retry-After": "inf"}), Retryable, "slow down", None),
        (error("M_UNKNOWN_TOKEN", 401, soft_logout=True), Retryable, "access token", 300),
        (error("M_USER_DEACTIVATED", 403), Retryable, "access token", 300),
        (Answer(401, b"<h1>proxy</h1>"), Retryable, "access token", 300),
        (error("M_FORBIDDEN", 403), Refused, "not in this room", None),
        (error("M_TOO_LARGE", 413), Refused, "larger than the homeserver takes", None),
        (error("M_BAD_JSON"), Refused, "about M_BAD_JSON", None),
        (error("M_UNKNOWN", 500), Retryable, "has trouble", None),
        (Answer(502, b"<h1>Bad Gateway</h1>"), Retryable, "has trouble", None),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), Retryable, "has trouble", None),
        (Answer(200, {"no": "event"}), Retryable, "made no sense", None),
        (Answer(200, {"errcode": "M_FORBIDDEN"}), Retryable, "made no sense", None),
        (Answer(200, b"[1]"), Retryable, "made no sense", None),
        (Answer(200, b"<html>"), Retryable, "made no sense", None),
        (Answer(how="hang"), Retryable, "took too long", None),
        (Answer(how="drop"), Retryable, "broke", None),
    ],
)
async def test_a_failure_is_said_in_plain_words(server, adapter, answer, kind, reason, wait):
    adapter.call_seconds = patience(answer.how)
    server.says("/send/", answer)

    with pytest.raises(kind, match=reason) as failure:
        await adapter.send(PART)

    assert getattr(failure.value, "retry_after", None) == wait
    assert "syt_fake" not in failure.value.reason


async def test_a_part_goes_out_again_under_the_same_number(server, adapter):
    server.says("/send/", Answer(500, {}), Answer(200, {"event_id": "$1"}))
    with pytest.raises(Retryable):
        await adapter.send(PART)

    receipt = await adapter.send(PART)

    first, second = server.called("/send/")
    assert receipt.external_id == "$1"
    assert first.path == second.path
    assert first.path.endswith("/send/m.room.message/rapport.7")


async def test_the_token_leaves_in_a_header_only(server, adapter):
    server.says("/send/", Answer(200, {"event_id": "$1"}))

    await adapter.send(PART)

    (call,) = server.calls
    assert call.headers["authorization"] == "Bearer syt_fake"
    assert "syt_fake" not in call.path


async def test_a_homeserver_that_is_away_is_tried_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        adapter = adapter_of(f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(Retryable, match="could not be reached"):
            await adapter.send(PART)
    await adapter.close()


async def test_an_address_that_somebody_typed_in_leads_to_no_private_network(server):
    adapter = MatrixAdapter({"homeserver": server.url, "access_token": "syt_fake"})

    found = await adapter.check("")
    await adapter.close()

    assert "private network" in found.problems[0]
    assert server.calls == []


@pytest.mark.parametrize("address", ["", "matrix.org", "ftp://matrix.org", "https://"])
async def test_an_address_that_is_none_is_said(address):
    found = await MatrixAdapter({"homeserver": address, "access_token": "x"}).check("")

    assert "begins with https://" in found.problems[0]


@pytest.mark.parametrize("token", ["", "two words", "åäö", "a\nb"])
async def test_a_token_that_can_be_none_is_said(token):
    found = await MatrixAdapter({"homeserver": "https://matrix.example", "access_token": token}).check("")

    assert "access token" in found.problems[0]


async def test_a_policy_that_is_none_is_said(server):
    found = await adapter_of(server.url, invites="maybe").check("")

    assert found.problems == ('Invitations are "accept" or "ignore".',)


@pytest.mark.parametrize("thread_id", ["", "@ada:crm.test", "!a b", "!../../admin", "#room:crm.test"])
async def test_what_is_no_room_is_refused(server, adapter, thread_id):
    with pytest.raises(Refused, match="no Matrix room"):
        await adapter.send(OutboundPart(1, thread_id, "x"))

    assert server.calls == []


async def test_nothing_is_not_sent(server, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(OutboundPart(1, ROOM, " \n"))
    with pytest.raises(Refused, match="file is empty"):
        await adapter.send(OutboundPart(1, ROOM, "", OutboundFile("a", "text/plain", b"")))

    assert server.calls == []


async def test_an_act_that_matrix_lacks_is_refused(server, adapter):
    with pytest.raises(Refused, match="cannot do this"):
        await adapter.act(OutboundAct(1, "hide", ROOM, "$1"))


@pytest.mark.parametrize(
    "address", ["", "mxc://", "mxc://a", "https://a/b", "mxc://a/../b", "mxc://a/b?c", "mxc://a b/c"]
)
async def test_what_is_no_file_of_matrix_is_not_fetched(server, adapter, address):
    with pytest.raises(Refused, match="no file of Matrix"):
        await adapter.fetch(address, 100)

    assert server.calls == []


async def test_a_file_is_asked_for_at_our_own_homeserver_only(server, adapter):
    server.says("/media/download/", Answer(200, b"meow"))

    assert await adapter.fetch("mxc://elsewhere.test:8448/abc", 100) == b"meow"

    assert server.calls[0].path == "/_matrix/client/v1/media/download/elsewhere.test%3A8448/abc"


def test_nothing_can_be_posted_to_the_hook(server):
    with pytest.raises(WebhookRejected):
        adapter_of(server.url).authenticate(HookRequest("POST", "/hooks/1/", "", {}, b"{}"))


class Kept:
    def __init__(self):
        self.batches, self.cursors = [], []

    async def __call__(self, batch, cursor):
        self.batches.append(batch)
        self.cursors.append(json.loads(cursor)["since"])


async def heard(adapter, cursor="", *, store=None):
    """What is stored until the homeserver fails."""
    kept = store or Kept()
    with contextlib.suppress(Retryable):
        await adapter.listen(cursor, kept)
    return kept


def a_sync(mark, *events, limited=False, prev="p", room=ROOM):
    timeline = {"events": list(events), "limited": limited, "prev_batch": prev}
    return Answer(200, {"next_batch": mark, "rooms": {"join": {room: {"timeline": timeline}}}})


def said(event_id, text="hello", sender="@ada:crm.test"):
    content = {"msgtype": "m.text", "body": text}
    return {"type": "m.room.message", "event_id": event_id, "sender": sender, "content": content}


DOWN = Answer(503, {})
SINCE = json.dumps({"since": "s1"})


async def test_the_first_look_takes_no_history(server, adapter):
    server.says("/sync", a_sync("s1", said("$old")), DOWN)

    kept = await heard(adapter)

    assert (kept.batches, kept.cursors) == ([[]], ["s1"])


async def test_what_is_new_is_stored_and_then_confirmed(server, adapter):
    server.says("/sync", a_sync("s2", said("$1"), said("$2")), DOWN)

    kept = await heard(adapter, SINCE)

    assert [name for name, _ in kept.batches[0]] == ["$1", "$2"]
    assert [call.query.get("since") for call in server.called("/sync")] == ["s1", "s2"]


async def test_what_could_not_be_stored_is_asked_for_again(server, adapter):
    async def fails(batch, cursor):
        raise RuntimeError("the database is away")

    server.says("/sync", a_sync("s2", said("$1")), DOWN)

    with pytest.raises(RuntimeError):
        await adapter.listen(SINCE, fails)

    assert [call.query.get("since") for call in server.called("/sync")] == ["s1"]


async def test_a_broken_event_does_not_keep_the_others_back(server, adapter):
    strange = {**said("$2"), "content": [1], "unsigned": 7}
    server.says("/sync", a_sync("s2", said("$1"), strange, "no event", {"type": 1}, said("$3")), DOWN)

    kept = await heard(adapter, SINCE)

    assert [name for name, _ in kept.batches[0]] == ["$1", "$2", "$3"]
    assert [len(adapter.parse(body)) for _, body in kept.batches[0]] == [1, 0, 1]


async def test_a_gap_is_read_page_by_page_down_to_where_we_were(server, adapter):
    server.says("/sync", a_sync("s2", said("$5"), limited=True), DOWN)
    pages = [[said("$4"), said("$3")], [said("$2")]]
    server.says(
        "/messages",
        *(Answer(200, {"chunk": page, "end": f"p{number}"}) for number, page in enumerate(pages)),
        Answer(200, {"chunk": []}),
    )

    kept = await heard(adapter, SINCE)

    names = [name for batch in kept.batches for name, _ in batch]
    assert names == ["$2", "$3", "$4", "$5"]
    assert {call.query["to"] for call in server.called("/messages")} == {"s1"}


async def test_a_cursor_that_cannot_be_read_starts_anew(server, adapter):
    server.says("/sync", a_sync("s1", said("$old")), DOWN)

    kept = await heard(adapter, "{not json")

    assert kept.batches == [[]]


async def test_a_room_on_a_server_that_is_down_is_joined_later(server, adapter):
    invited = {"type": "m.room.member", "state_key": ME, "sender": "@ada:far.test", "content": {"membership": "invite"}}
    invite = {"next_batch": "s2", "rooms": {"invite": {"!far:far.test": {"invite_state": {"events": [invited]}}}}}
    server.says("/sync", Answer(200, invite), a_sync("s3"), a_sync("s4"), DOWN)
    server.says("/join/", Answer(504, {}), Answer(200, {"room_id": "!far:far.test"}))

    kept = await heard(adapter, SINCE)

    joins = server.called("/join/")
    assert [call.query for call in joins] == [{"server_name": "far.test"}] * 2
    assert kept.cursors[-1] == "s4"


async def test_a_room_that_does_not_let_us_in_is_left(server, adapter):
    invite = {"next_batch": "s2", "rooms": {"invite": {"!far:far.test": {}}}}
    server.says("/sync", Answer(200, invite), a_sync("s3"), DOWN)
    server.says("/join/", error("M_FORBIDDEN", 403))

    await heard(adapter, SINCE)

    assert len(server.called("/join/")) == 1


async def test_a_token_that_is_taken_back_is_told_once(server, adapter):
    server.says("/sync", error("M_UNKNOWN_TOKEN", 401))

    first, second = await heard(adapter, SINCE), await heard(adapter, SINCE)

    ((name, body),) = first.batches[0]
    (lost,) = adapter.parse(body)
    assert isinstance(lost, ConnectionLost)
    assert "access token" in lost.reason
    assert second.batches[0][0][0] == name
    assert first.cursors == ["s1"]


async def test_an_answer_without_a_mark_ends_the_listening(server, adapter):
    server.says("/sync", Answer(200, {"rooms": []}))

    with pytest.raises(Retryable, match="made no sense"):
        await adapter.listen(SINCE, Kept())


async def test_closing_ends_a_poll_that_waits(server):
    adapter = adapter_of(server.url)
    adapter.poll_seconds = 20
    server.says("/sync", Answer(how="hang"))
    listening = asyncio.create_task(adapter.listen(SINCE, Kept()))
    while not server.called("/sync"):  # noqa: ASYNC110  # the server is not told to tell
        await asyncio.sleep(0.01)

    await adapter.close()

    with pytest.raises(Retryable):
        await asyncio.wait_for(listening, 5)
