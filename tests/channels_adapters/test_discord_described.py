"""What we send to Discord, judged by Discord's own description of its interface: Prism refuses what breaks it."""

import contextlib
import json
import re
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from channels_adapters.adapters.discord import DiscordAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart, SendFailed
from tests.channels_adapters.prism import DESCRIPTIONS, missing, prism
from tests.conftest import left_out

pytestmark = pytest.mark.xdist_group("Prism for Discord")
DESCRIPTION = DESCRIPTIONS / "discord-api-v10.json"
CHANNEL, MESSAGE = "5000", "7000"
_REFERENCE = r'"#/components/(\w+)/([^"/]+)"'
_WITHIN = ("content-type", "authorization")


_USED = (
    "/channels/{channel_id}/messages",
    "/channels/{channel_id}/messages/{message_id}",
    "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me",
    "/channels/{channel_id}/typing",
    "/channels/{channel_id}",
    "/users/@me",
    "/applications/@me",
    "/gateway/bot",
    "/interactions/{interaction_id}/{interaction_token}/callback",
)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    if why := missing(DESCRIPTION):
        left_out("what we send to Discord against its description", why)
        pytest.skip(why)
    used = tmp_path_factory.mktemp("discord") / "used.json"
    used.write_text(json.dumps(cut(json.loads(DESCRIPTION.read_text()))))
    with prism(used) as url:
        yield url


def cut(description):
    """What it says of the requests that we make, word for word. Of the whole, Prism would read for a minute.

    The answers are plain: of Discord's, Prism makes examples that it then finds wrong itself.
    """
    kept = {**description, "paths": {path: description["paths"][path] for path in _USED}, "components": {}}
    for call in (call for calls in kept["paths"].values() for call in calls.values() if isinstance(call, dict)):
        call["responses"] = {"200": _answer(200), "400": _answer(400), "401": _answer(401)}
    waiting = re.findall(_REFERENCE, json.dumps(kept))
    while waiting:
        kind, name = waiting.pop()
        place = kept["components"].setdefault(kind, {})
        if name not in place:
            place[name] = description["components"][kind][name]
            waiting += re.findall(_REFERENCE, json.dumps(place[name]))
    kept["components"]["securitySchemes"] = description["components"]["securitySchemes"]
    return kept


def _answer(status):
    example = {"id": MESSAGE, "flags": 1 << 19} if status == 200 else {"code": status, "message": "not as described"}
    return {"description": "", "content": {"application/json": {"schema": {"type": "object"}, "example": example}}}


class Judge:
    """Hands calls on to Prism, which knows no /api/v10, and keeps what it finds wrong with them."""

    def __init__(self, described):
        self.described, self.calls, self.faults = described, [], []

    async def __aenter__(self):
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/api/v10/{path:.*}", self._hand_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        return self

    async def __aexit__(self, *_):
        await self._http.close()
        await self._runner.cleanup()

    async def _hand_on(self, request):
        place = f"{self.described}{request.raw_path.removeprefix('/api/v10')}"
        headers = {key: value for key, value in request.headers.items() if key.lower() in _WITHIN}
        async with self._http.request(request.method, place, data=await request.read(), headers=headers) as answer:
            body = await answer.read()
            self.calls.append(f"{request.method} {request.path.removeprefix('/api/v10')}")
            self.faults += [body] if answer.status >= 400 else []
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)


@pytest.fixture
async def judge(described):
    async with Judge(described) as running:
        yield running


@pytest.fixture
async def adapter(judge):
    made = DiscordAdapter({"bot_token": "MTAwMDAw.made.up", "api_url": judge.url})
    made.call_seconds = 60
    yield made
    await made.close()


def a_part(text="Hello", **fields):
    return OutboundPart(12, CHANNEL, text, **{"wanted_at": datetime.now(UTC), **fields})


BUTTONS = (Button("Yes", "yes"), Button("Open", url="https://shop.example/"))
SENT = {
    "a text": a_part("hello @everyone"),
    "an answer": a_part(reply_to=MESSAGE),
    "buttons": a_part(buttons=BUTTONS),
    "a file": a_part("Your bill", file=OutboundFile("bill.pdf", "application/pdf", b"%PDF")),
    "a file without words": a_part("", file=OutboundFile("bill.pdf", "application/pdf", b"%PDF")),
}
DONE = {
    "an edit": OutboundAct(13, "edit", CHANNEL, MESSAGE, "Yes"),
    "a deletion": OutboundAct(13, "delete", CHANNEL, MESSAGE),
    "a reaction": OutboundAct(13, "react", CHANNEL, MESSAGE, "👍"),
}


@pytest.mark.parametrize("part", SENT.values(), ids=SENT.keys())
async def test_what_we_send_is_as_described(judge, adapter, part):
    await adapter.send(part)

    assert judge.calls == [f"POST /channels/{CHANNEL}/messages"]
    assert judge.faults == []


@pytest.mark.parametrize("act", DONE.values(), ids=DONE.keys())
async def test_what_we_do_is_as_described(judge, adapter, act):
    await adapter.act(act)

    assert len(judge.calls) == 1
    assert judge.faults == []


async def test_typing_questions_and_the_check_are_as_described(judge, adapter):
    await adapter.typing(CHANNEL)
    with contextlib.suppress(SendFailed):  # the example is no list of messages
        await adapter.look_up(a_part())
    assert (await adapter.check("")).problems == ()
    await adapter.send(a_part(file=OutboundFile("a.txt", "text/plain", b"a")))

    assert len(judge.calls) == 6
    assert judge.faults == []


@pytest.mark.parametrize("wrong", [{"content": 7}, {"components": "none"}, {"nonce": "x" * 26}, {"flags": "many"}])
async def test_the_judge_does_refuse(judge, wrong):
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bot x"}) as http,
        http.post(f"{judge.url}/api/v10/channels/{CHANNEL}/messages", json=wrong),
    ):
        assert judge.faults
