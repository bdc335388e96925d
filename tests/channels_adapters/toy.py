"""A channel in the fewest lines: what a new adapter needs, and what the edge's tests drive."""

import hmac
import json
from datetime import UTC, datetime
from typing import ClassVar

from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    HookRequest,
    OutboundAct,
    OutboundPart,
    SendReceipt,
    Setting,
    Unreadable,
    WebhookRejected,
)
from conversations.normalized import Inbound, InboundMessage, Sender


class ToyAdapter(ChannelAdapter):
    channel, label = "toy", "Toy"
    capabilities = Capabilities(text_limit=100)
    settings_form = (Setting("secret", "Secret", "any word", secret=True, required=False, default="s3cret"),)
    sent: ClassVar[list[OutboundPart]] = []
    trouble: ClassVar[Exception | None] = None
    arrived: ClassVar[SendReceipt | Exception | None] = None  # what a look-up finds
    asked: ClassVar[list[OutboundPart]] = []
    acted: ClassVar[list[OutboundAct]] = []

    def authenticate(self, request: HookRequest) -> None:
        given = request.headers.get("x-secret", "")
        if not hmac.compare_digest(given.encode(), self.settings["secret"].encode()):
            raise WebhookRejected("The secret is wrong.")

    def delivery_id(self, body: bytes) -> str:
        try:
            return str(json.loads(body)["id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise WebhookRejected("The body must be an object with an id.", status=400) from None

    def parse(self, body: bytes) -> list[Inbound]:
        said = json.loads(body)
        if "text" not in said:
            raise Unreadable("it has no text")
        sender = Sender(address=said["from"], name=said["from"].title())
        return [InboundMessage(str(said["id"]), said["from"], sender, said["text"], datetime.now(UTC))]

    async def send(self, part: OutboundPart) -> SendReceipt:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(part)
        return SendReceipt(f"out-{part.delivery_id}", {"room": "kept"})

    async def act(self, act: OutboundAct) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.acted.append(act)

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        self.asked.append(part)
        if isinstance(self.arrived, Exception):
            raise self.arrived
        return self.arrived
