"""One account's calls, each signed with the app's and the account's keys (OAuth 1.0a: these do not run out)."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from oauthlib.oauth1 import Client as Signer

from channels_adapters.adapters.x.errors import problem
from channels_adapters.answers import Answer
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import Refused
from channels_adapters.reading import Fields

OFFICIAL_API = "https://api.x.com"
_FILE_HOSTS = ("ton.twitter.com", "ton.x.com", "pbs.twimg.com", "video.twimg.com")


class Client:
    def __init__(self, keys: tuple[str, str, str, str], bearer: str, *, api_url: str, seconds: float) -> None:
        key, secret, token, token_secret = keys
        self.api = api_url or OFFICIAL_API
        self.signer = Signer(key, secret, token, token_secret)
        self.bearer = bearer
        self.calls = Platform("X", _FILE_HOSTS, api_url, seconds)

    async def get(self, path: str, **params: Any) -> Fields:
        """What X says; raises Retryable or Refused."""
        given = {name: value for name, value in params.items() if value not in ("", None)}
        with nothing_to_lose():
            return await self.ask("GET", f"{path}?{urlencode(given)}" if given else path)

    async def ask(self, method: str, path: str, *, as_app: bool = False, **request: Any) -> Fields:
        """What X says to a good call; raises Retryable, Refused or Uncertain."""
        url = f"{self.api}{path}"
        headers = {"Authorization": f"Bearer {self.bearer}"} if as_app else self._signed(url, method)
        answer: Answer = await self.calls.call(method, url, headers=headers, **request)
        if not answer.is_good:
            raise problem(answer)
        return answer.fields()

    async def download(self, address: str, limit: int) -> bytes:
        """A file's bytes. Our signature goes to X only; it is good for this one address."""
        try:
            there, api = urlsplit(address), urlsplit(self.api)
            is_theirs = (there.scheme, there.netloc) == (api.scheme, api.netloc) and self.api != OFFICIAL_API
            is_theirs = is_theirs or (there.scheme == "https" and there.netloc in _FILE_HOSTS)
        except ValueError:
            is_theirs = False
        if not is_theirs:
            raise Refused("the file does not lie with X")
        return await self.calls.download(address, limit, self._signed(address, "GET"))

    async def close(self) -> None:
        await self.calls.close()

    def _signed(self, url: str, method: str) -> dict[str, str]:
        _, headers, _ = self.signer.sign(url, method)
        return {str(name): str(value) for name, value in headers.items()}
