"""A web chat with one visitor, as the tests use it."""

import json
from dataclasses import dataclass
from typing import Any

from channels.testing import HttpCommunicator
from django.test import Client
from django_scopes import scope

from channels_adapters import connections, hooks
from channels_adapters.adapters.webchat import visitors
from conversations import deliveries
from conversations.inbound import receive_message
from conversations.models import Conversation, Inbox, Message
from conversations.normalized import InboundMessage, Sender
from conversations.outbound import queue_reply
from crm.workspace import clock
from tests.factories import make_member, make_workspace


@dataclass
class Chat:
    inbox: Inbox
    visitor: str

    @property
    def token(self) -> str:
        return visitors.token_for(self.visitor, self.inbox.key)

    @property
    def page(self) -> str:
        return f"/chat/{self.inbox.key}/"

    @property
    def hook(self) -> str:
        return f"/hooks/{self.inbox.key}/"

    def get(self, path: str = "", **headers: str):
        shown = {"x-visitor": self.token, **headers}
        return Client().get(self.page + path, headers=shown)

    def body(self, **fields: Any) -> bytes:
        return json.dumps({"visitor": self.visitor, "cid": "c1", "text": "Where is my lamp?", **fields}).encode()

    async def post(self, body: bytes | None = None, *, token: str | None = None, headers: Any = (), **fields: Any):
        """The visitor's page posts to the hook."""
        shown = [(b"x-visitor", (self.token if token is None else token).encode()), (b"host", b"testserver"), *headers]
        sent = self.body(**fields) if body is None else body
        return await HttpCommunicator(hooks.hooks, "POST", self.hook, sent, shown).get_response(timeout=10)

    def write(self, text: str = "Where is my lamp?", **facts: Any) -> Message:
        """The visitor's message, as the hub has it when the hook has done its part."""
        known = {"external_id": f"c-{text}", "thread_id": self.visitor, "at": clock.now(), **facts}
        message = InboundMessage(sender=Sender(self.visitor, verified=False), text=text, **known)
        stored = receive_message(self.inbox, message, triage=None)
        assert stored is not None
        return stored

    def answer(self, text: str = "On its way", *, is_sent: bool = True, **facts: Any) -> Message:
        """An agent's answer to the visitor, sent unless it is said otherwise."""
        with scope(workspace=self.inbox.workspace):
            conversation = Conversation.objects.get(threads__external_id=self.visitor)
            agent = make_member(self.inbox.workspace, name="Marek")
            message = queue_reply(conversation, agent, text, client_id=f"a-{text}", **facts)
        if is_sent:
            for part in deliveries.claim(10):
                deliveries.sent(part, str(part.pk))
        return message


def make_chat(workspace: Any = None, **given: str) -> Chat:
    inbox = connections.connect(workspace or make_workspace(), "webchat", name="Web chat", given=given)
    return Chat(inbox, visitors.new())


def other_visitor(chat: Chat) -> Chat:
    return Chat(chat.inbox, visitors.new())


async def frame(socket: Any, kind: str = "messages") -> Any:
    """The next frame of the kind."""
    while True:
        heard = json.loads(await socket.receive_from(timeout=10))
        if heard["type"] == kind:
            return heard
