"""One connection to a mailbox over IMAP, used from one thread at a time."""

import contextlib
import imaplib
import re
import socket
from datetime import timedelta

from imap_tools import BaseMailBox, MailboxTaggedResponseError
from imap_tools.utils import encode_folder

from channels_adapters.adapters.email.account import PLAIN, SETTINGS_PAUSE, STARTTLS, Server
from channels_adapters.adapters.email.connecting import AccessTokens, open_socket, tls_context
from channels_adapters.adapters.email.errors import plain_words
from channels_adapters.contract import Retryable
from channels_adapters.mailreading.letter import CUT
from crm.workspace import clock

READ_TIME = 30.0  # seconds for an answer
_AGAIN = timedelta(days=14)  # how far back is read after the server numbered its mails anew; raw mail is kept longer
_MANY, _MUCH = 25, 16 * 1024 * 1024  # mails and bytes of one batch
_SIZE = re.compile(rb"UID (\d+)[^)]*RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+)[^)]*UID (\d+)")
_SENT_NAMES = ("Sent", "Sent Items", "Sent Messages", "INBOX.Sent", "[Gmail]/Sent Mail")


class _Client(imaplib.IMAP4):
    """Connects to a number that was looked at, and inside TLS where the settings say so."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(server.host, server.port, timeout=READ_TIME)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connected = open_socket(self._server)
        connected.settimeout(timeout)
        return connected


class _Connected(BaseMailBox):
    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = _Client(self._server)
        if self._server.security == STARTTLS:
            client.starttls(tls_context())
        return client


class Mailbox:
    """A mailbox that is logged in. Raises Retryable whatever goes wrong."""

    def __init__(self, server: Server, tokens: AccessTokens) -> None:
        self.server = server
        with plain_words(server):
            self._box = _Connected(server)
            try:
                self._log_in(tokens)
            except BaseException:
                self.drop()
                raise

    def _log_in(self, tokens: AccessTokens) -> None:
        username, password = self.server.username, self.server.password
        if self.server.security == PLAIN and "LOGINDISABLED" in self._box.client.capabilities:
            raise Retryable(f"{self.server.host} takes no login without encryption", SETTINGS_PAUSE)
        if tokens.are_used:
            try:
                self._box.xoauth2(username, tokens.current(), initial_folder=None)
            except imaplib.IMAP4.error as error:
                raise Retryable(
                    f"{self.server.host} does not accept the OAuth token of {username}", SETTINGS_PAUSE
                ) from error
        elif (username + password).isascii():
            self._box.login(username, password, initial_folder=None)
        else:
            self._box.login_utf8(username, password, initial_folder=None)

    def open(self, folder: str, *, to_write: bool) -> tuple[int, int]:
        """Select the folder: its UIDVALIDITY and the UID that comes next."""
        with plain_words(self.server):
            status, _ = self._box.client.select(encode_folder(folder).decode(), readonly=not to_write)
            if status != "OK":
                raise Retryable(f"{self.server.host} has no folder {folder}", SETTINGS_PAUSE)
            return self._number("UIDVALIDITY"), self._number("UIDNEXT")

    def _number(self, name: str) -> int:
        found = self._box.client.response(name)[1]
        return int(found[0]) if found and found[0] else 0

    def first_lately(self) -> int:
        """The UID of the oldest mail of the last two weeks; 0 when there is none."""
        since = (clock.now() - _AGAIN).strftime("%d-%b-%Y")
        return min(self._search(f"SINCE {since}"), default=0)

    def after(self, uid: int, limit: int) -> list[tuple[int, bytes]]:
        """The next mails with their UIDs, in order; of one that is larger than `limit` only the head."""
        with plain_words(self.server):
            wanted = self._later_than(uid)[:_MANY]
            sizes = self._sizes(wanted)
            mails: list[tuple[int, bytes]] = []
            much = 0
            for found in wanted:
                much += min(sizes.get(found, 0), limit)
                if mails and much > _MUCH:
                    break
                mails.append((found, self._mail(found, sizes.get(found, 0), limit)))
            return mails

    def _later_than(self, uid: int) -> list[int]:
        """A mail that comes while it is asked is told at the end of the answer, and by IDLE never again: asked anew."""
        has_news = True
        found: list[int] = []
        while has_news and not found:
            self._box.client.response("EXISTS")  # what was told before
            found = [each for each in self._search(f"UID {uid + 1}:*") if each > uid]
            has_news = self._box.client.response("EXISTS")[1] != [None]
        return found

    def _search(self, criteria: str) -> list[int]:
        with plain_words(self.server):
            return sorted(int(found) for found in self._box.uids(criteria, charset=None))

    def _sizes(self, uids: list[int]) -> dict[int, int]:
        if not uids:
            return {}
        _, said = self._box.client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
        found = [_SIZE.search(line) for line in said if isinstance(line, bytes)]
        return {int(each[1] or each[4]): int(each[2] or each[3]) for each in found if each}

    def _mail(self, uid: int, size: int, limit: int) -> bytes:
        """The bytes; b'' of a mail that is gone meanwhile."""
        section = "HEADER" if size > limit else ""
        _, said = self._box.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[{section}])")
        found = next((bytes(item[1]) for item in said if isinstance(item, tuple)), b"")
        return f"{CUT}: {size}\r\n".encode() + found if section and found else found

    def mark_read(self, uids: list[int]) -> None:
        """They are no longer new in the mailbox."""
        if uids:
            with plain_words(self.server):
                self._box.client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", r"(\Seen)")

    @property
    def tells(self) -> bool:
        """Whether the server says by itself that mail has come (IDLE)."""
        return "IDLE" in self._box.client.capabilities

    def wait(self, seconds: float) -> None:
        """Until the server says that something changed, or so long."""
        with plain_words(self.server):
            try:
                self._box.idle.start()
            except MailboxTaggedResponseError:  # news came before the server's go-ahead
                while self._box.client._get_response() is not None:
                    continue
            else:
                self._box.idle.poll(timeout=seconds)
            self._box.idle.stop()

    def touch(self) -> None:
        """Ask for nothing, so that the server tells what changed."""
        with plain_words(self.server):
            self._box.client.noop()

    def sent_folder(self, wanted: str) -> str:
        """The name of the folder for sent mail, or ''."""
        if wanted:
            return wanted
        with plain_words(self.server):
            folders = self._box.folder.list()
        named = [folder.name for folder in folders if any(flag.lower() == "\\sent" for flag in folder.flags)]
        usual = [folder.name for name in _SENT_NAMES for folder in folders if folder.name == name]
        return next(iter([*named, *usual]), "")

    def holds(self, folder: str, message_id: str) -> bool:
        """Whether the folder has a mail with this Message-ID."""
        self.open(folder, to_write=False)
        return bool(self._search(f'HEADER Message-ID "<{message_id}>"'))

    def put(self, folder: str, mail: bytes) -> None:
        with plain_words(self.server):
            self._box.append(mail, folder, flag_set=[r"\Seen"])

    def heads(self, count: int) -> list[bytes]:
        """The heads of the newest mails of the open folder."""
        newest = self._search("ALL")[-count:]
        with plain_words(self.server):
            return [self._mail(uid, 1, 0) for uid in newest]

    def leave(self) -> None:
        with contextlib.suppress(Exception):  # the server may be gone
            self._box.client.logout()
        self.drop()

    def drop(self) -> None:
        """End the connection at once, also under a thread that waits on it."""
        with contextlib.suppress(OSError, AttributeError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, AttributeError):
            self._box.client.shutdown()
