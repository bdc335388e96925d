"""Mail that was made to hurt: it is read within limits, or shown with its head, and never stops the others."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels_adapters.adapters.email import EmailAdapter
from channels_adapters.contract import Refused, Unreadable
from channels_adapters.mailreading import children

HEAD = b"From: Carl <carl@kund.example>\r\nTo: help@open.example\r\nSubject: Hej\r\nMessage-ID: <h1@kund.example>\r\n"
GOOD = HEAD + b"\r\nhello\r\n"


@pytest.fixture
def adapter():
    return EmailAdapter({"address": "help@open.example"})


def deep(levels):
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return HEAD + opened + b"Content-Type: text/plain\r\n\r\nthe bottom\r\n"


HOSTILE = {
    "40 levels deep": deep(40),
    "5,000 levels deep": deep(5_000),
    "100,000 parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
    "a header of 5 MB": HEAD + b"X-Long: " + b"a" * 5_000_000 + b"\r\n\r\nhello",
    "100,000 headers": HEAD + b"X-Many: 1\r\n" * 100_000 + b"\r\nhello",
    "100,000 recipients": HEAD + b"Cc: " + b"a@b.example, " * 100_000 + b"\r\n\r\nhello",
    "brackets in From": b"From: " + b"<" * 5_000 + b"a@b.example\r\nSubject: x\r\n\r\nhello",
    "comments in From": b"From: " + b"(" * 5_000 + b" a@b.example\r\nSubject: x\r\n\r\nhello",
    "encoded words": b"Subject: " + b"=?utf-8?q?=C3?= " * 50_000 + b"\r\nFrom: a@b.example\r\n\r\nhello",
    "references": HEAD + b"References: " + b"<a@b.example> " * 100_000 + b"\r\n\r\nhello",
    "quoted lines": HEAD + b"\r\n" + b"> " * 200_000 + b"\r\nOn " * 50_000 + b"wrote:\r\n",
    "one line of 3 MB": HEAD + b"\r\nOn " + b"On a wrote " * 300_000,
    "blank lines": HEAD + b"\r\nhello" + b"\r\n" * 1_000_000 + b"-- \r\n",
    "deep HTML": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"hello",
    "deep quotes": HEAD + b"Content-Type: text/html\r\n\r\n" + b'<blockquote type="cite">' * 3_000 + b"hello",
    "wide HTML": HEAD + b"Content-Type: text/html\r\n\r\n<table>" + b"<tr><td>x" * 50_000,
    "a calendar": HEAD + b"Content-Type: text/calendar\r\n\r\n" + b"BEGIN:VCALENDAR\r\n" * 20_000,
    "a charset of Python": HEAD + b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\u0041",
    "a charset of bytes": HEAD + b"Content-Type: text/plain; charset=zlib\r\n\r\nhello",
    "an encoding of its own": HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n" + b"M" * 100_000,
    "a name in pieces": HEAD
    + b"Content-Type: text/csv; "
    + b"".join(b"name*%d*=%%;" % n for n in range(5_000))
    + b"\r\n\r\n",
    "every byte": HEAD + b"\r\n" + bytes(range(256)) * 1_000,
}


@pytest.mark.parametrize("mail", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mail_is_taken_in_with_its_sender(adapter, mail):
    (message,) = adapter.parse(mail)

    assert message.sender.address in ("carl@kund.example", "a@b.example")
    assert message.text or message.attachments
    assert "\x00" not in message.text
    assert adapter.parse(GOOD)[0].text == "hello"


def test_a_mail_that_takes_too_long_is_shown_with_its_head_and_its_child_replaced(adapter, monkeypatch):
    monkeypatch.setattr(children, "TIME", 0.05)
    slow = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200_000

    (message,) = adapter.parse(slow)

    assert message.text == "This mail could not be taken apart. It is attached as it came."
    assert message.details["subject"] == "Hej"
    (whole,) = message.attachments
    monkeypatch.setattr(children, "TIME", 30)
    assert adapter.unpack(slow, whole.external_id, len(slow)) == slow
    assert adapter.parse(GOOD)[0].text == "hello"


def test_a_mail_of_which_not_even_the_head_can_be_read_is_parked(adapter, monkeypatch):
    monkeypatch.setattr(children, "TIME", -1.0)

    with pytest.raises(Unreadable, match="takes too long"):
        adapter.parse(GOOD)
    monkeypatch.undo()
    assert adapter.parse(GOOD)[0].text == "hello"


def test_a_child_that_wants_too_much_memory_is_replaced(monkeypatch):
    monkeypatch.setattr(children, "MEMORY", 200 * 1024 * 1024)
    child = children._Child()
    try:
        problem, _ = child.ask({"do": "read"}, HEAD + b"\r\n" + b"a\r\n" * 2_000_000)
    finally:
        child.end()

    assert problem == "it needs too much memory"
    assert children.read(GOOD).text == "hello"


def test_a_child_that_was_killed_is_replaced():
    children.read(GOOD)
    idle = children._idle.get()
    os.kill(idle._running.pid, 9)
    children._idle.put(idle)

    assert children.read(GOOD).text == "hello"


def test_children_are_used_again_and_are_few():
    with ThreadPoolExecutor(8) as pool:
        assert {letter.text for letter in pool.map(children.read, [GOOD] * 200)} == {"hello"}

    assert children._made <= children.CHILDREN


def test_a_mail_costs_little():
    children.read(GOOD)

    began = time.process_time()
    for _ in range(100):
        children.read(GOOD)

    assert time.process_time() - began < 1.0  # a hundredth of a second each, of ours


def test_a_file_that_is_too_large_or_gone_is_refused(adapter):
    mail = HEAD + b"Content-Type: application/pdf\r\n\r\n%PDF-1.4\r\n"
    (file,) = adapter.parse(mail)[0].attachments

    assert adapter.unpack(mail, file.external_id, 100) == b"%PDF-1.4\r\n"
    with pytest.raises(Refused, match="larger"):
        adapter.unpack(mail, file.external_id, 3)
    with pytest.raises(Refused, match="no such file"):
        adapter.unpack(mail, "0.7", 100)
