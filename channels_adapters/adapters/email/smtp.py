"""Out: one mail over one connection."""

import asyncio
import contextlib
from collections.abc import Sequence

import aiosmtplib
import anyio
import anyio.to_thread

from channels_adapters.adapters.email.account import SETTINGS_PAUSE, STARTTLS, TLS, Server
from channels_adapters.adapters.email.connecting import AccessTokens, open_socket, tls_context
from channels_adapters.adapters.email.errors import answered, bad_login, once_it_left, plain_words
from channels_adapters.contract import Refused, Retryable

_OUR_NAME = "localhost"


class Outgoing:
    """An SMTP server with a login. Nothing is kept between mails."""

    def __init__(self, server: Server, tokens: AccessTokens, seconds: float) -> None:
        self.server, self._tokens, self._seconds = server, tokens, seconds

    async def send(self, mail: bytes, *, sender: str, to: str, copies: Sequence[str] = (), within: float) -> None:
        """Hand the mail over, `within` so many seconds in all. Raises Retryable, Refused or Uncertain.

        Whoever of `copies` the server does not take is left out: the mail is for `to`.
        """
        until = anyio.current_time() + within
        with plain_words(self.server):
            async with asyncio.timeout(within / 2):
                client = await self._connected()
        try:
            with plain_words(self.server):
                async with asyncio.timeout(within / 2):
                    await self._announce(client, len(mail), sender, to)
                    for copied in copies:
                        with contextlib.suppress(aiosmtplib.SMTPRecipientRefused):
                            await client.rcpt(copied)
            with once_it_left(self.server):
                await client.data(mail, timeout=max(1.0, until - anyio.current_time()))
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=2)
        finally:
            client.close()

    async def check(self, sender: str) -> None:
        """Log in and ask whether `sender` may send; nothing is sent. Raises Retryable or Refused."""
        client = await self._connected()
        try:
            await self._name_sender(client, sender, [])
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=2)
        finally:
            client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self.server
        with plain_words(server):
            plain = await anyio.to_thread.run_sync(lambda: open_socket(server, wrap=False))
            client = aiosmtplib.SMTP(
                hostname=server.host,
                sock=plain,
                use_tls=server.security == TLS,
                start_tls=server.security == STARTTLS,
                tls_context=tls_context(),
                local_hostname=_OUR_NAME,
                timeout=self._seconds,
            )
            try:
                await client.connect()
                with contextlib.suppress(aiosmtplib.SMTPHeloError):  # an old server: it can nothing but HELO
                    await client.ehlo()
                await self._log_in(client)
            except BaseException:
                client.close()
                plain.close()
                raise
        return client

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        if not self.server.username:
            return
        if not client.supports_extension("auth"):
            words = f"{self.server.host} takes no login on port {self.server.port}: encrypt, or leave it empty"
            raise Retryable(words, SETTINGS_PAUSE)
        try:
            if self._tokens.are_used:
                token = await anyio.to_thread.run_sync(self._tokens.current)
                await client.auth_xoauth2(self.server.username, token)
            else:
                await client.login(self.server.username, self.server.password)
        except aiosmtplib.SMTPAuthenticationError as error:
            if 400 <= error.code < 500:
                raise answered(error.code, error.message, self.server) from error
            raise Retryable(bad_login(self.server), SETTINGS_PAUSE) from error

    async def _announce(self, client: aiosmtplib.SMTP, size: int, sender: str, recipient: str) -> None:
        limit = str(client.esmtp_extensions.get("size") or "")
        if limit.isdecimal() and 0 < int(limit) < size:
            raise Refused(f"the mail is too large: {self.server.host} takes {int(limit) // 1024 // 1024} MB at most")
        options = [f"SIZE={size}"] if client.supports_extension("size") else []
        if not recipient.isascii():
            if not client.supports_extension("smtputf8"):
                raise Refused(f"{self.server.host} cannot send to {recipient}: it takes plain letters only")
            options.append("SMTPUTF8")
        await self._name_sender(client, sender, options)
        with plain_words(self.server):
            try:
                encoding = "ascii" if recipient.isascii() else "utf-8"
                await client.rcpt(recipient, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                raise answered(error.code, error.message, self.server, recipient) from error

    async def _name_sender(self, client: aiosmtplib.SMTP, sender: str, options: list[str]) -> None:
        with plain_words(self.server):
            encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
            await client.mail(sender, options=options, encoding=encoding)
