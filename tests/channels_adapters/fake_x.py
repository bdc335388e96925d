"""An X of our own: its API for one account, its webhooks with challenges and signatures. It shares no code with the
adapter; that calls are signed as OAuth 1.0a wants it is judged by oauthlib's other side.

    async with FakeX() as x:
        request = x.delivery({"tweet_create_events": [...]})    # headers and bytes, signed
        x.script("POST", "/2/tweets", Answer(403, ...))
"""

import base64
import hashlib
import hmac
import itertools
import json
import re
from typing import Any

from aiohttp import web
from oauthlib.oauth1.rfc5849 import signature

from tests.channels_adapters.web_fake import WebFake

KEY, SECRET, TOKEN, TOKEN_SECRET, BEARER = "ck", "cs", "100-token", "ts", "app-bearer"
US = {"id": "100", "name": "Shop", "username": "shop"}
_LINK = re.compile(r"https?://\S+")


class FakeX(WebFake):
    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.mentions: list[dict[str, Any]] = []
        self.users: list[dict[str, Any]] = [US]
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.alt_texts: dict[str, str] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.is_subscribed = False
        self.likes: set[str] = set()
        self.hidden: set[str] = set()
        self.refuses_duplicates = True
        self._ids = itertools.count(1_900_000_000_000_000_001)
        self._work = 0

    def routes(self) -> None:
        for method, path, carry in (
            ("GET", "/2/users/me", self._me),
            ("POST", "/2/tweets", self._create),
            ("DELETE", "/2/tweets/{id}", self._delete),
            ("PUT", "/2/tweets/{id}/hidden", self._hide),
            ("GET", "/2/users/{me}/tweets", self._own),
            ("GET", "/2/users/{me}/mentions", self._mentioned),
            ("POST", "/2/users/{me}/likes", self._like),
            ("DELETE", "/2/users/{me}/likes/{id}", self._unlike),
            ("POST", "/2/dm_conversations/with/{id}/messages", self._send),
            ("POST", "/2/dm_conversations/{id}/messages", self._send),
            ("GET", "/2/dm_conversations/with/{id}/dm_events", self._said),
            ("GET", "/2/dm_conversations/{id}/dm_events", self._said),
            ("GET", "/2/dm_events", self._events),
            ("DELETE", "/2/dm_events/{id}", self._unsay),
            ("POST", "/2/media/upload", self._upload),
            ("GET", "/2/media/upload", self._state),
            ("POST", "/2/media/upload/initialize", self._initialize),
            ("POST", "/2/media/upload/{id}/append", self._append),
            ("POST", "/2/media/upload/{id}/finalize", self._finalize),
            ("POST", "/2/media/metadata", self._describe),
            ("GET", "/2/webhooks", self._webhooks),
            ("POST", "/2/webhooks", self._register),
            ("PUT", "/2/webhooks/{id}", self._validate),
            ("GET", "/2/account_activity/webhooks/{id}/subscriptions/all", self._subscribed),
            ("POST", "/2/account_activity/webhooks/{id}/subscriptions/all", self._subscribe),
            ("GET", "/file/{name}", self._file),
        ):
            self.route(method, path, carry)

    # what X and other people do

    def delivery(self, payload: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """The headers and the bytes of a delivery."""
        body = json.dumps({"for_user_id": US["id"], **payload}).encode()
        digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        return {"x-twitter-webhooks-signature": f"sha256={digest}", "content-type": "application/json"}, body

    def mention(self, text: str, author: str = "200") -> dict[str, Any]:
        post: dict[str, Any] = {"id": str(next(self._ids)), "text": text, "author_id": author}
        post["created_at"] = "2026-11-20T10:00:00.000Z"
        post |= {"conversation_id": post["id"], "edit_history_tweet_ids": [post["id"]]}
        self.mentions.append(post)
        return post

    def say(self, text: str, sender: str = "200") -> dict[str, Any]:
        event = {"id": str(next(self._ids)), "event_type": "MessageCreate", "text": text, "sender_id": sender}
        event |= {"created_at": "2026-11-20T10:00:00.000Z", "dm_conversation_id": "100-200"}
        self.messages.append(event)
        return event

    # the API

    async def _me(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"data": US})

    async def _create(self, request: web.Request, body: Any) -> web.Response:
        replied = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        same = [p for p in self.posts.values() if (p["said"], p["replied"]) == (body.get("text"), replied)]
        if same and self.refuses_duplicates:
            words = "You are not allowed to create a Tweet with duplicate content."
            return self._answer(request, {"title": "Forbidden", "detail": words, "status": 403}, 403)
        post = {"id": str(next(self._ids)), "author_id": US["id"], "said": body.get("text"), "replied": replied}
        post |= self._shortened(body.get("text") or "") | {"created_at": "2026-11-20T10:00:00.000Z"}
        if replied:
            post["text"] = f"@alice {post['text']}"
            post["referenced_tweets"] = [{"type": "replied_to", "id": replied}]
            post["entities"]["mentions"] = [{"start": 0, "end": 6, "username": "alice", "id": "200"}]
        self.posts[post["id"]] = post | {"media": (body.get("media") or {}).get("media_ids", [])}
        return self._answer(request, {"data": {"id": post["id"], "text": post["text"]}}, 201)

    def _shortened(self, text: str) -> dict[str, Any]:
        links = [{"url": f"https://t.co/{n}", "expanded_url": link} for n, link in enumerate(_LINK.findall(text))]
        for link in links:
            text = text.replace(link["expanded_url"], link["url"])
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": text, "entities": {"urls": links}}

    async def _delete(self, request: web.Request, body: Any) -> web.Response:
        if self.posts.pop(request.match_info["id"], None) is None:
            return self._answer(request, {"title": "Not Found Error", "detail": "Could not find tweet"}, 404)
        return self._answer(request, {"data": {"deleted": True}})

    async def _own(self, request: web.Request, body: Any) -> web.Response:
        found = [post for post in self.posts.values() if int(post["id"]) > int(request.query.get("since_id", 0))]
        return self._answer(request, {"data": found[::-1], "meta": {"result_count": len(found)}})

    async def _mentioned(self, request: web.Request, body: Any) -> web.Response:
        found = [post for post in self.mentions if int(post["id"]) > int(request.query.get("since_id", 0))]
        return self._page(request, found[::-1])

    async def _events(self, request: web.Request, body: Any) -> web.Response:
        return self._page(request, self.messages[::-1])

    def _page(self, request: web.Request, found: list[dict[str, Any]]) -> web.Response:
        start = int(request.query.get("pagination_token", 0))
        page = found[start : start + 100]
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + 100 < len(found):
            meta["next_token"] = str(start + 100)
        told = {"data": page, "includes": {"users": self.users}} if page else {}
        return self._answer(request, {**told, "meta": meta})

    async def _send(self, request: web.Request, body: Any) -> web.Response:
        event = {"id": str(next(self._ids)), "event_type": "MessageCreate", "sender_id": US["id"]}
        event |= {"to": request.match_info["id"], "media": body.get("attachments", [])}
        event |= self._shortened(body.get("text", "")) | {"created_at": "2026-11-20T10:00:00.000Z"}
        self.messages.append(event)
        return self._answer(request, {"data": {"dm_conversation_id": "100-200", "dm_event_id": event["id"]}}, 201)

    async def _said(self, request: web.Request, body: Any) -> web.Response:
        found = [event for event in self.messages if event.get("to") == request.match_info["id"]]
        return self._answer(request, {"data": found[::-1], "meta": {"result_count": len(found)}})

    async def _unsay(self, request: web.Request, body: Any) -> web.Response:
        self.messages = [event for event in self.messages if event["id"] != request.match_info["id"]]
        return self._answer(request, {"data": {"deleted": True}})

    async def _like(self, request: web.Request, body: Any) -> web.Response:
        self.likes.add(body["tweet_id"])
        return self._answer(request, {"data": {"liked": True}})

    async def _unlike(self, request: web.Request, body: Any) -> web.Response:
        self.likes.discard(request.match_info["id"])
        return self._answer(request, {"data": {"liked": False}})

    async def _hide(self, request: web.Request, body: Any) -> web.Response:
        (self.hidden.add if body["hidden"] else self.hidden.discard)(request.match_info["id"])
        return self._answer(request, {"data": {"hidden": body["hidden"]}})

    async def _upload(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"data": {"id": self._keep(body["media_category"], body["media"]["data"])}})

    async def _initialize(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"data": {"id": self._keep(body["media_category"], b"", body["total_bytes"])}})

    async def _append(self, request: web.Request, body: Any) -> web.Response:
        self.uploads[request.match_info["id"]]["data"] += body["media"]["data"]
        return self._answer(request, {"data": {"expires_at": 1}})

    async def _finalize(self, request: web.Request, body: Any) -> web.Response:
        upload = self.uploads[request.match_info["id"]]
        if len(upload["data"]) != upload["total"]:
            return self._answer(request, {"title": "Invalid Request", "detail": "Segments do not add up"}, 400)
        return self._answer(
            request, {"data": {"id": "1", "processing_info": {"state": "pending", "check_after_secs": 0}}}
        )

    async def _state(self, request: web.Request, body: Any) -> web.Response:
        self._work += 1
        state = "succeeded" if self._work > 1 else "in_progress"
        return self._answer(request, {"data": {"processing_info": {"state": state, "check_after_secs": 0}}})

    def _keep(self, category: str, data: bytes, total: int = 0) -> str:
        media_id = str(next(self._ids))
        self.uploads[media_id] = {"category": category, "data": data, "total": total}
        return media_id

    async def _describe(self, request: web.Request, body: Any) -> web.Response:
        self.alt_texts[body["id"]] = body["metadata"]["alt_text"]["text"]
        return self._answer(request, {"data": {"id": body["id"]}})

    async def _webhooks(self, request: web.Request, body: Any) -> web.Response:
        return self._answer(request, {"data": self.webhooks, "meta": {"result_count": len(self.webhooks)}}, app=True)

    async def _register(self, request: web.Request, body: Any) -> web.Response:
        self.webhooks.append({"id": str(next(self._ids)), "url": body["url"], "valid": True})
        return self._answer(request, {"data": self.webhooks[-1]}, app=True)

    async def _validate(self, request: web.Request, body: Any) -> web.Response:
        self.webhooks[0]["valid"] = True
        return self._answer(request, {"data": {"attempted": True}}, app=True)

    async def _subscribed(self, request: web.Request, body: Any) -> web.Response:
        if not self.is_subscribed:
            return self._answer(request, {"title": "Not Found Error", "detail": "Not subscribed"}, 404)
        return self._answer(request, {"data": {"subscribed": True}})

    async def _subscribe(self, request: web.Request, body: Any) -> web.Response:
        self.is_subscribed = True
        return self._answer(request, {"data": {"subscribed": True}})

    async def _file(self, request: web.Request, body: Any) -> web.StreamResponse:
        if not self._is_signed(request):
            return web.Response(status=401)
        data = self.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    def _answer(self, request: web.Request, told: Any, status: int = 200, *, app: bool = False) -> web.Response:
        is_theirs = request.headers.get("Authorization") == f"Bearer {BEARER}" if app else self._is_signed(request)
        if not is_theirs:
            return web.json_response({"title": "Unauthorized", "status": 401, "detail": "Unauthorized"}, status=401)
        return web.json_response(told, status=status)

    def _is_signed(self, request: web.Request) -> bool:
        """Whether the call is signed by the app and the account for this method and address (RFC 5849)."""
        given = request.headers.get("Authorization", "")
        fields = signature.collect_parameters(headers={"Authorization": given}, exclude_oauth_signature=False)
        signed = dict(fields).get("oauth_signature", "")
        params = signature.collect_parameters(uri_query=request.query_string, headers={"Authorization": given})
        base = signature.signature_base_string(
            request.method,
            signature.base_string_uri(str(request.url)),
            signature.normalize_parameters(params),
        )
        digest = hmac.new(f"{SECRET}&{TOKEN_SECRET}".encode(), base.encode(), hashlib.sha1).digest()
        keys = (dict(fields).get("oauth_consumer_key"), dict(fields).get("oauth_token"))
        return keys == (KEY, TOKEN) and hmac.compare_digest(base64.b64encode(digest).decode(), signed)
