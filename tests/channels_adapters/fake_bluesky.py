"""A Bluesky of our own: one server with its repositories, the notifications of our account, and the chat.

    async with FakeBluesky() as sky:
        alice = sky.person("alice.test", name="Alice")
        post = sky.post(alice, "@shop.test hello")     # notifies us
        sky.say(alice, "in private")                   # into the chat's log

It shares no code with the adapter. Its judges are the published lexicons, which every call and every answer is held
against by `lexicons.judge`, and the `atproto` library, which drives it in `test_fake_bluesky`.
"""

import base64
import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.channels_adapters.web_fake import WebFake

PASSWORD = "abcd-efgh-ijkl-mnop"
POST = "app.bsky.feed.post"
_START = datetime(2026, 11, 20, 10, tzinfo=UTC)
_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"


def cid(thing: Any) -> str:
    """A content id: sha-256 of what it names, as the protocol writes it."""
    digest = hashlib.sha256(thing if isinstance(thing, bytes) else json.dumps(thing, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


class FakeBluesky(WebFake):
    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.records: dict[str, dict[str, Any]] = {}  # by at-uri: {"uri", "cid", "value", "indexedAt"}
        self.blobs: dict[str, tuple[bytes, str]] = {}
        self.notifications: list[dict[str, Any]] = []
        self.convos: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.logs: list[dict[str, Any]] = []
        self.seen_at = ""
        self.sessions: list[str] = []  # access tokens, the last one is good
        self.refreshes: list[str] = []
        self.said: list[tuple[str, Any]] = []  # method and answer
        self._number = itertools.count(1)
        self._dids = itertools.count(1)
        self.us = self.person("shop.test", name="Shop")

    def routes(self) -> None:
        for verb, method, carry in (
            ("POST", "com.atproto.server.createSession", self._create_session),
            ("POST", "com.atproto.server.refreshSession", self._refresh_session),
            ("GET", "com.atproto.identity.resolveHandle", self._resolve),
            ("POST", "com.atproto.repo.putRecord", self._put_record),
            ("POST", "com.atproto.repo.createRecord", self._create_record),
            ("POST", "com.atproto.repo.deleteRecord", self._delete_record),
            ("GET", "com.atproto.repo.getRecord", self._get_record),
            ("POST", "com.atproto.repo.uploadBlob", self._upload),
            ("GET", "com.atproto.sync.getBlob", self._blob),
            ("GET", "app.bsky.actor.getProfile", self._profile),
            ("GET", "app.bsky.feed.getPosts", self._posts),
            ("GET", "app.bsky.feed.getPostThread", self._thread),
            ("GET", "app.bsky.notification.listNotifications", self._list),
            ("POST", "app.bsky.notification.updateSeen", self._update_seen),
            ("GET", "chat.bsky.convo.getLog", self._log),
            ("GET", "chat.bsky.convo.listConvos", self._list_convos),
            ("GET", "chat.bsky.convo.getConvo", self._convo),
            ("GET", "chat.bsky.convo.getConvoForMembers", self._convo_for),
            ("GET", "chat.bsky.convo.getMessages", self._get_messages),
            ("POST", "chat.bsky.convo.acceptConvo", self._accept),
            ("POST", "chat.bsky.convo.sendMessage", self._send),
            ("POST", "chat.bsky.convo.addReaction", self._react),
            ("POST", "chat.bsky.convo.removeReaction", self._react),
        ):
            self.route(verb, f"/xrpc/{method}", carry)
        self.route("GET", "/{did}", self._document)

    # what other people do

    def person(self, handle: str, *, name: str = "", labels: tuple[str, ...] = ()) -> dict[str, Any]:
        did = "did:plc:" + "".join(_LETTERS[(next(self._dids) * 7 + place) % 32] for place in range(24))
        signed = [{"src": did, "uri": did, "val": val, "cts": self._now()} for val in labels]
        self.people[did] = {"did": did, "handle": handle, "displayName": name or handle, "labels": signed}
        return self.people[did]

    def post(self, author: dict[str, Any], text: str, *, to: str = "", **more: Any) -> dict[str, Any]:
        """Someone's post, with the notification that it gives us."""
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": self._now(), "langs": ["en"], **more}
        if to:
            root = self.records[to]["value"].get("reply", {}).get("root") or self.ref(to)
            record["reply"] = {"root": root, "parent": self.ref(to)}
        named = [p for p in self.people.values() if f"@{p['handle']}" in text]
        record["facets"] = [self._mention(text, person) for person in named] + more.get("facets", [])
        kept = self.put(author, POST, record)
        if author is not self.us:
            is_ours = to.startswith(f"at://{self.us['did']}/")
            reason = "reply" if is_ours else "mention" if self.us in named else ""
            if reason:
                self.notify(reason, author, kept, **({"reasonSubject": to} if is_ours else {}))
        return kept

    def like(self, author: dict[str, Any], uri: str) -> None:
        record: dict[str, Any] = {"$type": "app.bsky.feed.like", "subject": self.ref(uri), "createdAt": self._now()}
        self.notify("like", author, self.put(author, record["$type"], record), reasonSubject=uri)

    def notify(self, reason: str, author: dict[str, Any], kept: dict[str, Any], **more: Any) -> None:
        told = {"uri": kept["uri"], "cid": kept["cid"], "author": author, "reason": reason, "record": kept["value"]}
        self.notifications.append(told | {"isRead": False, "indexedAt": self._now(), "labels": [], **more})

    def ref(self, uri: str) -> dict[str, str]:
        return {"uri": uri, "cid": self.records[uri]["cid"]}

    def image(self, data: bytes, mime: str = "image/png", alt: str = "") -> dict[str, Any]:
        return {"alt": alt, "image": self._keep(data, mime)}

    def say(self, author: dict[str, Any], text: str, *, members: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
        """A direct message of somebody, with its entry in our log."""
        people = [self.us, *(members or (author,))]
        return self._message(self.convo_of(people), author, {"text": text})

    def unsay(self, convo_id: str, message: dict[str, Any]) -> None:
        gone = {key: message[key] for key in ("id", "rev", "sender", "sentAt")}
        gone["$type"] = "chat.bsky.convo.defs#deletedMessageView"
        self.messages[convo_id].remove(message)
        self._note("logDeleteMessage", convo_id, message=gone)

    def react_to(self, convo_id: str, message: dict[str, Any], author: dict[str, Any], emoji: str) -> None:
        reaction = {"value": emoji, "sender": {"did": author["did"]}, "createdAt": self._now()}
        self._note("logAddReaction", convo_id, message=message, reaction=reaction)

    def convo_of(self, people: list[dict[str, Any]], status: str = "accepted") -> str:
        dids = {person["did"] for person in people}
        for convo in self.convos.values():
            if {member["did"] for member in convo["members"]} == dids:
                return convo["id"]
        kind = "groupConvo" if len(people) > 2 else "directConvo"
        convo = {"id": self._tid(), "rev": self._tid(), "members": people, "muted": False, "unreadCount": 0}
        convo |= {"status": status, "kind": {"$type": f"chat.bsky.convo.defs#{kind}"}}
        if kind == "groupConvo":
            convo["kind"] |= {
                "name": "Us",
                "memberCount": len(people),
                "createdAt": self._now(),
                "lockStatus": "unlocked",
            }
        self.convos[convo["id"]], self.messages[convo["id"]] = convo, []
        self._note("logBeginConvo", convo["id"])
        return convo["id"]

    def put(self, author: dict[str, Any], collection: str, record: dict[str, Any], key: str = "") -> dict[str, Any]:
        uri = f"at://{author['did']}/{collection}/{key or self._tid()}"
        self.records[uri] = {"uri": uri, "cid": cid(record), "value": record, "indexedAt": self._now()}
        return self.records[uri]

    def ours(self, collection: str = POST) -> list[dict[str, Any]]:
        return [kept for uri, kept in self.records.items() if uri.startswith(f"at://{self.us['did']}/{collection}/")]

    # the server

    async def _create_session(self, request: web.Request, body: Any) -> web.Response:
        if body != {"identifier": "shop.test", "password": PASSWORD}:
            return self._error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session(request)

    async def _refresh_session(self, request: web.Request, body: Any) -> web.Response:
        if not self.refreshes or request.headers.get("Authorization") != f"Bearer {self.refreshes[-1]}":
            return self._error(400, "ExpiredToken", "Token has expired")
        return self._session(request)

    def _session(self, request: web.Request) -> web.Response:
        self.sessions.append(self._token("com.atproto.access"))
        self.refreshes.append(self._token("com.atproto.refresh"))
        tokens = {"accessJwt": self.sessions[-1], "refreshJwt": self.refreshes[-1]}
        return self._answer(
            request, {**tokens, "did": self.us["did"], "handle": "shop.test", "active": True}, free=True
        )

    def _token(self, scope: str) -> str:
        """A JSON web token that nobody signed; who reads one finds what the server would write."""
        now = int(datetime.now(UTC).timestamp())
        claims = {"scope": scope, "sub": self.us["did"], "iat": now, "exp": now + 7200, "jti": str(next(self._number))}
        parts = (json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "HS256"}, claims))
        return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])

    def expire(self) -> None:
        """The access token runs out; the refresh token is good still."""
        self.sessions.append("another")

    async def _resolve(self, request: web.Request, body: Any) -> web.Response:
        for person in self.people.values():
            if person["handle"] == request.query["handle"]:
                return self._answer(request, {"did": person["did"]})
        return self._error(400, "InvalidRequest", "Unable to resolve handle")

    async def _put_record(self, request: web.Request, body: Any) -> web.Response:
        record = body["record"]
        if len(record.get("text", "").encode()) > 3000:
            words = "Invalid app.bsky.feed.post record: Record/text must not be longer than 3000 bytes"
            return self._error(400, "InvalidRequest", words)
        kept = self.put(self.us, body["collection"], record, body.get("rkey", ""))
        return self._answer(request, {"uri": kept["uri"], "cid": kept["cid"], "validationStatus": "valid"})

    async def _create_record(self, request: web.Request, body: Any) -> web.Response:
        return await self._put_record(request, body)

    async def _delete_record(self, request: web.Request, body: Any) -> web.Response:
        self.records.pop(f"at://{body['repo']}/{body['collection']}/{body['rkey']}", None)
        return self._answer(request, {})

    async def _get_record(self, request: web.Request, body: Any) -> web.Response:
        asked = request.query
        kept = self.records.get(f"at://{asked['repo']}/{asked['collection']}/{asked['rkey']}")
        if kept is None:
            return self._error(400, "RecordNotFound", "Could not locate record: at://…")
        return self._answer(request, {key: kept[key] for key in ("uri", "cid", "value")})

    async def _upload(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"blob": self._keep(body, request.content_type)})

    async def _blob(self, request: web.Request, body: Any) -> web.StreamResponse:
        data, mime = self.blobs.get(request.query["cid"], (b"", ""))
        return (
            web.Response(body=data, content_type=mime) if mime else self._error(400, "BlobNotFound", "Blob not found")
        )

    async def _document(self, request: web.Request, body: Any) -> web.Response:
        did = request.match_info["did"]
        if did not in self.people:
            return web.json_response({"message": f"DID not registered: {did}"}, status=404)
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        return web.json_response({"id": did, "service": [service]})

    # the view of the network

    async def _profile(self, request: web.Request, body: Any) -> web.Response:
        actor = request.query["actor"]
        found = (person for person in self.people.values() if actor in (person["did"], person["handle"]))
        return self._answer(request, next(found, None))

    async def _posts(self, request: web.Request, body: Any) -> web.Response:
        asked = [self.records[uri] for uri in request.query.getall("uris") if uri in self.records]
        return self._answer(request, {"posts": [self._view(kept) for kept in asked]})

    async def _thread(self, request: web.Request, body: Any) -> web.Response:
        uri = request.query["uri"]
        if uri not in self.records:
            return self._error(400, "NotFound", f"Post not found: {uri}")
        return self._answer(request, {"thread": self._above(uri, int(request.query.get("parentHeight", 80)))})

    def _above(self, uri: str, height: int) -> dict[str, Any]:
        if uri not in self.records:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        post = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._view(self.records[uri])}
        parent = self.records[uri]["value"].get("reply", {}).get("parent", {}).get("uri")
        return post | ({"parent": self._above(parent, height - 1)} if parent and height else {})

    def _view(self, kept: dict[str, Any]) -> dict[str, Any]:
        author = self.people[kept["uri"].split("/")[2]]
        view = {"uri": kept["uri"], "cid": kept["cid"], "author": author, "record": kept["value"], "labels": []}
        return view | {"indexedAt": kept["indexedAt"]}

    async def _list(self, request: web.Request, body: Any) -> web.Response:
        reasons = request.query.getall("reasons", [])
        wanted = [told for told in self.notifications[::-1] if not reasons or told["reason"] in reasons]
        start, limit = int(request.query.get("cursor", 0)), int(request.query.get("limit", 50))
        more = {"cursor": str(start + limit)} if start + limit < len(wanted) else {}
        return self._answer(request, {"notifications": wanted[start : start + limit], **more})

    async def _update_seen(self, request: web.Request, body: Any) -> web.Response:
        self.seen_at = body["seenAt"]
        return self._answer(request, None, empty=True)

    # the chat

    async def _log(self, request: web.Request, body: Any) -> web.Response:
        after = request.query.get("cursor", "")
        logs = [log for log in self.logs if log["rev"] > after][:100]
        return self._answer(request, {"logs": logs, "cursor": logs[-1]["rev"] if logs else after})

    async def _list_convos(self, request: web.Request, body: Any) -> web.Response:
        newest = sorted(self.convos.values(), key=lambda convo: convo["rev"], reverse=True)
        return self._answer(request, {"convos": newest[: int(request.query.get("limit", 50))]})

    async def _convo(self, request: web.Request, body: Any) -> web.Response:
        convo = self.convos.get(request.query["convoId"])
        return self._answer(request, {"convo": convo}) if convo else self._error(400, "InvalidConvo", "No such convo")

    async def _convo_for(self, request: web.Request, body: Any) -> web.Response:
        wanted = request.query.getall("members")
        people = [self.people[did] for did in wanted if did in self.people]
        if len(people) < len(wanted):
            return self._error(400, "RecipientNotFound", "Recipient not found")
        return self._answer(request, {"convo": self.convos[self.convo_of([self.us, *people], "request")]})

    async def _get_messages(self, request: web.Request, body: Any) -> web.Response:
        said = [
            message | {"$type": "chat.bsky.convo.defs#messageView"}
            for message in self.messages[request.query["convoId"]]
        ]
        return self._answer(request, {"messages": said[::-1][: int(request.query.get("limit", 50))]})

    async def _accept(self, request: web.Request, body: Any) -> web.Response:
        self.convos[body["convoId"]]["status"] = "accepted"
        return self._answer(request, {"rev": self._tid()})

    async def _send(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, self._message(body["convoId"], self.us, body["message"]))

    async def _react(self, request: web.Request, body: Any) -> web.Response:
        message = next(m for m in self.messages[body["convoId"]] if m["id"] == body["messageId"])
        mine = [r for r in message["reactions"] if r["sender"]["did"] == self.us["did"] and r["value"] == body["value"]]
        message["reactions"] = [reaction for reaction in message["reactions"] if reaction not in mine]
        if request.path.endswith("addReaction"):
            reaction = {"value": body["value"], "sender": {"did": self.us["did"]}, "createdAt": self._now()}
            message["reactions"].append(reaction)
        return self._answer(request, {"message": message})

    def _message(self, convo_id: str, author: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        message = {"id": self._tid(), "rev": self._tid(), "sender": {"did": author["did"]}, "sentAt": self._now()}
        message |= {key: given[key] for key in ("text", "facets", "embed") if key in given} | {"reactions": []}
        self.messages[convo_id].append(message)
        self._note("logCreateMessage", convo_id, message=message | {"$type": "chat.bsky.convo.defs#messageView"})
        return message

    def _note(self, kind: str, convo_id: str, **more: Any) -> None:
        if "message" in more:
            more["message"] = {"$type": "chat.bsky.convo.defs#messageView"} | more["message"]
        log = {"$type": f"chat.bsky.convo.defs#{kind}", "rev": self._tid(), "convoId": convo_id, **more}
        self.convos[convo_id]["rev"] = log["rev"]
        self.logs.append(log)

    # shared

    def _keep(self, data: bytes, mime: str) -> dict[str, Any]:
        name = cid(data).replace("bafyrei", "bafkrei", 1)
        self.blobs[name] = (data, mime)
        return {"$type": "blob", "ref": {"$link": name}, "mimeType": mime, "size": len(data)}

    def _mention(self, text: str, person: dict[str, Any]) -> dict[str, Any]:
        start = len(text[: text.index(f"@{person['handle']}")].encode())
        index = {"byteStart": start, "byteEnd": start + len(person["handle"]) + 1}
        return {"index": index, "features": [{"$type": "app.bsky.richtext.facet#mention", "did": person["did"]}]}

    def _answer(self, request: web.Request, told: Any, *, free: bool = False, empty: bool = False) -> web.Response:
        if not free and request.headers.get("Authorization") != f"Bearer {(self.sessions or ['-'])[-1]}":
            return self._error(400, "ExpiredToken", "Token has expired")
        method = request.path.removeprefix("/xrpc/")
        if method.startswith("chat.") and request.headers.get("atproto-proxy") != "did:web:api.bsky.chat#bsky_chat":
            return self._error(501, "MethodNotImplemented", "Method Not Implemented")
        if empty:
            return web.Response(status=200)
        if told is None:
            return self._error(400, "InvalidRequest", "Profile not found")
        self.said.append((method, json.loads(json.dumps(told))))
        return web.json_response(told)

    def _error(self, status: int, name: str, message: str) -> web.Response:
        return web.json_response({"error": name, "message": message}, status=status)

    def _tid(self) -> str:
        number = (1_795_000_000_000_000 + next(self._number) * 1000) << 10
        return "".join(_LETTERS[number >> 5 * place & 31] for place in range(12, -1, -1))

    def _now(self) -> str:
        at = _START + timedelta(seconds=next(self._number))
        return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
