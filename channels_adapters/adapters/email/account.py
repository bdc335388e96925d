"""The settings of a mailbox, as the rest of the adapter reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from channels_adapters.adapters.email.tokens import Tokens
from channels_adapters.contract import Retryable

TLS, STARTTLS, PLAIN = "tls", "starttls", "none"
SETTINGS_PAUSE = 300.0  # seconds until somebody may have mended them
_PORTS = {("smtp", TLS): 465, ("smtp", STARTTLS): 587, ("smtp", PLAIN): 25, ("imap", TLS): 993}
_IMAP = 143


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect and how. `may_be_private`: it was named on the command line."""

    kind: str  # smtp, imap
    host: str
    port: int
    security: str
    username: str
    password: str
    may_be_private: bool


class Account:
    """One mailbox."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def said(self, key: str) -> str:
        return str(self._settings.get(key) or "").strip()

    @cached_property
    def address(self) -> str:
        return self.said("address").lower()

    @cached_property
    def domain(self) -> str:
        return self.said("domain").lower() or self.address.rpartition("@")[2]

    @cached_property
    def own(self) -> frozenset[str]:
        """Every address that is ours, in lower case."""
        aliases = self.said("aliases").replace(";", ",").replace("\n", ",").lower().split(",")
        return frozenset(address for each in [self.address, *aliases] if (address := each.strip()))

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.said("token_secret"))

    @property
    def has_plus_addresses(self) -> bool:
        return self.said("plus_addresses").lower() not in ("no", "false", "0", "off")

    @property
    def trusted_server(self) -> str:
        return self.said("auth_server").lower()

    def is_own(self, address: str) -> bool:
        """Whether the address is one of ours, with whatever stands after its plus."""
        return self._without_tag(address.lower()) in self.own

    def tag_of(self, address: str) -> str:
        """What stands after the plus of one of our addresses, or ''."""
        return address.lower().partition("@")[0].partition("+")[2] if self.is_own(address) else ""

    def tagged(self, tag: str) -> str:
        """Our address with a tag; our plain address when there is none."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{tag}@{domain}" if tag else self.address

    def smtp(self) -> Server | None:
        return self._server("smtp", self.said("smtp_username"), self.said("smtp_password"))

    def imap(self) -> Server | None:
        return self._server("imap", "", "")

    def _server(self, kind: str, username: str, password: str) -> Server | None:
        host = self.said(f"{kind}_host")
        if not host:
            return None
        security = self.said(f"{kind}_security").lower() or (STARTTLS if kind == "smtp" else TLS)
        if security not in (TLS, STARTTLS, PLAIN):
            raise Retryable(f"{kind}_security is tls, starttls or none", SETTINGS_PAUSE)
        given = self.said(f"{kind}_port")
        if given and not (given.isascii() and given.isdecimal() and 0 < int(given[:6]) < 65_536):
            raise Retryable(f"{kind}_port is a number from 1 to 65535", SETTINGS_PAUSE)
        port = int(given) if given else _PORTS.get((kind, security), _IMAP)
        username = username or self.said("username")
        private = self.names(f"//{host}")
        return Server(kind, host, port, security, username, password or self.said("password"), private)

    def names(self, url: str) -> bool:
        """Whether the command line named this address's host as one that may be private."""
        try:
            wanted, named = urlsplit(url).hostname, urlsplit(self.said("api_url")).hostname
        except ValueError:
            return False
        return bool(named) and wanted == named

    @staticmethod
    def _without_tag(address: str) -> str:
        local, _, domain = address.rpartition("@")
        return f"{local.partition('+')[0]}@{domain}"
