"""The agents' socket. It pushes; agents write over HTTP. Only typing goes up."""

import json
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.sessions.models import Session

from conversations.live import feed, typing
from conversations.live.fragments import Frame, since
from conversations.metrics import SOCKETS
from crm.workspace import clock, permissions
from crm.workspace.middleware import membership_of
from crm.workspace.models import Membership
from crm.workspace.threads import in_thread

SIGNED_OUT, FORBIDDEN = 4401, 4403  # after accept: a refusal before it reads as 1006, which clients retry for ever
FRAME_LIMIT = 2_000  # characters a client may send
FRAME_TO_TAB = 500_000  # characters; the server closes a socket that is sent more than a megabyte


class AgentConsumer(AsyncWebsocketConsumer):
    """Pushes the workspace's changes to one browser tab."""

    joined: feed.Feed | None = None
    membership: Membership | None = None

    async def connect(self) -> None:
        self.membership = await in_thread(self._member)
        if self.membership is None or not permissions.may(self.membership, "conversation.view"):
            await self.accept()
            await self.close(code=SIGNED_OUT if self.membership is None else FORBIDDEN)
            return
        self.joined = await feed.join(self.membership.workspace, self)  # before accept: no gap
        SOCKETS.labels("agent").inc()
        await self.accept()
        await self._catch_up()

    async def disconnect(self, code: int) -> None:
        if self.joined is not None:
            SOCKETS.labels("agent").dec()
            self.joined.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        conversation = _typed_in(text_data) if text_data and len(text_data) <= FRAME_LIMIT else None
        if conversation is not None and self.membership is not None:
            await in_thread(typing.agent_types, self.membership, conversation)

    async def events_moved(self, frame: Frame) -> None:
        text = json.dumps(frame.as_json())
        if len(text) > FRAME_TO_TAB:  # the tab loads its page anew instead
            text = json.dumps({"type": "reset", "to": frame.end})
        await self.send(text_data=text)

    async def heartbeat(self, head: int) -> None:
        if not await in_thread(self._still_allowed):
            await self.close(code=SIGNED_OUT)
            return
        await self.send(text_data=json.dumps({"type": "heartbeat", "head": head}))

    async def typing_seen(self, typing: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(typing))

    async def _catch_up(self) -> None:
        asked = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", [""])[0]
        if asked.isascii() and asked.isdigit() and len(asked) < 19 and self.membership is not None:
            frame = await in_thread(since, self.membership.workspace, int(asked))
            if frame.is_reset or frame.end != frame.start:
                await self.events_moved(frame)

    def _member(self) -> Membership | None:
        agent = self.scope.get("user")
        return membership_of(agent) if agent is not None and agent.is_authenticated else None

    def _still_allowed(self) -> bool:
        session = self.scope["session"].session_key
        signed_in = Session.objects.filter(session_key=session, expire_date__gt=clock.now()).exists()
        return signed_in and permissions.may(self._member(), "conversation.view")


def _typed_in(text: str) -> int | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    conversation = said.get("typing") if isinstance(said, dict) else None
    return conversation if isinstance(conversation, int) and 0 < conversation < 2**63 else None
