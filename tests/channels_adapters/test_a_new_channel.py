"""A new channel takes one class: here is one in sixty lines, held to the same contract as all the others."""

import contextlib
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels_adapters import connections, registry
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    HookRequest,
    OutboundPart,
    SendReceipt,
    Setting,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.workers import packing
from channels_adapters.workers.intake import Arrival, store
from channels_adapters.workers.taking_in import take_in_waiting
from conversations.models import Delivery, Message
from conversations.normalized import Inbound, InboundMessage, Sender
from conversations.outbound import queue_reply
from tests.channels_adapters.contract import test_every_channel as contract


# the channel begins
class PigeonAdapter(ChannelAdapter):
    """Messages by carrier pigeon: the loft posts {"ring", "from", "words", "at"} and flies what is sent."""

    channel, label = "pigeon", "Carrier pigeon"
    capabilities = Capabilities(text_limit=140, takes_in=("text",))
    settings_form = (
        Setting("loft_secret", "Secret of the loft", "It hangs behind the door of the loft.", secret=True),
    )
    sky: list[OutboundPart] = []

    def authenticate(self, request: HookRequest) -> None:
        given, ours = request.headers.get("x-feather", ""), self.settings.get("loft_secret", "")
        if not ours or not hmac.compare_digest(given.encode("utf-8", "replace"), ours.encode()):
            raise WebhookRejected("This feather is not from our loft.", status=401)

    def delivery_id(self, body: bytes) -> str:
        try:
            ring = json.loads(body)["ring"]
        except (ValueError, KeyError, TypeError, RecursionError):
            ring = None
        if isinstance(ring, str) and ring:
            return ring
        raise WebhookRejected("A pigeon has a ring.", status=400)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Unreadable("The note is wet.") from error
        if not isinstance(said, dict):
            raise Unreadable("The note is torn.")
        ring, sender, words = (said.get(key) for key in ("ring", "from", "words"))
        if not (isinstance(ring, str) and isinstance(sender, str) and isinstance(words, str) and ring and sender):
            return []  # a pigeon without a note
        return [InboundMessage(ring, sender, Sender(sender, name=sender.title()), words, _flown_at(said.get("at")))]

    async def send(self, part: OutboundPart) -> SendReceipt:
        self.sky.append(part)
        return SendReceipt(f"ring-{part.delivery_id}")


def _flown_at(seconds: object) -> datetime:
    return datetime.fromtimestamp(seconds if type(seconds) is int and 0 <= seconds < 4_000_000_000 else 0, UTC)


# the channel ends

NOTE = {"ring": "SE-1", "from": "ada", "words": "Where is my lamp?", "at": 1787220000}


@pytest.fixture
def pigeon(monkeypatch):
    monkeypatch.setitem(registry.channels(), "pigeon", PigeonAdapter)
    PigeonAdapter.sky.clear()
    return PigeonAdapter


def test_it_takes_no_more_than_sixty_lines():
    text = Path(__file__).read_text()
    channel = re.search(r"# the channel begins\n(.*)# the channel ends", text, re.DOTALL)

    assert len(channel[1].rstrip().splitlines()) <= 60


@pytest.mark.parametrize(
    "fact",
    [
        contract.test_a_channel_says_what_it_is,
        contract.test_secrets_of_a_channel_are_marked_as_secret,
        contract.test_an_unsigned_request_is_refused,
        contract.test_a_request_with_wrong_proof_is_refused,
        contract.test_an_account_without_settings_takes_no_request,
    ],
    ids=lambda fact: fact.__name__,
)
def test_it_passes_the_contract(pigeon, fact):
    fact("pigeon")


@pytest.mark.parametrize("body", contract.HOSTILE.values(), ids=contract.HOSTILE)
def test_hostile_bodies_cost_it_nothing(body):
    adapter = PigeonAdapter({"loft_secret": "x"})
    for work in (adapter.delivery_id, adapter.parse):
        with contextlib.suppress(WebhookRejected, Unreadable):
            assert work(body) is not None


@pytest.mark.parametrize("key", NOTE)
@pytest.mark.parametrize("value", [None, [], {}, "", -1, 10**30, True, "\x00\ud800"], ids=repr)
def test_a_spoilt_field_is_no_crash(key, value):
    for inbound in PigeonAdapter({}).parse(json.dumps({**NOTE, key: value}).encode()):
        assert isinstance(inbound, InboundMessage)


def test_it_goes_both_ways_with_nothing_else_changed(pigeon, workspace, member):
    inbox = connections.connect(workspace, "pigeon", name="Loft", given={"loft_secret": "quill"})
    adapter = connections.serving(inbox.key).adapter
    body = json.dumps(NOTE).encode()
    adapter.authenticate(HookRequest("POST", "/", "", {"x-feather": "quill"}, body))
    for _twice in range(2):
        store([Arrival(inbox, adapter.delivery_id(body), body)])
        take_in_waiting()

    message = Message.objects.get()
    queue_reply(message.conversation, member, "On its way", client_id="c1")
    part = packing.part(Delivery.objects.select_related("thread__inbox", "message__identity").get())

    assert message.text == "Where is my lamp?"
    assert (part.thread_id, part.address, part.text) == ("ada", "ada", "On its way")
