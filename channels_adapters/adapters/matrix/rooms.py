"""What is known of the rooms while we listen, and deliveries made with it: an event alone does not say who is there."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from channels_adapters.adapters.matrix.client import API, Client
from channels_adapters.contract import Refused
from channels_adapters.reading import Fields

_REMEMBERED = 100  # reactions
_MEMBERSHIP = "m.room.member"
People = dict[str, dict[str, str]]


@dataclass
class Rooms:
    """`reactions`: of the newest, what they were about; a homeserver forgets that when they are taken back."""

    client: Client
    me: str
    reactions: dict[str, list[str]] = field(default_factory=dict)
    _people: dict[str, People] = field(default_factory=dict)

    async def delivery(self, room: str, event: Fields) -> tuple[str, bytes]:
        """An event as it is stored, under its id."""
        if event.text("type") == _MEMBERSHIP:
            self.forget(room)
        people = await self._joined(room)
        known: dict[str, Any] = {
            "me": self.me,
            "room": room,
            "others": len(people.keys() - {self.me}),
            "profile": people.get(event.text("sender"), {}),
            "event": event.raw,
        }
        if author := await self._author_of_edited(room, event):
            known["author"] = author
        if was := self._taken_back(event):
            known["was"] = was
        self._remember(event)
        return event.text("event_id"), json.dumps(known).encode()

    async def about(self, room: str, **what: Any) -> bytes:
        """What is no event: typing, read marks."""
        people = await self._joined(room)
        return json.dumps({"me": self.me, "room": room, "others": len(people.keys() - {self.me}), **what}).encode()

    def invitation(self, room: str, inviter: str, number: str) -> bytes:
        """`number` tells it from an earlier one of the same person."""
        return json.dumps({"me": self.me, "room": room, "invited_by": inviter, "number": number}).encode()

    def forget(self, room: str) -> None:
        """Somebody came, went or took another name: ask again."""
        self._people.pop(room, None)

    async def _joined(self, room: str) -> People:
        """Those in the room with their profiles; of a room that we left, those who were there then."""
        if room not in self._people:
            try:
                path = f"{API}/rooms/{quote(room, safe='')}/members"
                answer = await self.client.call("GET", path, query={"membership": "join"})
            except Refused:
                answer = Fields({})
            self._people[room] = {
                member.text("state_key"): _profile(member.one("content"))
                for member in answer.many("chunk")
                if member.one("content").text("membership") == "join"
            }
        return self._people[room]

    async def _author_of_edited(self, room: str, event: Fields) -> str:
        """Who wrote the message that an event edits: nobody else may."""
        relation = event.one("content").one("m.relates_to")
        if relation.text("rel_type") != "m.replace" or event.text("sender") == self.me:
            return ""
        path = f"{API}/rooms/{quote(room, safe='')}/event/{quote(relation.text('event_id'), safe='')}"
        try:
            return (await self.client.call("GET", path)).text("sender")
        except Refused:
            return "nobody"

    def _taken_back(self, event: Fields) -> dict[str, str]:
        if event.text("type") != "m.room.redaction":
            return {}
        was = self.reactions.pop(event.one("content").text("redacts") or event.text("redacts"), None)
        return {"target": was[0], "key": was[1]} if was else {}

    def _remember(self, event: Fields) -> None:
        relation = event.one("content").one("m.relates_to")
        target, key = relation.text("event_id"), relation.text("key")
        if event.text("type") == "m.reaction" and event.text("sender") != self.me and target and key:
            self.reactions[event.text("event_id")] = [target, key[:100]]
            for oldest in list(self.reactions)[:-_REMEMBERED]:
                del self.reactions[oldest]


def _profile(content: Fields) -> dict[str, str]:
    return {key: content.text(key) for key in ("displayname", "avatar_url") if content.text(key)}
