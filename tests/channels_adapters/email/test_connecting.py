"""The live test of a mailbox and what watches it, against Postfix and Dovecot: every kind of encryption and login."""

import asyncio
import contextlib
import imaplib
from email.message import EmailMessage

import pytest

from channels_adapters.adapters.email import EmailAdapter
from channels_adapters.contract import OutboundPart, Retryable
from conversations.normalized import InboundMessage
from tests.channels_adapters.email.servers import PASSWORD

pytestmark = pytest.mark.xdist_group("mail servers")
ADDRESS = "eva@kund.test"
THREAD = "abcdefghijklmnop"


@pytest.fixture
def certified(servers, monkeypatch):
    """The servers, with certificates that this machine believes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority))
    return servers


def an_adapter(servers, **more):
    made = EmailAdapter({**servers.settings(address=ADDRESS, username=ADDRESS), "token_secret": "s", **more})
    made.wait_seconds = 15
    return made


async def checked(servers, **more):
    return await an_adapter(servers, **more).check("https://desk.example/hooks/1/")


async def test_a_connection_that_works_says_what_it_found(servers):
    found = await checked(servers)

    assert found.problems == ()
    assert found.facts["keeps copies in"] == "Sent"
    assert found.facts["receives from"] == f"localhost:{servers.imap}, as it comes"
    assert found.facts["hook_url"] == "https://desk.example/hooks/1/"


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_encryption_of_both_kinds_works(certified, way):
    ports = {"smtp_port": str(certified.smtps if way == "tls" else certified.smtp)}
    ports["imap_port"] = str(certified.imaps if way == "tls" else certified.imap)

    found = await checked(certified, smtp_security=way, imap_security=way, **ports)

    assert found.problems == ()


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_said(servers, way):
    ports = {"smtp_port": str(servers.smtps if way == "tls" else servers.smtp)}
    ports["imap_port"] = str(servers.imaps if way == "tls" else servers.imap)

    found = await checked(servers, smtp_security=way, imap_security=way, **ports)

    assert len(found.problems) == 2
    assert all("certificate of localhost is not valid" in problem for problem in found.problems)


async def test_a_token_of_oauth_is_fetched_once_and_logs_in_at_both(servers):
    given = servers.oauth.given
    more = {"oauth_url": f"{servers.oauth.url}/token", "oauth_refresh_token": "refresh", "password": ""}

    found = await EmailAdapter({**servers.settings(**more), "token_secret": "s"}).check("https://x.example/")

    assert found.problems == ()
    assert servers.oauth.given == given + 1


async def test_a_token_that_was_taken_back_is_said(servers):
    more = {"oauth_url": f"{servers.oauth.url}/token", "oauth_refresh_token": "another", "password": ""}

    found = await EmailAdapter({**servers.settings(**more), "token_secret": "s"}).check("https://x.example/")

    assert [problem.partition(":")[0] for problem in found.problems] == ["Sending", "Receiving"]
    assert all("has to agree again" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"password": "wrong"}, ["does not accept the login", "does not accept the login"]),
        ({"smtp_port": "2525"}, ["could not be reached on port 2525"]),
        ({"imap_folder": "Nowhere"}, ["has no folder Nowhere"]),
        ({"smtp_security": "ssl"}, ["smtp_security is tls, starttls or none"]),
        ({"imap_port": "many"}, ["imap_port is a number"]),
        ({"smtp_host": ""}, ["No outgoing server"]),
        ({"address": "somebody"}, ["is no e-mail address"]),
        ({"api_url": ""}, ["private network", "private network"]),
        ({"api_url": "", "smtp_host": "mail.nowhere.test"}, ["mail.nowhere.test is not known", "private network"]),
    ],
)
async def test_what_is_wrong_is_said_in_plain_words(servers, more, words):
    found = await checked(servers, **more)

    assert len(found.problems) == len(words)
    assert all(word in problem for word, problem in zip(words, found.problems, strict=True))
    assert not any("wrong" in problem or PASSWORD in problem for problem in found.problems)


class Shelf:
    """Where mail is stored. `falls`: the process dies before it has stored the next batch."""

    def __init__(self, cursor="", falls=False):
        self.cursor, self.stored, self.falls = cursor, {}, falls
        self.changed = asyncio.Condition()

    async def store(self, batch, cursor):
        if batch and self.falls:
            raise asyncio.CancelledError
        async with self.changed:
            self.stored |= dict(batch)
            self.cursor = cursor
            self.changed.notify_all()

    async def until(self, holds):
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(holds)

    @property
    def subjects(self):
        return [line for raw in self.stored.values() for line in raw.split(b"\r\n") if line.startswith(b"Subject:")]


@contextlib.asynccontextmanager
async def listening(adapter, shelf):
    task = asyncio.create_task(adapter.listen(shelf.cursor, shelf.store))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Retryable):
            await task


def put(servers, subject, body="hello", *, folder="INBOX"):
    """A mail that lies in Eva's mailbox, whoever brought it there."""
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "Carl <carl@kund.example>", subject, f"<{subject}@kund.example>"
    mail.set_content(body)
    with imaplib.IMAP4("127.0.0.1", servers.imap) as box:
        box.login(ADDRESS, PASSWORD)
        box.append(folder, None, None, mail.as_bytes())


def flags(servers, subject):
    with imaplib.IMAP4("127.0.0.1", servers.imap) as box:
        box.login(ADDRESS, PASSWORD)
        box.select(readonly=True)
        number = box.search(None, "SUBJECT", subject)[1][0].decode()
        return box.fetch(number, "(FLAGS)")[1][0]


async def test_only_what_comes_from_now_on_is_taken_in(servers):
    put(servers, "old-one")
    shelf = Shelf()

    async with listening(an_adapter(servers), shelf):
        await shelf.until(lambda: shelf.cursor)
        put(servers, "new-one")
        await shelf.until(lambda: shelf.stored)

    assert shelf.subjects == [b"Subject: new-one"]


async def test_what_came_while_nobody_listened_is_taken_in_and_marked_as_read(servers):
    shelf = Shelf()
    async with listening(an_adapter(servers), shelf):
        await shelf.until(lambda: shelf.cursor)
    put(servers, "while-away")

    async with listening(an_adapter(servers), shelf):
        await shelf.until(lambda: shelf.stored)
        put(servers, "next-one")
        await shelf.until(lambda: len(shelf.stored) == 2)

    assert shelf.subjects == [b"Subject: while-away", b"Subject: next-one"]
    assert b"Seen" in flags(servers, "while-away")


async def test_what_was_not_stored_comes_again_and_is_not_marked(servers):
    shelf = Shelf()
    async with listening(an_adapter(servers), shelf):
        await shelf.until(lambda: shelf.cursor)
    shelf.falls = True
    put(servers, "fallen")
    async with listening(an_adapter(servers), shelf) as task:
        await asyncio.wait([task], timeout=20)
    unmarked = flags(servers, "fallen")
    shelf.falls = False

    async with listening(an_adapter(servers, mark_read="no"), shelf):
        await shelf.until(lambda: shelf.stored)

    assert b"Seen" not in unmarked
    assert shelf.subjects == [b"Subject: fallen"]
    assert b"Seen" not in flags(servers, "fallen")


async def test_after_the_server_numbered_anew_the_last_two_weeks_are_read_again(servers):
    put(servers, "before-the-change")
    shelf = Shelf(cursor="1:99999")

    async with listening(an_adapter(servers), shelf):
        await shelf.until(lambda: shelf.stored)

    assert b"Subject: before-the-change" in shelf.subjects
    assert not shelf.cursor.startswith("1:")


async def test_of_a_mail_that_is_too_large_the_head_is_taken(servers):
    adapter, shelf = an_adapter(servers), Shelf()
    adapter.body_limit = 3_000
    async with listening(adapter, shelf):
        await shelf.until(lambda: shelf.cursor)
        put(servers, "enormous", "x" * 70 + "\r\n" + "y\r\n" * 3_000)
        await shelf.until(lambda: shelf.stored)
    (message,) = adapter.parse(next(iter(shelf.stored.values())))

    assert isinstance(message, InboundMessage)
    assert message.details["subject"] == "enormous"
    assert message.text.startswith("This mail is too large to be taken in")


async def test_a_change_of_settings_ends_the_watch(servers):
    adapter, shelf = an_adapter(servers), Shelf()
    async with listening(adapter, shelf) as task:
        await shelf.until(lambda: shelf.cursor)
        await adapter.close()
        done, _ = await asyncio.wait([task], timeout=10)

    assert done
    assert isinstance(task.exception(), Retryable)


async def test_what_was_sent_can_be_looked_up_and_what_was_not_leaves_doubt(servers):
    adapter = an_adapter(servers)
    part = OutboundPart(4711, THREAD, "Hello", address="carl@kund.test")
    receipt = await adapter.send(part)

    assert (await adapter.look_up(part)).external_id == receipt.external_id
    with pytest.raises(Exception, match="no copy of it"):
        await adapter.look_up(OutboundPart(4712, THREAD, "Hello", address="carl@kund.test"))


async def test_a_copy_in_sent_is_there_once(servers):
    adapter = an_adapter(servers)
    for _ in range(2):
        receipt = await adapter.send(OutboundPart(4713, THREAD, "Hello", address="carl@kund.test"))

    with imaplib.IMAP4("127.0.0.1", servers.imap) as box:
        box.login(ADDRESS, PASSWORD)
        box.select("Sent", readonly=True)
        assert len(box.search(None, "HEADER", "Message-ID", receipt.external_id)[1][0].split()) == 1


async def test_a_mail_is_sent_although_its_copy_cannot_be_kept(servers):
    adapter = an_adapter(servers, imap_port="2525")

    assert await adapter.send(OutboundPart(4714, THREAD, "Hello", address="carl@kund.test"))
