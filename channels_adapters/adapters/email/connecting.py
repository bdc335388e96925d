"""Connections to mail servers: to numbers that were looked at, encrypted as the settings say, with a login."""

import json
import socket
import ssl
import threading
import time
from urllib.parse import urlencode

from channels_adapters.adapters.email.account import SETTINGS_PAUSE, TLS, Account, Server
from channels_adapters.contract import Retryable
from crm.web import outgoing

CONNECT_TIME = 8.0  # seconds
_EARLY = 60.0  # seconds: a token that ends sooner is not used
_MAIL_PORTS = (25, 110, 143, 465, 587, 993, 995, 2525)
_USUAL = 1024


def open_socket(server: Server, *, wrap: bool = True) -> socket.socket:
    """A connection to the server, inside TLS when its settings say so and `wrap`. Raises Retryable or OSError."""
    if server.port < _USUAL and server.port not in _MAIL_PORTS:
        raise Retryable(f"port {server.port} is none of a mail server", SETTINGS_PAUSE)
    try:
        numbers = outgoing.public_addresses(server.host, server.port, allow_private=server.may_be_private)
    except outgoing.NotAllowed as error:
        raise Retryable(str(error), SETTINGS_PAUSE) from error
    plain = _first_that_answers(numbers, server.port)
    if not (wrap and server.security == TLS):
        return plain
    try:
        return tls_context().wrap_socket(plain, server_hostname=server.host)
    except BaseException:
        plain.close()
        raise


def _first_that_answers(numbers: list[str], port: int) -> socket.socket:
    for number in numbers[:-1]:
        try:
            return socket.create_connection((number, port), CONNECT_TIME)
        except OSError:
            continue
    return socket.create_connection((numbers[-1], port), CONNECT_TIME)


def tls_context() -> ssl.SSLContext:
    """Certificates are checked against the machine's authorities."""
    return ssl.create_default_context()


class AccessTokens:
    """The OAuth access token of one mailbox, renewed when it ends."""

    def __init__(self, account: Account) -> None:
        self._account, self._lock = account, threading.Lock()
        self._token, self._until = "", 0.0

    @property
    def are_used(self) -> bool:
        return bool(self._account.said("oauth_refresh_token"))

    def current(self) -> str:
        """A token that holds for a minute at least. Raises Retryable."""
        with self._lock:
            if time.monotonic() > self._until:
                self._token, seconds = self._renew()
                self._until = time.monotonic() + seconds - _EARLY
            return self._token

    def _renew(self) -> tuple[str, float]:
        account = self._account
        form = {
            "grant_type": "refresh_token",
            "client_id": account.said("oauth_client_id"),
            "client_secret": account.said("oauth_client_secret"),
            "refresh_token": account.said("oauth_refresh_token"),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        url = account.said("oauth_url")
        try:
            answer = outgoing.post(url, urlencode(form).encode(), headers, allow_private=account.names(url))
        except (outgoing.NotAllowed, outgoing.NoAnswer) as error:
            raise Retryable(f"the OAuth token could not be renewed: {error}", SETTINGS_PAUSE) from error
        try:
            said = json.loads(answer.text)
            return str(said["access_token"]), float(said.get("expires_in") or SETTINGS_PAUSE)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            words = "the provider does not renew the OAuth token: the mailbox's owner has to agree again"
            raise Retryable(words, SETTINGS_PAUSE) from error
