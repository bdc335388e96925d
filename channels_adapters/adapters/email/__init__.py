"""E-mail: a mailbox over IMAP, or mail that is posted to us, in; SMTP out."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar

import anyio.to_thread

from channels_adapters.adapters.email import checking, hook
from channels_adapters.adapters.email.account import SETTINGS_PAUSE, Account
from channels_adapters.adapters.email.composing import compose, copies, message_id, recipient
from channels_adapters.adapters.email.connecting import AccessTokens
from channels_adapters.adapters.email.fields import FORM
from channels_adapters.adapters.email.imap import Mailbox
from channels_adapters.adapters.email.listening import Listener
from channels_adapters.adapters.email.parsing import read_leaving, read_letter
from channels_adapters.adapters.email.smtp import Outgoing
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookAnswer,
    HookRequest,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Store,
    Uncertain,
    Unreadable,
)
from channels_adapters.mailreading import children
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024


class EmailAdapter(ChannelAdapter):
    """One mailbox."""

    channel = "email"
    label = "Email"
    capabilities = Capabilities(
        text_limit=100_000,
        takes_in=("text", "image", "video", "audio", "file", "reply", "forward", "receipt"),
        files=True,
        file_limit=18 * _MEGABYTE,  # mail servers take 25 MB, and mail makes files larger by a third
        caption_limit=100_000,
        replies=True,
        starts=True,
        whole=True,
        looks_up=True,
    )
    settings_form = FORM
    body_limit = 40 * _MEGABYTE
    carries_files = True
    reads_slowly = True
    accepted = HookAnswer(200, b"Thank you.\n")

    smtp_seconds: ClassVar[float] = 20  # for one answer of the outgoing server
    send_seconds: ClassVar[float] = 40  # for all of a send; with the copy in Sent less than a delivery's lease
    sent_seconds: ClassVar[float] = 12  # for the copy in Sent, or the look for it
    wait_seconds: ClassVar[float] = 20  # for news of the mailbox; the lease on it is three times as long

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._account = Account(settings)
        self._tokens = AccessTokens(self._account)
        self._listeners: set[Listener] = set()

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        posts = (
            "curl -sS --fail --data-binary @- -H 'Content-Type: message/rfc822' -H 'Authorization: Bearer "
            f"<hook_secret>' '{public_url}/hooks/{key}/?from=${{sender}}&to=${{recipient}}'"
        )
        return (("Address", self._account.address), ("A mail server posts mail here with", posts))

    def answer(self, request: HookRequest) -> HookAnswer | None:
        return hook.page(self._account, request)

    def authenticate(self, request: HookRequest) -> None:
        hook.verify(self._account, request)

    def keep(self, request: HookRequest) -> bytes:
        return hook.keep(self._account, request)

    def delivery_id(self, body: bytes) -> str:
        return hook.identify(body)

    def parse(self, body: bytes) -> list[Inbound]:
        if body.startswith(hook.LEAVES):
            return read_leaving(body.removeprefix(hook.LEAVES))
        try:
            letter = children.read(body)
        except children.Overrun as error:
            raise Unreadable(f"this mail cannot be read: {error}") from error
        return read_letter(letter, self._account)

    def unpack(self, body: bytes, external_id: str, limit: int) -> bytes:
        try:
            data = children.part(body, external_id)
        except children.Overrun as error:
            raise Refused(f"the file cannot be taken out of its mail: {error}") from error
        if len(data) > limit:
            raise Refused("the file is larger than this inbox takes")
        return data

    async def send(self, part: OutboundPart) -> SendReceipt:
        server = self._account.smtp()
        if server is None:
            raise Retryable("no outgoing server (SMTP) is set, so no mail can be sent", SETTINGS_PAUSE)
        if not part.text.strip() and part.file is None and not part.files:
            raise Refused("there is nothing to send")
        if part.by_machine and "auto_reply" in (part.answers.get("flags") or ()):
            raise Refused("a machine wrote that mail, and no machine answers it")
        mail = compose(part, self._account)
        raw, own_id = mail.as_bytes(), message_id(part, self._account)
        outgoing = Outgoing(server, self._tokens, self.smtp_seconds)
        to, copied = recipient(part), copies(part)
        await outgoing.send(raw, sender=self._account.address, to=to, copies=copied, within=self.send_seconds)
        await self._keep_copy(raw, own_id)
        return SendReceipt(own_id, {"subject": str(mail["Subject"])})

    async def _keep_copy(self, mail: bytes, own_id: str) -> None:
        """Into the mailbox's Sent, unless the server put it there itself. The mail is sent whatever happens here."""
        with contextlib.suppress(SendFailed, TimeoutError):
            async with asyncio.timeout(self.sent_seconds):
                await self._in_sent(own_id, mail)

    async def _in_sent(self, own_id: str, missing: bytes = b"") -> bool:
        """Whether the mail lies in Sent; `missing` is put there when it does not. Raises Retryable."""

        def look() -> bool:
            mailbox = self._open_mailbox()
            try:
                folder = mailbox.sent_folder(self._account.said("sent_folder"))
                found = bool(folder) and mailbox.holds(folder, own_id)
                if folder and missing and not found:
                    mailbox.put(folder, missing)
                return found
            finally:
                mailbox.leave()

        return self._account.imap() is not None and await anyio.to_thread.run_sync(look, abandon_on_cancel=True)

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        """Its copy in Sent shows that it left. Without one nobody knows: the copy comes after the mail."""
        own_id = message_id(part, self._account)
        try:
            async with asyncio.timeout(self.sent_seconds):
                if await self._in_sent(own_id):
                    return SendReceipt(own_id)
        except TimeoutError as error:
            raise Uncertain("the mailbox took too long") from error
        raise Uncertain("there is no copy of it in the folder for sent mail")

    def listens(self) -> bool:
        return bool(self._account.said("imap_host"))

    async def listen(self, cursor: str, store: Store) -> None:
        listener = Listener(self._account, store, limit=self.body_limit, wait=self.wait_seconds)
        self._listeners.add(listener)
        try:
            await listener.run(self._open_mailbox, cursor)
        finally:
            self._listeners.discard(listener)

    async def check(self, hook_url: str) -> Check:
        return await checking.check(self._account, self._tokens, hook_url)

    async def close(self) -> None:
        """A mailbox that is watched ends as Retryable: whoever listens goes on with the connection's new settings."""
        for listener in list(self._listeners):
            listener.end()

    def _open_mailbox(self) -> Mailbox:
        server = self._account.imap()
        if server is None:
            raise Retryable("no incoming server (IMAP) is set", SETTINGS_PAUSE)
        return Mailbox(server, self._tokens)
