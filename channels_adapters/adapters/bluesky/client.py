"""One account's calls to its server, signed in with an app password; the session is renewed when it runs out."""

import asyncio
from typing import Any

from channels_adapters.adapters.bluesky.errors import BAD_PASSWORD, is_expired, problem
from channels_adapters.answers import PAUSE, Answer
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import Refused, Retryable
from channels_adapters.reading import Fields

_CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
_DIRECTORY = "https://plc.directory"


class Client:
    """The tokens are kept while the process lives: signing in anew is rationed to 300 a day."""

    def __init__(self, service: str, identifier: str, password: str, *, api_url: str, plc_url: str, seconds: float):
        self.service, self.identifier, self.password = service, identifier, password
        self.directory, self.is_closed = plc_url or _DIRECTORY, bool(api_url and not plc_url)
        self.calls = Platform("Bluesky", api_url=api_url, call_seconds=seconds)
        self.did = ""
        self._session, self._lock = Fields({}), asyncio.Lock()

    async def get(self, method: str, *, chat: bool = False, **params: Any) -> Fields:
        """What a query answers; raises Retryable or Refused."""
        with nothing_to_lose():
            return (await self._ask("GET", method, _CHAT if chat else {}, params=_given(params))).fields()

    async def post(self, method: str, *, chat: bool = False, **body: Any) -> Fields:
        """What a procedure answers; raises Retryable, Refused or Uncertain."""
        return (await self._ask("POST", method, _CHAT if chat else {}, json=_given(body))).fields()

    async def upload(self, data: bytes, mime: str) -> dict[str, Any]:
        """The blob that a record may hold."""
        with nothing_to_lose():
            answer = await self._ask("POST", "com.atproto.repo.uploadBlob", {"Content-Type": mime}, content=data)
        blob = answer.fields().raw.get("blob")
        if not isinstance(blob, dict):
            raise Retryable("Bluesky's answer made no sense")
        return blob

    async def sign_in(self) -> str:
        """Our account's DID."""
        async with self._lock:
            if not self.did:
                await self._create_session()
        return self.did

    async def blob(self, did: str, cid: str, limit: int) -> bytes:
        """A file out of its owner's repository, wherever that lies."""
        server = await self._server_of(did)
        url = f"{server}/xrpc/com.atproto.sync.getBlob?did={did}&cid={cid}"
        return await self.calls.download(url, limit)

    async def close(self) -> None:
        await self.calls.close()

    async def _ask(self, verb: str, method: str, headers: dict[str, str], **request: Any) -> Answer:
        await self.sign_in()
        used = self._session.text("accessJwt")
        answer = await self._send(verb, method, used, headers, **request)
        if is_expired(answer):
            await self._renew(used)
            answer = await self._send(verb, method, self._session.text("accessJwt"), headers, **request)
        if not answer.is_good:
            raise problem(answer)
        return answer

    async def _send(self, verb: str, method: str, token: str, headers: dict[str, str], **request: Any) -> Answer:
        sent = headers | ({"Authorization": f"Bearer {token}"} if token else {})
        return await self.calls.call(verb, f"{self.service}/xrpc/{method}", headers=sent, **request)

    async def _renew(self, used: str) -> None:
        """A new session, by the one who comes first."""
        async with self._lock:
            if self._session.text("accessJwt") != used:
                return
            with nothing_to_lose():
                token = self._session.text("refreshJwt")
                answer = await self._send("POST", "com.atproto.server.refreshSession", token, {})
            if answer.is_good and answer.fields().text("accessJwt"):
                self._session = answer.fields()
                return
            if answer.status >= 429:
                raise problem(answer)
            await self._create_session()

    async def _create_session(self) -> None:
        login = {"identifier": self.identifier, "password": self.password}
        with nothing_to_lose():
            answer = await self._send("POST", "com.atproto.server.createSession", "", {}, json=login)
        if not answer.is_good:
            trouble = problem(answer)
            raise Retryable(BAD_PASSWORD, PAUSE) if isinstance(trouble, Refused) else trouble
        if not (answer.fields().text("accessJwt") and answer.fields().text("did")):
            raise Retryable("Bluesky's answer made no sense")
        self._session, self.did = answer.fields(), answer.fields().text("did")

    async def _server_of(self, did: str) -> str:
        """Where an account's repository lies: its DID's document says so. In a network of one's own, at its server."""
        if self.is_closed:
            return self.service
        if did.startswith("did:plc:"):
            url = f"{self.directory}/{did}"
        elif did.startswith("did:web:") and ":" not in did.removeprefix("did:web:"):
            url = f"https://{did.removeprefix('did:web:')}/.well-known/did.json"
        else:
            raise Refused("the file lies where we do not look")
        with nothing_to_lose():
            answer = await self.calls.call("GET", url)
        if answer.status in (404, 410):
            raise Refused("the account that the file belongs to is gone")
        for service in answer.fields().many("service"):
            if service.text("id").endswith("#atproto_pds"):
                return service.text("serviceEndpoint").rstrip("/")
        raise Retryable("it cannot be found out where the file lies")


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}
