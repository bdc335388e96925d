"""A Mastodon server of our own, with one account of ours and everyone else. It shares no code with the adapter.

    async with FakeMastodon() as server:
        alice = server.person("alice@far.example", name="Alice")
        post = await server.post(alice, "@shop hello")             # notifies us, over the stream too
        server.script("POST", "/api/v1/statuses", Answer(429, ...))

Its judge is Mastodon.py, which drives it in `test_fake_mastodon`.
"""

import contextlib
import html
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.channels_adapters.web_fake import WebFake

TOKEN = "fake-token"
_MENTION = re.compile(r"@([\w.]+(?:@[\w.-]+)?)")
_LINK = re.compile(r"https?://\S+")
_START = datetime(2026, 11, 20, 10, tzinfo=UTC)
LATE = 4  # looks at a file until it is ready


class FakeMastodon(WebFake):
    def __init__(self, limit: int = 500) -> None:
        super().__init__()
        self.limit = limit
        self.people: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.notifications: list[dict[str, Any]] = []
        self.media: dict[str, dict[str, Any]] = {}
        self.uploaded: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, bytes] = {}
        self.streams: set[web.StreamResponse] = set()
        self.favourites: set[tuple[str, str]] = set()
        self.is_slow_with_files = False
        self._keys: dict[str, str] = {}
        self._ids = itertools.count(115_000_000_000_000_001)
        self._looks: dict[str, int] = {}

    async def __aenter__(self):
        await super().__aenter__()
        self.us = self.person("shop")
        return self

    def routes(self) -> None:
        v1 = "/api/v1"
        for method, path, carry in (
            ("GET", f"{v1}/accounts/verify_credentials", self._me),
            ("GET", f"{v1}/accounts/{{id}}/statuses", self._statuses_of),
            ("GET", f"{v1}/apps/verify_credentials", self._app),
            ("GET", "/api/v2/instance", self._instance),
            ("GET", "/api/v2/instance/", self._instance),
            ("GET", f"{v1}/instance/", self._instance),
            ("GET", f"{v1}/notifications", self._notifications),
            ("GET", f"{v1}/statuses", self._many),
            ("POST", f"{v1}/statuses", self._create),
            ("GET", f"{v1}/statuses/{{id}}", self._one),
            ("PUT", f"{v1}/statuses/{{id}}", self._edit),
            ("DELETE", f"{v1}/statuses/{{id}}", self._delete),
            ("GET", f"{v1}/statuses/{{id}}/source", self._source),
            ("GET", f"{v1}/statuses/{{id}}/context", self._context),
            ("POST", f"{v1}/statuses/{{id}}/favourite", self._favourite),
            ("POST", f"{v1}/statuses/{{id}}/unfavourite", self._favourite),
            ("POST", "/api/v2/media", self._upload),
            ("GET", f"{v1}/media/{{id}}", self._file_state),
            ("GET", "/media/{name}", self._blob),
            ("GET", f"{v1}/streaming/user/notification", self._stream),
            ("GET", f"{v1}/streaming/user", self._stream),
        ):
            self.route(method, path, carry)

    # what other people do

    def person(self, acct: str, *, name: str = "", bot: bool = False) -> dict[str, Any]:
        username, _, host = acct.partition("@")
        there = f"https://{host or 'fake.example'}"
        account: dict[str, Any] = {
            "id": next(self._ids),
            "username": username,
            "acct": acct,
            "display_name": name or username.title(),
            "locked": False,
            "bot": bot,
            "group": False,
            "discoverable": True,
            "created_at": "2024-01-01T00:00:00.000Z",
            "note": "",
            "url": f"{there}/@{username}",
            "uri": f"{there}/users/{username}",
            **dict.fromkeys(("avatar", "avatar_static"), f"{self.url}/media/avatar.png"),
            **dict.fromkeys(("header", "header_static"), f"{self.url}/media/header.png"),
            **dict.fromkeys(("followers_count", "following_count", "statuses_count"), 0),
            "last_status_at": None,
            "emojis": [],
            "fields": [],
        }
        account["id"] = str(account["id"])
        self.people[account["id"]] = account
        return account

    async def post(self, author: dict[str, Any], text: str, *, to: str = "", **more: Any) -> dict[str, Any]:
        """Someone's post, with the notification that it gives us."""
        status = self._put(author, {"status": text, "in_reply_to_id": to, "visibility": "public"} | more)
        if author is not self.us and any(person["id"] == self.us["id"] for person in status["mentions"]):
            await self.notify("mention", author, status)
        return status

    async def notify(self, kind: str, account: dict[str, Any], status: dict[str, Any] | None, **more: Any) -> None:
        told = {"id": str(next(self._ids)), "type": kind, "created_at": self._now(), "account": account, **more}
        told |= {"group_key": f"ungrouped-{told['id']}"} | ({"status": status} if status else {})
        self.notifications.append(told)
        for stream in list(self.streams):
            with contextlib.suppress(ConnectionError):
                await stream.write(f"event: notification\ndata: {json.dumps(told)}\n\n".encode())

    def attach(self, name: str, data: bytes, kind: str = "image", **more: Any) -> dict[str, Any]:
        self.blobs[name] = data
        media = {"id": str(next(self._ids)), "type": kind, "url": f"{self.url}/media/{name}"}
        media |= {"preview_url": None, "remote_url": None, "meta": {}, "description": None, "blurhash": None} | more
        self.media[media["id"]] = media
        return media

    def change(self, status_id: str, text: str) -> None:
        status = self.statuses[status_id]
        status["content"], status["mentions"] = self._html(text)
        status["edited_at"] = self._now()

    # the API

    async def _me(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, self.us | {"source": {"note": "", "fields": [], "privacy": "public"}})

    async def _app(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"id": "1", "name": "Rapport", "website": None, "scopes": ["read", "write"]})

    async def _instance(self, request: web.Request, body: Any) -> web.Response:
        told: dict[str, Any] = {
            "domain": "fake.example",
            "title": "A fake",
            "version": "4.5.0",
            "languages": ["en"],
            "rules": [],
        }
        told["api_versions"] = {"mastodon": 7}
        told["configuration"] = {
            "urls": {"streaming": self.url.replace("http", "ws")},
            "statuses": {"max_characters": self.limit, "max_media_attachments": 4, "characters_reserved_per_url": 23},
        }
        return web.json_response(told)

    async def _notifications(self, request: web.Request, body: Any) -> web.Response:
        wanted = request.query.getall("types[]", [])
        found = [told for told in self.notifications if not wanted or told["type"] in wanted]
        limit = int(request.query.get("limit", 40))
        if "min_id" in request.query:  # the page just after it
            found = [told for told in found if int(told["id"]) > int(request.query["min_id"])][:limit]
        return self._answer(request, found[::-1][:limit])

    async def _many(self, request: web.Request, body: Any) -> web.Response:
        asked = request.query.getall("id[]", [])
        if len(asked) > 20:
            return web.json_response({"error": "Validation failed"}, status=422)
        return self._answer(request, [self.statuses[key] for key in asked if key in self.statuses])

    async def _one(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, self.statuses.get(request.match_info["id"]))

    async def _statuses_of(self, request: web.Request, body: Any) -> web.Response:
        theirs = [s for s in self.statuses.values() if s["account"]["id"] == request.match_info["id"]]
        return self._answer(request, theirs[::-1][: int(request.query.get("limit", 20))])

    async def _source(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, self.sources.get(request.match_info["id"]))

    async def _context(self, request: web.Request, body: Any) -> web.Response:
        status = self.statuses.get(request.match_info["id"])
        if status is None:
            return self._answer(request, None)
        above, below = [], [status["id"]]
        while status and status["in_reply_to_id"]:
            status = self.statuses.get(status["in_reply_to_id"])
            above += [status] if status else []
        for other in self.statuses.values():
            if other["in_reply_to_id"] in below:
                below.append(other["id"])
        under = [self.statuses[key] for key in below[1:]]
        return self._answer(request, {"ancestors": above[::-1], "descendants": under})

    async def _create(self, request: web.Request, body: Any) -> web.Response:
        wanted = dict(body)
        key = request.headers.get("Idempotency-Key", "")
        if key in self._keys:
            return self._answer(request, self.statuses[self._keys[key]])
        wanted["media_ids"] = body.get("media_ids") or body.get("media_ids[]") or []
        if error := self._objection(wanted):
            return error
        status = self._put(self.us, wanted)
        if key:
            self._keys[key] = status["id"]
        return self._answer(request, status)

    def _objection(self, wanted: dict[str, Any]) -> web.Response | None:
        text = _LINK.sub("x" * 23, wanted.get("status", ""))
        text = re.sub(r"@([\w.]+)@[\w.-]+", r"@\1", text)
        if len(text) + len(wanted.get("spoiler_text") or "") > self.limit:
            words = f"Validation failed: Text character limit of {self.limit} exceeded"
            return web.json_response({"error": words}, status=422)
        if not text and not wanted["media_ids"]:
            return web.json_response({"error": "Validation failed: Text can't be blank"}, status=422)
        if any(self._is_working(key) for key in wanted["media_ids"]):
            words = "Cannot attach files that have not finished processing. Try again in a moment!"
            return web.json_response({"error": words}, status=422)
        if wanted.get("in_reply_to_id") and wanted["in_reply_to_id"] not in self.statuses:
            words = "The post you are trying to reply to does not appear to exist."
            return web.json_response({"error": words}, status=404)
        return None

    async def _edit(self, request: web.Request, body: Any) -> web.Response:
        status_id = request.match_info["id"]
        if status_id not in self.statuses:
            return self._answer(request, None)
        if error := self._objection({"media_ids": [], **body}):
            return error
        self.change(status_id, body["status"])
        self.sources[status_id] |= {"text": body["status"]}
        return self._answer(request, self.statuses[status_id])

    async def _delete(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, self.statuses.pop(request.match_info["id"], None))

    async def _favourite(self, request: web.Request, body: Any) -> web.Response:
        status = self.statuses.get(request.match_info["id"])
        if status is not None:
            mark = (self.us["id"], status["id"])
            (self.favourites.discard if request.path.endswith("unfavourite") else self.favourites.add)(mark)
            status["favourited"] = mark in self.favourites
        return self._answer(request, status)

    async def _upload(self, request: web.Request, body: Any) -> web.Response:
        kind = body["file"]["mime"].partition("/")[0]
        if kind not in ("image", "video", "audio"):
            words = "Validation failed: File content type is invalid, File is invalid"
            return web.json_response({"error": words}, status=422)
        media = self.attach(body["file"]["name"], body["file"]["data"], kind, description=body.get("description"))
        self.uploaded[media["id"]] = body
        if self.is_slow_with_files:
            self._looks[media["id"]] = LATE
            return web.json_response(media | {"url": None}, status=202)
        return self._answer(request, media)

    async def _file_state(self, request: web.Request, body: Any) -> web.Response:
        media_id = request.match_info["id"]
        self._looks[media_id] = self._looks.get(media_id, 0) - 1
        if self._is_working(media_id):
            return web.json_response(self.media[media_id] | {"url": None}, status=206)
        return self._answer(request, self.media.get(media_id))

    def _is_working(self, media_id: str) -> bool:
        return self._looks.get(media_id, 0) > 0

    async def _blob(self, request: web.Request, body: Any) -> web.Response:
        data = self.blobs.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def _stream(self, request: web.Request, body: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "Error: Invalid access token"}, status=401)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b":)\n:thump\n")
        self.streams.add(stream)
        await self.note()
        try:
            await self._gone.wait()
        finally:
            self.streams.discard(stream)
        return stream

    def _answer(self, request: web.Request, told: Any) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "The access token is invalid"}, status=401)
        if told is None:
            return web.json_response({"error": "Record not found"}, status=404)
        limits = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", "X-RateLimit-Reset": self._now()}
        return web.json_response(told, headers=limits)

    def _put(self, author: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        status_id, (content, mentions) = str(next(self._ids)), self._html(wanted.get("status") or "")
        answered = self.statuses.get(wanted.get("in_reply_to_id") or "")
        status = {
            "id": status_id,
            "uri": f"{author['uri']}/statuses/{status_id}",
            "url": f"{author['url']}/{status_id}",
            "created_at": self._now(),
            "edited_at": None,
            "account": author,
            "content": content,
            "visibility": wanted.get("visibility") or "public",
            "sensitive": bool(wanted.get("spoiler_text")),
            "spoiler_text": wanted.get("spoiler_text") or "",
            "language": wanted.get("language") or "en",
            "in_reply_to_id": answered["id"] if answered else None,
            "in_reply_to_account_id": answered["account"]["id"] if answered else None,
            "mentions": mentions,
            "media_attachments": [self.media[key] for key in wanted.get("media_ids") or []],
            "poll": wanted.get("poll"),
            **dict.fromkeys(("reblog", "card", "application", "quote"), None),
            **{key: [] for key in ("tags", "emojis", "filtered")},
            **dict.fromkeys(("replies_count", "reblogs_count", "favourites_count", "quotes_count"), 0),
            **dict.fromkeys(("favourited", "reblogged", "muted", "bookmarked", "pinned"), False),
        }
        self.sources[status_id] = {"id": status_id, "text": wanted.get("status") or "", "spoiler_text": ""}
        self.sources[status_id]["spoiler_text"] = status["spoiler_text"]
        self.statuses[status_id] = status
        return status

    def _html(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """As the server renders plain text, and who is mentioned."""
        by_acct = {person["acct"]: person for person in self.people.values()}
        mentioned = []

        def mention(found: re.Match[str]) -> str:
            person = by_acct.get(found[1].removesuffix("@fake.example"))
            if person is None:
                return found[0]
            mentioned.append({key: person[key] for key in ("id", "username", "url", "acct")})
            link = f'<a href="{person["url"]}" class="u-url mention">@<span>{person["username"]}</span></a>'
            return f'<span class="h-card" translate="no">{link}</span>'

        def link(found: re.Match[str]) -> str:
            scheme, _, rest = found[0].partition("://")
            shown = f'<span class="invisible">{scheme}://</span><span class="ellipsis">{rest[:30]}</span>'
            shown += f'<span class="invisible">{rest[30:]}</span>'
            return f'<a href="{found[0]}" target="_blank" rel="nofollow noopener" translate="no">{shown}</a>'

        pieces = []
        for paragraph in html.escape(text, quote=False).split("\n\n"):
            words = [_LINK.sub(link, w) if "://" in w else _MENTION.sub(mention, w) for w in paragraph.split(" ")]
            pieces.append("<p>" + " ".join(words).replace("\n", "<br />") + "</p>")
        return "".join(pieces), list({person["id"]: person for person in mentioned}.values())

    def _now(self) -> str:
        at = _START + timedelta(seconds=(next(self._ids) - 115_000_000_000_000_000))
        return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
