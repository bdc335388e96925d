"""The sync loop: what is new since the cursor is stored, and only then the cursor moves.

The cursor is JSON: {"since": the homeserver's own mark, "reactions": see `rooms`, "invites": rooms yet to be joined}.
Nothing that was said before the account was connected, or before it came into a room, is taken in.
"""

import json
import logging
from typing import Any
from urllib.parse import quote

from channels_adapters.adapters.matrix.client import API, Client
from channels_adapters.adapters.matrix.errors import TokenLost
from channels_adapters.adapters.matrix.rooms import Rooms
from channels_adapters.contract import Refused, Retryable, Store
from channels_adapters.reading import Broken, Fields, read_object
from crm.workspace import clock

logger = logging.getLogger(__name__)
_PAGE, _PAGES, _BATCH = 100, 20, 50
_JOIN_TRIES, _JOIN_PAUSE = 20, 5.0  # seconds
_NO_MATTER: dict[str, Any] = {"types": []}
_FILTER = {
    "presence": _NO_MATTER,
    "account_data": _NO_MATTER,
    "room": {
        "account_data": _NO_MATTER,
        "ephemeral": {"types": ["m.typing", "m.receipt"]},
        "state": {"types": ["m.room.member"]},
        "timeline": {"limit": 20},
    },
}


class Listener:
    """One stay with the homeserver."""

    def __init__(self, client: Client, me: str, store: Store, *, joins: bool, wait: float) -> None:
        self._client, self._store, self._joins, self._wait = client, store, joins, wait
        self._rooms = Rooms(client, me)
        self._since = ""
        self._invites: dict[str, list[Any]] = {}  # room: the server that knows it, tries so far

    async def run(self, cursor: str) -> None:
        """Take what comes until cancelled; raises Retryable or Refused."""
        self._recall(cursor)
        while True:
            try:
                await self._turn()
            except TokenLost as error:
                told = json.dumps({"lost": error.reason, "at": int(clock.now().timestamp() * 1000)}).encode()
                await self._store([(f"lost:{self._since}", told)], self._cursor())
                raise

    async def _turn(self) -> None:
        answer = await self._sync()
        reached = answer.text("next_batch")
        if not reached:
            raise Retryable("the homeserver's answer made no sense")
        rooms = answer.one("rooms")
        batch = self._invited(rooms.one("invite"), reached)
        for room, section in _sections(rooms.one("join")):
            batch += await self._of_room(room, section, reached)
            batch = await self._store_most(batch)
        for room, section in _sections(rooms.one("leave")):
            batch += await self._of_left_room(room, section)
        self._since = reached
        await self._store(batch, self._cursor())
        await self._join_waiting()

    async def _sync(self) -> Fields:
        """The first one says only where we are."""
        wait = min(self._wait, _JOIN_PAUSE) if self._invites else self._wait
        wait = wait if self._since else 0
        query = {"filter": json.dumps(_FILTER), "timeout": str(int(wait * 1000))}
        if self._since:
            query["since"] = self._since
        return await self._client.call("GET", f"{API}/sync", query=query, patience=wait + 20)

    async def _store_most(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Keeps the lease over much that comes at once; the cursor stays, so a crash brings it again."""
        if len(batch) < _BATCH:
            return batch
        await self._store(batch, self._cursor())
        return []

    async def _of_room(self, room: str, section: Fields, reached: str) -> list[tuple[str, bytes]]:
        if not self._since:
            return []
        found = []
        for event in await self._news(room, section):
            self._follow(event)
            found.append(await self._rooms.delivery(room, event))
        for news in section.one("ephemeral").many("events"):
            if what := _passing(news, self._rooms.me):
                body = await self._rooms.about(room, **what, number=reached)
                found.append((f"{news.text('type')}:{room}:{reached}"[:200], body))
        return found

    async def _news(self, room: str, section: Fields) -> list[Fields]:
        """The events of a room that are new to us, the oldest first."""
        timeline = section.one("timeline")
        events = _events(timeline)
        people = list(section.one("state").many("events"))
        just_in = any(map(self._is_our_arrival, people + events))
        if people:
            self._rooms.forget(room)
        if timeline.is_true("limited"):
            start = timeline.text("prev_batch")
            events = await self._before(room, start, "" if just_in else self._since) + events
        return self._since_invited(events) if just_in else events

    async def _before(self, room: str, start: str, end: str) -> list[Fields]:
        """The events between two marks, or back to our invitation: a homeserver leaves out what is much."""
        found: list[Fields] = []
        query = {"dir": "b", "limit": str(_PAGE), "from": start} | ({"to": end} if end else {})
        for _page in range(_PAGES if start else 0):
            path = f"{API}/rooms/{quote(room, safe='')}/messages"
            answer = await self._client.call("GET", path, query=query)
            page = [event for event in answer.many("chunk") if event.text("event_id")]
            found += page
            await self._store([], self._cursor())  # keeps the lease
            if not answer.text("end") or not page or (not end and any(map(self._is_our_invitation, page))):
                break
            query["from"] = answer.text("end")
        else:
            if start:
                logger.warning("too much to take in was said in a room", extra={"events": len(found)})
        return found[::-1]

    def _since_invited(self, events: list[Fields]) -> list[Fields]:
        """What was said after we were invited; all of a room that is no older; else what came after us."""
        for place, event in reversed(list(enumerate(events))):
            if self._is_our_invitation(event):
                return events[place + 1 :]
        if any(event.text("type") == "m.room.create" for event in events):
            return events
        places = [place for place, event in enumerate(events) if self._is_our_arrival(event)]
        return events[places[-1] + 1 :] if places else events

    def _is_our_invitation(self, event: Fields) -> bool:
        return self._is_about_us(event) and event.one("content").text("membership") == "invite"

    def _is_our_arrival(self, event: Fields) -> bool:
        before = event.one("unsigned").one("prev_content").text("membership")
        return self._is_about_us(event) and event.one("content").text("membership") == "join" and before != "join"

    def _is_about_us(self, event: Fields) -> bool:
        return event.text("type") == "m.room.member" and event.text("state_key") == self._rooms.me

    async def _of_left_room(self, room: str, section: Fields) -> list[tuple[str, bytes]]:
        """That we were put out, and what was said before."""
        if not self._since:
            return []
        return [await self._rooms.delivery(room, event) for event in _events(section.one("timeline"))]

    def _invited(self, invites: Fields, reached: str) -> list[tuple[str, bytes]]:
        if not self._joins:
            return []
        found = []
        for room, section in _sections(invites):
            invitation = [event for event in section.one("invite_state").many("events") if self._is_about_us(event)]
            inviter = invitation[-1].text("sender") if invitation else ""
            self._invites[room] = [inviter.partition(":")[2], 0]
            if inviter:
                found.append((f"invite:{room}:{reached}"[:200], self._rooms.invitation(room, inviter, reached)))
        return found

    def _follow(self, event: Fields) -> None:
        """A room was upgraded: we go along."""
        new = event.one("content").text("replacement_room")
        if event.text("type") == "m.room.tombstone" and new.startswith("!"):
            self._invites[new] = [event.text("sender").partition(":")[2], 0]

    async def _join_waiting(self) -> None:
        """A room on a server that is down is tried again with the next turns; the others do not wait for it."""
        for room, (server, tries) in list(self._invites.items()):
            try:
                query = {"server_name": server} if server else None
                await self._client.call("POST", f"{API}/join/{quote(room, safe='')}", {}, query=query)
                del self._invites[room]
            except TokenLost:
                raise
            except Refused as error:
                logger.info("a room could not be joined", extra={"reason": error.reason})
                del self._invites[room]
            except Retryable as error:
                logger.info("a room cannot be joined just now", extra={"reason": error.reason})
                self._invites[room] = [server, tries + 1]
                if tries + 1 >= _JOIN_TRIES:
                    del self._invites[room]

    def _recall(self, cursor: str) -> None:
        try:
            known = read_object(cursor.encode()) if cursor else Fields({})
        except Broken:
            known = Fields({})
        self._since = known.text("since")
        self._rooms.reactions.update(known.one("reactions").raw)
        self._invites.update(known.one("invites").raw)

    def _cursor(self) -> str:
        return json.dumps({"since": self._since, "reactions": self._rooms.reactions, "invites": self._invites})


def _sections(rooms: Fields) -> list[tuple[str, Fields]]:
    return [(room, rooms.one(room)) for room in rooms.raw if room.startswith("!")]


def _events(timeline: Fields) -> list[Fields]:
    return [event for event in timeline.many("events") if event.text("event_id")]


def _passing(news: Fields, me: str) -> dict[str, Any]:
    """Who types, or who read up to where; nothing where it is only us."""
    content = news.one("content")
    if news.text("type") == "m.typing":
        typing = content.raw.get("user_ids")
        people = [user for user in typing if user != me] if isinstance(typing, list) else []
        return {"typing": people} if people else {}
    marks = [
        {"event": event, "user": user, "ts": content.one(event).one("m.read").one(user).size("ts")}
        for event in content.raw
        for user in content.one(event).one("m.read").raw
        if user != me
    ]
    return {"read": marks} if marks else {}
