"""In: a mailbox that is watched. Mail is stored before it is marked as read, and read from where the cursor stands."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from channels_adapters.adapters.email.account import Account
from channels_adapters.adapters.email.hook import identify
from channels_adapters.adapters.email.imap import Mailbox
from channels_adapters.adapters.email.parsing import fingerprint
from channels_adapters.contract import Retryable, Store, WebhookRejected

T = TypeVar("T")
MARKS = ("yes", "true", "1", "on")


class Listener:
    """One stay at the mailbox; ended by being cancelled, or by what goes wrong."""

    def __init__(self, account: Account, store: Store, *, limit: int, wait: float) -> None:
        self._account, self._store, self._limit, self._wait = account, store, limit, wait
        self._thread = anyio.CapacityLimiter(1)  # a thread of its own: others wait for files and names
        self._mailbox: Mailbox | None = None

    async def run(self, open_mailbox: Callable[[], Mailbox], cursor: str) -> None:
        """Take mail until cancelled. Raises Retryable, or what `store` raised."""
        try:
            self._mailbox = await self._in_thread(open_mailbox)
            validity, last = await self._in_thread(lambda: self._begin(cursor))
            await self._store([], f"{validity}:{last}")
            while True:
                last = await self._take(validity, last) or last
        finally:
            self.end()

    def end(self) -> None:
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.drop()

    def _begin(self, cursor: str) -> tuple[int, int]:
        """The folder's UIDVALIDITY and the last UID that is stored. At first: nothing older is taken in."""
        validity, following = self._open.open(self._account.said("imap_folder") or "INBOX", to_write=self._marks)
        known, _, last = cursor.partition(":")
        if known == str(validity) and last.isdecimal():
            return validity, int(last)
        first = self._open.first_lately() if known else 0  # numbered anew: what comes again is known by its id
        return validity, (first or following or 1) - 1

    async def _take(self, validity: int, last: int) -> int:
        """Store what is new, or wait for it; the last UID stored, or 0."""
        mails = await self._in_thread(lambda: self._open.after(last, self._limit))
        if not mails:
            await self._wait_for_more()
            await self._store([], f"{validity}:{last}")  # keeps the lease
            return 0
        newest = mails[-1][0]
        await self._store([(_name(body), body) for _, body in mails if body], f"{validity}:{newest}")
        if self._marks:
            await self._in_thread(lambda: self._open.mark_read([uid for uid, _ in mails]))
        return newest

    async def _wait_for_more(self) -> None:
        if self._open.tells:
            await self._in_thread(lambda: self._open.wait(self._wait))
        else:
            await anyio.sleep(self._wait)
            await self._in_thread(self._open.touch)

    @property
    def _open(self) -> Mailbox:
        if self._mailbox is None:
            raise Retryable("the connection's settings have changed")
        return self._mailbox

    @property
    def _marks(self) -> bool:
        return (self._account.said("mark_read") or "yes").lower() in MARKS

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._thread)


def _name(body: bytes) -> str:
    """What is no mail is stored all the same: it is parked, and a person can look at it."""
    try:
        return identify(body)
    except WebhookRejected:
        return fingerprint(body)
