"""Both ways with a Slack that is not ours: Alice writes to the app there, and the app answers her."""

import threading
import time
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator
from django_scopes import scope, scopes_disabled
from slack_sdk import WebClient

from channels_adapters import connections, hooks
from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import HookRequest, OutboundFile, OutboundPart, Refused, WebhookRejected
from channels_adapters.workers.dispatch import Dispatch
from channels_adapters.workers.intake import Intake
from conversations.models import Conversation, Delivery, Message
from conversations.normalized import Deletion, Edit, InboundMessage, Reacted
from conversations.outbound import queue_reply
from crm.workspace import hints
from tests.channels_adapters.hook import Hook
from tests.channels_adapters.slack_emulator import ALICE, BOT, SECRET, emulator, missing
from tests.conftest import left_out
from tests.factories import make_member, make_workspace

pytestmark = pytest.mark.xdist_group("slack emulator")


class Slack:
    """The emulator, with Alice at her keyboard."""

    def __init__(self, url, hook):
        self.url, self.hook, self._read = url, hook, 0
        self.alice, self.bot = (WebClient(token, base_url=f"{url}/api/") for token in (ALICE, BOT))
        self.bot_user = self.bot.auth_test()["user_id"]
        self.alice_user = self.alice.auth_test()["user_id"]
        self.direct = self.alice.conversations_open(users=self.bot_user)["channel"]["id"]
        self.general = self.alice.conversations_list()["channels"][0]["id"]

    def delivered(self, count=1):
        """The next requests to our hook."""
        until = time.monotonic() + 10
        while len(self.hook.requests) < self._read + count and time.monotonic() < until:
            time.sleep(0.02)
        found = self.hook.requests[self._read : self._read + count]
        self._read += count
        assert len(found) == count, "Slack did not deliver"
        return [
            HookRequest("POST", "/hooks/1/", "", {key.lower(): value for key, value in headers.items()}, body)
            for headers, body in found
        ]

    def forget(self):
        time.sleep(0.2)
        self._read = len(self.hook.requests)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    if why := missing():
        left_out("Slack both ways against the emulator", why)
        pytest.skip(why)
    with Hook() as hook, emulator(tmp_path_factory.mktemp("emulate"), hook.url) as url:
        yield Slack(url, hook)


@pytest.fixture
def slack(running):
    running.forget()
    return running


@pytest.fixture
async def adapter(slack):
    made = SlackAdapter(
        {
            "bot_token": BOT,
            "signing_secret": SECRET,
            "api_url": slack.url,
            "bot_user_id": slack.bot_user,
            "team_id": "T000000001",
        }
    )
    made.settle_seconds = 0.05
    yield made
    await made.close()


def read(adapter, request):
    adapter.authenticate(request)
    assert adapter.delivery_id(request.body).startswith("Ev")
    return adapter.parse(request.body)


async def test_the_connection_is_found_to_work(slack):
    adapter = SlackAdapter({"bot_token": BOT, "signing_secret": SECRET, "api_url": slack.url})

    found = await adapter.check("https://desk.example/hooks/1/")
    await adapter.close()

    assert found.problems == ()
    assert (found.facts["bot_user_id"], found.facts["team_id"]) == (slack.bot_user, "T000000001")


async def test_a_direct_message_comes_in_signed(slack, adapter):
    ts = slack.alice.chat_postMessage(channel=slack.direct, text="Where is my order? &lt;7&gt;")["ts"]
    (request,) = slack.delivered()

    (message,) = read(adapter, request)

    assert isinstance(message, InboundMessage)
    assert (message.external_id, message.thread_id, message.text) == (ts, slack.direct, "Where is my order? <7>")
    assert (message.sender.address, message.is_group) == (slack.alice_user, False)
    assert abs((datetime.now(UTC) - message.at).total_seconds()) < 60


async def test_its_bytes_with_another_secret_are_refused(slack, adapter):
    slack.alice.chat_postMessage(channel=slack.direct, text="hello")
    (request,) = slack.delivered()

    with pytest.raises(WebhookRejected):
        SlackAdapter({"signing_secret": "another"}).authenticate(request)


async def test_a_thread_of_a_channel_is_one_conversation(slack, adapter):
    root = slack.alice.chat_postMessage(channel=slack.general, text="Anyone?")["ts"]
    slack.alice.chat_postMessage(channel=slack.general, text="Hello?", thread_ts=root)
    first, second = (read(adapter, request)[0] for request in slack.delivered(2))
    await adapter.send(OutboundPart(1, second.thread_id, "Here we are"))

    said = slack.bot.conversations_replies(channel=slack.general, ts=root)["messages"]

    assert first.thread_id == second.thread_id == f"{slack.general}:{root}"
    assert [message["text"] for message in said] == ["Anyone?", "Hello?", "Here we are"]


async def test_edits_deletions_and_reactions_come_in(slack, adapter):
    ts = slack.alice.chat_postMessage(channel=slack.direct, text="teh")["ts"]
    slack.alice.chat_update(channel=slack.direct, ts=ts, text="the")
    slack.alice.reactions_add(channel=slack.direct, timestamp=ts, name="eyes")
    slack.alice.reactions_remove(channel=slack.direct, timestamp=ts, name="eyes")
    slack.alice.chat_delete(channel=slack.direct, ts=ts)

    _, *changes = (event for request in slack.delivered(5) for event in read(adapter, request))

    edit, added, removed, deletion = changes
    assert (type(edit), edit.target, edit.text) == (Edit, ts, "the")
    assert (type(added), added.target, added.emojis) == (Reacted, ts, ("eyes",))
    assert (removed.emojis, removed.before) == ((), ("eyes",))
    assert (type(deletion), deletion.target) == (Deletion, ts)


async def test_our_own_messages_come_back_and_are_no_customer_s(slack, adapter):
    await adapter.send(OutboundPart(2, slack.direct, "Hello Alice"))
    (request,) = slack.delivered()

    assert read(adapter, request) == []


async def test_what_we_send_is_there_and_can_be_looked_up(slack, adapter):
    part = OutboundPart(77, slack.direct, "1 < 2 & <!here>", wanted_at=datetime.now(UTC))
    receipt = await adapter.send(part)

    newest = slack.alice.conversations_history(channel=slack.direct, limit=1)["messages"][0]
    assert (newest["ts"], newest["text"]) == (receipt.external_id, "1 &lt; 2 &amp; &lt;!here&gt;")
    assert await adapter.look_up(part) == receipt
    assert await adapter.look_up(OutboundPart(78, slack.direct, "x", wanted_at=datetime.now(UTC))) is None


async def test_a_person_can_be_written_to_without_a_conversation(slack, adapter):
    await adapter.send(OutboundPart(3, slack.alice_user, "Hello"))


async def test_files_go_both_ways(slack, adapter):
    file = OutboundFile("bill.txt", "text/plain", b"42 kr")
    receipt = await adapter.send(OutboundPart(4, slack.direct, "Your bill", file))
    assert [event for request in slack.delivered(3) for event in read(adapter, request)] == []  # created, shared, ours
    newest = slack.alice.conversations_history(channel=slack.direct, limit=1)["messages"][0]
    slack.alice.files_upload_v2(channel=slack.direct, filename="cat.txt", content="meow", initial_comment="look")

    (message,) = (event for request in slack.delivered(3) for event in read(adapter, request))

    assert (newest["ts"], newest["files"][0]["name"]) == (receipt.external_id, "bill.txt")
    (attachment,) = message.attachments
    assert await adapter.fetch(attachment.external_id, 100) == b"meow"
    assert attachment.name == "cat.txt"


async def test_a_channel_that_is_not_there_is_refused(slack, adapter):
    with pytest.raises(Refused, match="no such conversation"):
        await adapter.send(OutboundPart(5, "C0NOWHERE1", "x"))


@pytest.mark.django_db(transaction=True)
def test_alice_writes_an_agent_answers_and_alice_reads_it(slack, monkeypatch):
    intake, dispatch = Intake(), Dispatch()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    workspace = make_workspace()
    given = {"bot_token": BOT, "signing_secret": SECRET, "api_url": slack.url}
    inbox = connections.connect(workspace, "slack", name="Slack", given=given)
    assert connections.check(inbox).problems == ()
    slack.alice.chat_postMessage(channel=slack.direct, text="Where is my order?")
    (request,) = slack.delivered()

    for _ in range(2):  # and Slack's retry of it
        assert post(inbox, request) == 200
    intake.stop()
    with scope(workspace=workspace):
        assert Message.objects.get().text == "Where is my order?"
        queue_reply(Conversation.objects.get(), make_member(workspace), "On its way", client_id="c1")
    settled(dispatch)

    newest = slack.alice.conversations_history(channel=slack.direct, limit=1)["messages"][0]
    with scopes_disabled():
        assert (Delivery.objects.get().state, Delivery.objects.get().external_id) == ("sent", newest["ts"])
    assert newest["text"] == "On its way"


def post(inbox, request):
    headers = [(key.encode(), value.encode()) for key, value in request.headers.items()]
    asked = HttpCommunicator(hooks.hooks, "POST", f"/hooks/{inbox.key}/", request.body, headers)
    intake = hooks.workers().intake
    if not intake.is_alive():
        intake.start()
    return async_to_sync(asked.get_response)(timeout=10)["status"]


def settled(dispatch):
    done = threading.Event()

    def hear(workspace_id, number, verbs):
        if "delivery.changed" in verbs:
            done.set()

    hints.listen(hear)
    dispatch.start()
    dispatch.wake()
    try:
        assert done.wait(15)
    finally:
        hints.forget(hear)
        dispatch.stop()
