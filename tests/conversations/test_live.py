import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.backends.db import SessionStore
from django_scopes import scope, scopes_disabled

from conversations import catching_up, desk, reading, timeline
from conversations.inbound import Arrival, receive_messages
from conversations.live import consumers, feed, fragments
from conversations.live.consumers import AgentConsumer
from conversations.models import Message, RoutedRecord
from conversations.outbound import queue_reply
from crm.models import Membership, Workspace
from crm.workspace import clock
from tests.factories import a_triage, an_inbound, make_inbox, make_member, make_message, make_workspace


def test_a_new_message_gives_a_row_and_an_entry(workspace):
    conversation = make_message(make_inbox(workspace), "Where is it?", triage=a_triage()).conversation

    frame = fragments.since(workspace, 0)

    assert frame.touched == [conversation.pk]
    assert f'id="row-{conversation.pk}"' in frame.rows[0]
    assert any("Where is it?" in entry["html"] for entry in frame.entries)
    assert frame.counts == {"all": 1, "unassigned": 1, "by_member": {}}


def test_nothing_new_gives_an_empty_frame(workspace):
    make_message(make_inbox(workspace))
    head = fragments.head_of(workspace)

    frame = fragments.since(workspace, head)

    assert (frame.start, frame.end, frame.rows, frame.is_reset) == (head, head, [], False)


@pytest.mark.parametrize("number", [-1_000_000, 10**9])
def test_a_number_too_far_away_is_a_reset(workspace, number):
    assert fragments.since(workspace, number).as_json() == {"type": "reset", "to": 0}


def test_frames_since_any_number_add_up_to_the_same(workspace, member):
    inbox = make_inbox(workspace)
    conversation = make_message(inbox, triage=a_triage()).conversation
    middle = fragments.head_of(workspace)
    queue_reply(conversation, member, "Hello", client_id="c1")
    desk.write_note(conversation, member, "inside", client_id="n1")
    desk.resolve(conversation, by=member)

    whole = fragments.since(workspace, 0)
    parts = [fragments.since(workspace, 0), fragments.since(workspace, middle)]

    assert whole.rows == parts[1].rows
    assert {entry["html"] for entry in parts[1].entries} <= {entry["html"] for entry in whole.entries}


def test_a_note_is_not_in_what_visitors_are_told(workspace, member):
    conversation = make_message(make_inbox(workspace)).conversation
    head = fragments.head_of(workspace)

    desk.write_note(conversation, member, "inside", client_id="n1")

    assert fragments.since(workspace, head).threads == frozenset()


def test_what_could_not_be_read_is_read_later_and_routed(workspace, monkeypatch):
    message = make_message(make_inbox(workspace), triage=None)
    monkeypatch.setattr(reading.nlp, "ready", lambda: True)
    monkeypatch.setattr(reading.nlp, "triage", lambda readings: [a_triage() for _ in readings])

    assert catching_up.read_late(workspace) == 1

    message.refresh_from_db()
    assert not message.awaits_triage
    assert RoutedRecord.objects.count() == 1
    assert catching_up.read_late(workspace) == 0


def test_a_pipeline_that_is_still_dead_is_asked_again_at_the_next_sweep(workspace, monkeypatch):
    make_message(make_inbox(workspace), triage=None)
    monkeypatch.setattr(reading.nlp, "ready", lambda: False)

    assert catching_up.read_late(workspace) == 0
    assert Message.objects.get().awaits_triage


def a_socket(member: Membership | None, *, since: int | None = None) -> WebsocketCommunicator:
    path = "/ws/live/" + ("" if since is None else f"?since={since}")
    socket = WebsocketCommunicator(AgentConsumer.as_asgi(), path)
    session = SessionStore()
    session.create()
    socket.scope["session"] = session
    socket.scope["user"] = member.agent if member else None
    return socket


@pytest.fixture
def shop(transactional_db) -> tuple[Workspace, Membership]:
    feed._feeds.clear()
    workspace = make_workspace()
    with scope(workspace=workspace):
        return workspace, make_member(workspace)


async def frame_of(socket: WebsocketCommunicator) -> dict:
    return json.loads(await socket.receive_from(timeout=5))


def receive(workspace: Workspace, text: str = "Where is it?") -> None:
    with scope(workspace=workspace):
        inbox = workspace_inbox(workspace)
        make_message(inbox, text)


def workspace_inbox(workspace: Workspace):
    from conversations.models import Inbox

    return Inbox.objects.first() or make_inbox(workspace)


async def test_a_message_reaches_every_open_tab(shop):
    workspace, member = shop
    tabs = [await sync_to_async(a_socket)(member, since=0) for _ in range(2)]
    for tab in tabs:
        assert (await tab.connect())[0]

    await sync_to_async(receive)(workspace)

    for tab in tabs:
        frame, came = await frame_of(tab), 0
        while not frame["rows"]:  # of the inbox, which was made just before, when that was told alone
            came, frame = frame["to"], await frame_of(tab)
        assert (frame["type"], frame["from"]) == ("events", came)
        assert "Where is it?" in frame["rows"][0]
        await tab.disconnect()


async def test_a_tab_that_comes_back_gets_what_it_missed(shop):
    workspace, member = shop
    await sync_to_async(receive)(workspace)
    tab = await sync_to_async(a_socket)(member, since=0)

    await tab.connect()

    assert "Where is it?" in (await frame_of(tab))["rows"][0]
    await tab.disconnect()


async def test_a_stranger_is_told_to_sign_in(shop):
    tab = await sync_to_async(a_socket)(None)

    assert (await tab.connect())[0]
    closed = await tab.receive_output(timeout=5)

    assert (closed["type"], closed["code"]) == ("websocket.close", consumers.SIGNED_OUT)


async def test_another_workspace_hears_nothing(shop):
    _workspace, member = shop
    tab = await sync_to_async(a_socket)(member, since=0)
    await tab.connect()
    other = await sync_to_async(make_workspace)(name="Other")

    await sync_to_async(receive)(other)

    assert await tab.receive_nothing(timeout=0.3)
    await tab.disconnect()


async def test_a_hint_that_was_lost_is_healed_by_the_heartbeat(shop, monkeypatch):
    workspace, member = shop
    monkeypatch.setattr(feed, "HEARTBEAT", 0.2)
    tab = await sync_to_async(a_socket)(member, since=0)
    await tab.connect()
    monkeypatch.setattr("conversations.live.layer.post", lambda *args: None)  # the layer is deaf

    await sync_to_async(receive)(workspace)

    kinds = [(await frame_of(tab))["type"] for _ in range(2)]
    assert sorted(kinds) == ["events", "heartbeat"]
    await tab.disconnect()


async def test_who_leaves_loses_the_socket_at_the_next_heartbeat(shop, monkeypatch):
    _workspace, member = shop
    monkeypatch.setattr(feed, "HEARTBEAT", 0.2)
    tab = await sync_to_async(a_socket)(member)
    await tab.connect()

    def leave():
        with scopes_disabled():
            Membership.objects.filter(pk=member.pk).update(left_at=clock.now())

    await sync_to_async(leave)()

    closed = await tab.receive_output(timeout=5)
    assert (closed["type"], closed["code"]) == ("websocket.close", consumers.SIGNED_OUT)


@pytest.mark.parametrize(
    "said", ["x", "[1]", '{"typing": "1"}', '{"type": "websocket.disconnect"}', "[" * 1500, "9" * 5000]
)
async def test_what_a_client_says_harms_nobody(shop, said):
    workspace, member = shop
    tab, other = [await sync_to_async(a_socket)(member, since=0) for _ in range(2)]
    await tab.connect()
    await other.connect()

    await tab.send_to(text_data=said)
    await sync_to_async(receive)(workspace)

    assert (await frame_of(other))["type"] == "events"
    for socket in (tab, other):
        await socket.disconnect()


async def test_typing_reaches_the_others(shop):
    workspace, member = shop
    await sync_to_async(receive)(workspace)
    tab = await sync_to_async(a_socket)(member, since=0)
    await tab.connect()
    conversation = (await frame_of(tab))["touched"][0]

    await tab.send_to(text_data=json.dumps({"typing": conversation}))

    frame = await frame_of(tab)
    assert (frame["type"], frame["conversation"], frame["is_customer"]) == ("typing", conversation, False)
    await tab.disconnect()
    await asyncio.sleep(0)


async def test_a_frame_too_large_for_a_socket_is_a_reset(shop, monkeypatch):
    workspace, member = shop
    monkeypatch.setattr(consumers, "FRAME_TO_TAB", 1000)
    tab = await sync_to_async(a_socket)(member, since=0)
    await tab.connect()

    await sync_to_async(receive)(workspace, "x" * 2000)

    frame = await frame_of(tab)
    assert frame["type"] == "reset"
    assert frame["to"] > 0
    await tab.disconnect()


def test_who_answers_first_takes_it_after_the_answer_as_on_a_page_loaded_anew(workspace, member):
    conversation = make_message(make_inbox(workspace)).conversation
    head = fragments.head_of(workspace)

    queue_reply(conversation, member, "Let me look.", client_id="c1")

    live = [entry["html"] for entry in fragments.since(workspace, head).entries]
    assert ["message--out" in html for html in live] == [True, False]
    assert [entry.kind for entry in timeline.entries(conversation).entries][-2:] == ["message", "line"]


def test_a_flood_is_drawn_frame_by_frame_for_those_who_follow(workspace):
    inbox = make_inbox(workspace)
    receive_messages(inbox, [Arrival(an_inbound(f"line {number}"), a_triage()) for number in range(200)])
    seen, frames = 0, []

    while (frame := fragments.following(workspace, seen)).end != seen:
        frames.append(frame)
        seen = frame.end

    assert seen == fragments.head_of(workspace) > fragments.TOO_FAR_BEHIND
    assert [frame.start for frame in frames] == [0, *(frame.end for frame in frames[:-1])]
    assert [frame.is_full for frame in frames[:-1]] == [True] * (len(frames) - 1)
    shown = "".join(entry["html"] for frame in frames for entry in frame.entries)
    assert all(f"line {number}<" in shown for number in range(200))


def test_after_more_than_anybody_can_follow_pages_are_loaded_anew(workspace, monkeypatch):
    monkeypatch.setattr(fragments, "TOO_MUCH_TO_FOLLOW", 200)
    inbox = make_inbox(workspace)
    receive_messages(inbox, [Arrival(an_inbound(f"line {number}"), a_triage()) for number in range(120)])

    frame = fragments.following(workspace, 0)

    assert (frame.is_reset, frame.end) == (True, fragments.head_of(workspace))


@pytest.mark.parametrize("number", [-1_000_000, 10**9])
def test_who_follows_from_nowhere_is_reset(workspace, number):
    assert fragments.following(workspace, number).as_json() == {"type": "reset", "to": 0}
