"""One account's requests to its server. The token goes into a header, and to that server and its streams only."""

from typing import Any

from channels_adapters.adapters.mastodon.errors import problem
from channels_adapters.answers import Answer
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import Retryable
from channels_adapters.reading import Fields


class Client:
    def __init__(self, server: str, token: str, *, api_url: str, seconds: float) -> None:
        self.server, self.seconds = server, seconds
        self.calls = Platform("Mastodon", api_url=api_url, call_seconds=seconds)
        self.headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any) -> Answer:
        """A good answer; raises Retryable or Refused."""
        with nothing_to_lose():
            sent = self.headers | (headers or {})
            answer = await self.calls.call(method, f"{self.server}{path}", headers=sent, **request)
        if not answer.is_good:
            raise problem(answer)
        return answer

    async def one(self, method: str, path: str, **request: Any) -> Fields:
        """The entity that the answer is: never one without an id."""
        said = (await self.ask(method, path, **request)).fields()
        if not said.text("id"):
            raise Retryable("Mastodon's answer made no sense")
        return said

    async def close(self) -> None:
        await self.calls.close()
