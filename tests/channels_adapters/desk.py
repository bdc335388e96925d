"""Our end of an exchange: the hooks behind a real HTTP server on a loopback port, an intake, and the way out.

async with Desk(settings, workspace) as desk:
    inbox = await desk.connect("whatsapp", ...)
    ...                                    # a platform posts to desk.url
    await desk.taken_in()
    await desk.answer("On its way")
"""

import threading
import time
from typing import Any

from aiohttp import web
from asgiref.sync import sync_to_async
from django_scopes import scope, scopes_disabled

from channels_adapters import connections, hooks
from channels_adapters.contract import Check
from channels_adapters.models import RawDelivery
from channels_adapters.workers.dispatch import Dispatch
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.taking_in import take_in_all
from conversations.models import Conversation, Delivery, Inbox, Message
from conversations.outbound import queue_reply
from crm.workspace import hints
from crm.workspace.models import Membership, Workspace

_PATIENCE = 15.0  # seconds


class Desk:
    def __init__(self, settings: Any, monkeypatch: Any, workspace: Workspace, member: Membership) -> None:
        self._settings, self.workspace, self.member = settings, workspace, member
        self._intake = Intake()
        monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": self._intake})())

    async def __aenter__(self) -> "Desk":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", _bridge)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = self._settings.PUBLIC_URL = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        await sync_to_async(self._intake.start)()
        return self

    async def __aexit__(self, *_: object) -> None:
        await sync_to_async(self._intake.stop)()
        await sync_to_async(connections.forget)()
        await self._runner.cleanup()

    @sync_to_async
    def connect(self, channel: str, given: dict[str, str]) -> tuple[Inbox, str, Check]:
        """The inbox, its hook's address, and what the live test found."""
        inbox = connections.connect(self.workspace, channel, name=channel, given=given)
        return inbox, connections.hook_url(inbox), connections.check(inbox)

    @sync_to_async
    def taken_in(self, inbox: Inbox) -> list[Message]:
        """The customers' messages, once everything that was delivered is in the hub."""
        end = time.monotonic() + _PATIENCE
        with scopes_disabled():
            waiting = RawDelivery.objects.filter(inbox=inbox, state=RawDelivery.State.WAITING)
            while take_in_all(inbox) or waiting.exists():  # the intake's own thread may be at it
                assert time.monotonic() < end, "it is not taken in"
                time.sleep(0.02)
            return list(Message.objects.filter(direction="in").prefetch_related("files").order_by("pk"))

    @sync_to_async
    def answer(self, text: str) -> Delivery:
        """What an agent writes in the one conversation there is, sent."""
        with scope(workspace=self.workspace):
            queue_reply(Conversation.objects.get(), self.member, text, client_id="c1")
        _dispatched()
        return self._delivery()

    @sync_to_async
    def delivery(self) -> Delivery:
        return self._delivery()

    def _delivery(self) -> Delivery:
        with scopes_disabled():
            return Delivery.objects.get()


def _dispatched() -> None:
    done, dispatch = threading.Event(), Dispatch()

    def hear(workspace_id: int, number: int, verbs: Any) -> None:
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


async def _bridge(request: web.Request) -> web.Response:
    body, said = await request.read(), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    headers = [(name.lower(), value) for name, value in request.raw_headers]
    query = request.rel_url.raw_query_string.encode()
    scope_ = {"type": "http", "method": request.method, "path": request.path, "query_string": query, "headers": headers}
    await hooks.hooks(scope_, receive, send)
    start, rest = said
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return web.Response(status=start["status"], body=rest["body"], headers=told)
