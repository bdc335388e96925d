"""Listening at the gateway: what comes is stored with the place it came from, so that the next stay goes on there.

The cursor is JSON: {"session", "url", "seq": to resume with, "after": the newest message known to all channels,
"direct": the channels of direct messages, the latest last}. A session that cannot be resumed leaves a gap; it is
filled from the channels' histories after `after`.
"""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from channels_adapters.adapters.discord import interactions
from channels_adapters.adapters.discord.client import Client
from channels_adapters.adapters.discord.content import snowflake, snowflake_of
from channels_adapters.adapters.discord.errors import TOKEN_PAUSE, TokenLost, nothing_to_lose
from channels_adapters.adapters.discord.gateway import Ended, Line, Session
from channels_adapters.adapters.discord.parsing import KINDS
from channels_adapters.contract import Refused, Retryable, SendFailed, Store
from channels_adapters.reading import Broken, Fields, read_object
from crm.workspace import clock

logger = logging.getLogger(__name__)
_LEASE_EVERY = 15.0  # seconds
_SHORT = 5.0  # seconds: a stay that ends sooner is not begun again at once
_PAGE, _PAGES = 100, 20
_DIRECT = 500  # channels that are remembered
Batch = list[tuple[str, bytes]]


@dataclass
class Place:
    """Where we are, as the cursor tells it."""

    session: Session | None = None
    after: str = ""
    direct: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cursor: str) -> "Place":
        try:
            known = read_object(cursor.encode()) if cursor else Fields({})
        except Broken:
            known = Fields({})
        seq = known.size("seq")
        is_whole = known.text("session") and known.text("url") and seq is not None
        session = Session(known.text("session"), known.text("url"), seq or 0) if is_whole else None
        direct = known.raw.get("direct")
        channels = [channel for channel in direct if isinstance(channel, str)] if isinstance(direct, list) else []
        return cls(session, snowflake(known, "after"), channels)

    def cursor(self) -> str:
        stay = {"session": self.session.id, "url": self.session.url, "seq": self.session.seq} if self.session else {}
        return json.dumps({**stay, "after": self.after, "direct": self.direct[-_DIRECT:]})

    def note(self, message: Fields, *, is_whole: bool) -> None:
        """A message came. `is_whole`: no older one is missing in any channel."""
        number, channel = snowflake(message, "id"), snowflake(message, "channel_id")
        if is_whole and number and int(number) > int(self.after or 0):
            self.after = number
        if channel and not message.has("guild_id") and channel not in self.direct[-1:]:
            self.direct = [*(known for known in self.direct if known != channel), channel][-_DIRECT:]


class Listener:
    """Goes from one stay to the next until something is wrong."""

    def __init__(self, client: Client, token: str, store: Store) -> None:
        self._client, self._token, self._store = client, token, store
        self._place, self._me = Place(), ""
        self._gap_after = ""  # of the session's beginning
        self._unfilled: set[str] = set()  # servers that have not told their channels yet
        self._stored_at = 0.0
        self._line: Line | None = None
        self._is_over = False

    async def run(self, cursor: str) -> None:
        """Take events until cancelled; raises Retryable or Refused."""
        self._place = Place.of(cursor)
        self._me = (await self._quietly("GET", "/users/@me")).text("id")
        while True:
            began = time.monotonic()
            try:
                await self._stay()
            except Ended as ended:
                if not ended.may_resume:
                    self._place.session = None
                await self._keep([])
                if self._is_over:
                    raise Retryable("the connection's settings have changed") from ended
                if time.monotonic() - began < _SHORT:
                    raise Retryable("the connection to Discord was lost") from ended
            except TokenLost as error:
                told = json.dumps({"lost": error.reason}).encode()
                name = self._place.session.id if self._place.session else self._me
                await self._store([(f"lost:{name}", told)], self._place.cursor())
                raise

    async def end(self) -> None:
        """`run` ends as Retryable."""
        self._is_over = True
        if self._line is not None:
            await self._line.close()

    async def _stay(self) -> None:
        line, session = Line(self._token), self._place.session
        self._line = line
        try:
            await self._open(line, session)
            await self._keep([])
            while True:
                for event in await line.hear():
                    await self._take(event)
                if time.monotonic() - self._stored_at > _LEASE_EVERY:
                    await self._keep([])
        finally:
            await line.close()

    async def _open(self, line: Line, session: Session | None) -> None:
        """A session whose own address does not answer is given up: the histories tell the rest."""
        url = session.url if session else await self._address()
        try:
            await line.open(url, session)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._place.session = None
            await self._keep([])
            raise Retryable("the connection to Discord could not be made") from error

    async def _address(self) -> str:
        told = await self._quietly("GET", "/gateway/bot")
        limit = told.one("session_start_limit")
        if limit.size("remaining") == 0:
            wait = (limit.size("reset_after") or 0) / 1000
            raise Retryable("the bot connected too often today: Discord lets it in again later", wait or TOKEN_PAUSE)
        return self._trusted(told.text("url"))

    def _trusted(self, url: str) -> str:
        """The token goes to Discord only."""
        host, own = urlsplit(url).hostname or "", urlsplit(self._client.own).hostname
        is_theirs = urlsplit(url).scheme == "wss" and (host == "discord.gg" or host.endswith(".discord.gg"))
        if not (host == own if own else is_theirs):
            raise Retryable("Discord named a gateway that is not its own", TOKEN_PAUSE)
        return url

    async def _take(self, event: Fields) -> None:
        kind, what, seq = event.text("t"), event.one("d"), event.size("s")
        if kind == "READY":
            return await self._begin(what, seq or 0)
        if self._place.session is not None and seq is not None:
            stay = self._place.session
            self._place.session = Session(stay.id, stay.url, seq)
        if kind == "GUILD_CREATE":
            await self._fill_server(what)
        elif kind in KINDS:
            await self._keep([self._delivery(kind, what, seq)])
            await self._answer(kind, what)

    async def _begin(self, ready: Fields, seq: int) -> None:
        """A new session: what was said before it is read from the histories."""
        url = self._trusted(ready.text("resume_gateway_url"))
        self._me = snowflake(ready.one("user"), "id") or self._me
        self._place.session = Session(ready.text("session_id"), url, seq)
        self._gap_after = self._place.after
        self._unfilled = {snowflake(server, "id") for server in ready.many("guilds")} if self._gap_after else set()
        self._place.after = self._gap_after or snowflake_of(clock.now())
        for channel in list(self._place.direct) if self._gap_after else ():
            await self._fill(channel, "")
        await self._keep([])

    async def _fill_server(self, server: Fields) -> None:
        number = snowflake(server, "id")
        if number not in self._unfilled:
            return
        for channel in [*server.many("channels"), *server.many("threads")]:
            newest = snowflake(channel, "last_message_id")
            if newest and int(newest) > int(self._gap_after):
                await self._fill(snowflake(channel, "id"), number)
        self._unfilled.discard(number)

    async def _fill(self, channel: str, server: str) -> None:
        """What was said in a channel since then, the oldest first. One that is closed to us is left alone."""
        after = self._gap_after
        for _page in range(_PAGES if channel else 0):
            query = {"after": after, "limit": str(_PAGE)}
            try:
                with nothing_to_lose():
                    page = await self._client.call("GET", f"/channels/{channel}/messages", query=query)
            except Refused:
                return
            found = sorted(_messages(page), key=lambda message: int(message.text("id")))
            whole = (Fields({**message.raw, "guild_id": server} if server else message.raw) for message in found)
            await self._keep([self._delivery("MESSAGE_CREATE", message, None) for message in whole])
            if len(found) < _PAGE:
                return
            after = found[-1].text("id")
        logger.warning("too much to take in was said in a channel", extra={"pages": _PAGES})

    def _delivery(self, kind: str, what: Fields, seq: int | None) -> tuple[str, bytes]:
        if kind == "MESSAGE_CREATE":
            self._place.note(what, is_whole=not self._unfilled and seq is not None)
        body = json.dumps({"t": kind, "d": what.raw, "me": self._me}).encode()
        if kind == "MESSAGE_CREATE" and snowflake(what, "id"):
            return f"message:{snowflake(what, 'id')}", body
        if kind == "INTERACTION_CREATE" and interactions.is_interaction(what):
            return interactions.identify(what), body
        return f"{self._place.session.id if self._place.session else ''}:{seq}", body

    async def _answer(self, kind: str, what: Fields) -> None:
        """Discord shows an error to who pressed a button that nobody answers. Failures do not matter."""
        if kind != "INTERACTION_CREATE" or not interactions.is_interaction(what):
            return
        path = f"/interactions/{snowflake(what, 'id')}/{what.text('token')}/callback"
        try:
            await self._client.call("POST", path, interactions.answer_to(interactions.identify(what)))
        except SendFailed as error:
            logger.info("an interaction was not answered", extra={"reason": error.reason})

    async def _keep(self, batch: Batch) -> None:
        await self._store(batch, self._place.cursor())
        self._stored_at = time.monotonic()

    async def _quietly(self, method: str, path: str) -> Fields:
        with nothing_to_lose():
            return await self._client.ask(method, path)


def _messages(page: Any) -> Iterator[Fields]:
    for message in page if isinstance(page, list) else ():
        if isinstance(message, dict) and snowflake(Fields(message), "id"):
            yield Fields(message)
