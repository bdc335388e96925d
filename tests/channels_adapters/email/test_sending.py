"""What an outgoing server says, and what it means for a mail: not sent, never sent, or nobody knows."""

import email
import re
from datetime import UTC, datetime
from email.policy import default

import pytest

from channels_adapters.adapters.email import EmailAdapter
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from tests.channels_adapters.email.fake_smtp import DROP, HANG, fake_smtp

THREAD = "abcdefghijklmnop"
ANSWERS = {"subject": "Order 7", "answer_to": "Carl@kund.example", "references": ["r1@kund.example", "r2@kund.example"]}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def server():
    async with fake_smtp() as (orders, settings):
        yield orders, settings


def an_adapter(server, **more):
    made = EmailAdapter(
        {"address": "help@open.example", "from_name": "Open Help", "token_secret": "s", **server[1], **more}
    )
    made.smtp_seconds, made.send_seconds = 2, 3
    return made


def a_part(**facts):
    known = {"delivery_id": 7, "thread_id": THREAD, "text": "Hello", "address": "carl@kund.example"}
    return OutboundPart(**{**known, "wanted_at": datetime(2026, 8, 20, 10, tzinfo=UTC), **facts})


def taken(server):
    return email.message_from_bytes(server[0].taken[-1].content, policy=default)


async def test_an_answer_carries_what_its_thread_is_found_by(server):
    receipt = await an_adapter(server).send(a_part(answers=ANSWERS))

    mail = taken(server)
    assert mail["Message-ID"] == f"<{receipt.external_id}>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<r2@kund.example>", "<r1@kund.example> <r2@kund.example>")
    assert (mail["Subject"], mail["To"], mail["From"]) == (
        "Re: Order 7",
        "Carl@kund.example",
        "Open Help <help@open.example>",
    )
    assert re.fullmatch(rf"Open Help <help\+{THREAD}[a-z2-7]{{16}}@open\.example>", mail["Reply-To"])
    assert mail["Date"].datetime == datetime(2026, 8, 20, 10, tzinfo=UTC)
    assert "Auto-Submitted" not in mail
    assert "List-Unsubscribe" not in mail


async def test_a_part_that_is_sent_again_is_the_same_mail(server):
    adapter = an_adapter(server)

    first, second = await adapter.send(a_part()), await adapter.send(a_part())
    other = await adapter.send(a_part(delivery_id=8))

    assert first.external_id == second.external_id != other.external_id


async def test_what_was_answered_once_is_not_marked_as_an_answer_twice(server):
    for subject, expected in (("Re: x", "Re: x"), ("SV: x", "SV: x"), ("Aw[2]: x", "Aw[2]: x"), ("回复：x", "回复：x")):
        await an_adapter(server).send(a_part(answers={"subject": subject}))
        assert taken(server)["Subject"] == expected


async def test_no_line_of_a_customer_becomes_a_header(server):
    answers = {
        "subject": "x\r\nBcc: all@kund.example",
        "references": ["a>\r\nBcc: all@kund.example", "good@kund.example"],
    }

    await an_adapter(server, from_name="A\r\nBcc: b@kund.example").send(a_part(answers=answers))

    mail = taken(server)
    assert "Bcc" not in mail
    assert mail["References"] == "<good@kund.example>"
    assert server[0].taken[-1].rcpt_tos == ["carl@kund.example"]


async def test_a_copy_goes_to_those_who_had_the_mail_too(server):
    server[0].unknown = ("gone@kund.example",)
    copied = ("bo@kund.example", "gone@kund.example", "carl@kund.example", "no address", "x@y\r\nBcc: z@kund.example")

    await an_adapter(server).send(a_part(copy_to=copied))

    assert taken(server)["Cc"] == "bo@kund.example, gone@kund.example"
    assert server[0].taken[-1].rcpt_tos == [
        "carl@kund.example",
        "bo@kund.example",
    ]


async def test_without_plus_addresses_answers_come_to_the_address_itself(server):
    receipt = await an_adapter(server, plus_addresses="no").send(a_part())

    assert "Reply-To" not in taken(server)
    assert THREAD in receipt.external_id


async def test_text_has_its_page_pictures_are_in_it_and_files_under_it(server):
    files = (OutboundFile("räkning.pdf", "application/pdf", b"%PDF"), OutboundFile("cat.png", "image/png", PNG))
    files += (OutboundFile("a.eml", "message/rfc822", b"x"), OutboundFile("n\r\nX: 1.txt", "text/plain", "å".encode()))

    await an_adapter(server).send(a_part(text="1 < 2 & så\nhttps://x.example/?a=1&b=2.", files=files))

    mail = taken(server)
    assert mail.get_body(("plain",)).get_content().split() == "1 < 2 & så https://x.example/?a=1&b=2.".split()
    page = mail.get_body(("html",)).get_content()
    assert "1 &lt; 2 &amp; så<br>" in page
    assert '<a href="https://x.example/?a=1&amp;b=2">' in page
    found = {part.get_filename(): part.get_payload(decode=True) for part in mail.walk() if part.get_filename()}
    assert found == {"räkning.pdf": b"%PDF", "cat.png": PNG, "a.eml": b"x", "n X: 1.txt": "å".encode()}
    assert all(len(line) < 999 for line in server[0].taken[-1].content.split(b"\r\n"))


async def test_only_machines_say_that_they_are_machines(server):
    await an_adapter(server).send(a_part(by_machine=True, answers=ANSWERS))
    assert (taken(server)["Auto-Submitted"], taken(server)["X-Auto-Response-Suppress"]) == ("auto-replied", "All")

    await an_adapter(server).send(a_part(by_machine=True))
    assert taken(server)["Auto-Submitted"] == "auto-generated"


async def test_no_machine_answers_a_machine(server):
    with pytest.raises(Refused, match="no machine answers"):
        await an_adapter(server).send(a_part(by_machine=True, answers={"flags": ["auto_reply"]}))
    assert server[0].taken == []


async def test_news_can_be_unsubscribed_with_one_click_and_by_mail(server):
    hook = "https://desk.example/hooks/abc/"
    await an_adapter(server, hook_url=hook).send(a_part(purpose="marketing"))

    by_link, by_mail = taken(server)["List-Unsubscribe"].split(", ")
    assert by_link.startswith(f"<{hook}?unsubscribe=")
    assert by_mail.startswith("<mailto:help+u")
    assert taken(server)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_without_https_there_is_no_one_click(server):
    await an_adapter(server, hook_url="http://desk.example/hooks/abc/").send(a_part(purpose="marketing"))

    assert "List-Unsubscribe-Post" not in taken(server)
    assert taken(server)["List-Unsubscribe"].startswith("<mailto:")


@pytest.mark.parametrize(
    "orders, reason",
    [
        ({"rcpt": "550 5.1.1 no such user"}, "the address carl@kund.example takes no mail: no such user"),
        ({"rcpt": "553 5.1.3 bad address"}, "takes no mail"),
        ({"mail": "550 5.7.1 not your address"}, "unwanted or not allowed: not your address"),
        ({"data": "554 5.7.1 looks like spam"}, "unwanted or not allowed: looks like spam"),
        ({"data": "552 5.3.4 too big"}, "the mail is too large"),
        ({"data": "571 never"}, "refuses it: never"),
    ],
)
async def test_a_no_for_good_is_said_in_plain_words(server, orders, reason):
    vars(server[0]).update(orders)

    with pytest.raises(Refused, match=reason):
        await an_adapter(server).send(a_part())


@pytest.mark.parametrize(
    "orders, wait",
    [
        ({"rcpt": "450 4.2.0 greylisted"}, 300),
        ({"rcpt": "451 4.7.1 later"}, 300),
        ({"mail": "421 4.3.2 shutting down"}, 300),
        ({"data": "452 4.3.1 disk is full"}, None),
    ],
)
async def test_a_not_now_is_tried_again(server, orders, wait):
    vars(server[0]).update(orders)

    with pytest.raises(Retryable) as failure:
        await an_adapter(server).send(a_part())
    assert failure.value.retry_after == wait


async def test_a_connection_that_breaks_before_the_mail_left_is_tried_again(server):
    server[0].rcpt = DROP

    with pytest.raises(Retryable):
        await an_adapter(server).send(a_part())
    assert server[0].taken == []


@pytest.mark.parametrize("end", [DROP, HANG])
async def test_a_connection_that_breaks_after_the_mail_left_leaves_doubt(server, end):
    server[0].data = end

    with pytest.raises(Uncertain, match="before it said that it has the mail"):
        await an_adapter(server).send(a_part())


async def test_what_is_too_large_for_the_server_is_not_sent(server):
    server[0].size = 1024 * 1024

    with pytest.raises(Refused, match=r"too large: 127\.0\.0\.1 takes 1 MB at most"):
        await an_adapter(server).send(a_part(files=(OutboundFile("x", "application/pdf", bytes(1024 * 1024)),)))
    assert server[0].taken == []


async def test_a_wrong_password_waits_for_somebody_to_mend_it(server):
    server[0].login = False

    with pytest.raises(Retryable, match="does not accept the login") as failure:
        await an_adapter(server, username="help@open.example", password="wrong").send(a_part())
    assert failure.value.retry_after >= 300
    assert "wrong" not in failure.value.reason


async def test_letters_of_every_script_reach_addresses_of_every_script(server):
    await an_adapter(server).send(a_part(address="åsa@bücher.example"))

    assert server[0].taken[-1].rcpt_tos == ["åsa@xn--bcher-kva.example"]
    assert "SMTPUTF8" in server[0].taken[-1].mail_options


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nRCPT TO:<x@y.example>", "a b@c.example"])
async def test_what_is_no_address_is_refused(server, address):
    with pytest.raises(Refused, match="no address"):
        await an_adapter(server).send(a_part(address=address))


async def test_without_an_outgoing_server_the_reason_says_so():
    with pytest.raises(Retryable, match="no outgoing server"):
        await EmailAdapter({"address": "help@open.example"}).send(a_part())


async def test_a_server_in_a_private_network_is_called_only_when_the_command_line_names_it(server):
    with pytest.raises(Retryable, match="private network"):
        await an_adapter(server, api_url="").send(a_part())
    assert server[0].sessions == 0


async def test_a_port_that_is_none_of_mail_is_not_called(server):
    with pytest.raises(Retryable, match="port 22 is none of a mail server"):
        await an_adapter(server, smtp_port="22").send(a_part())


async def test_nobody_listens_is_tried_again(server):
    with pytest.raises(Retryable, match="could not be reached on port 2525"):
        await an_adapter(server, smtp_port="2525").send(a_part())


async def test_tls_with_a_server_that_has_none_says_what_to_change(server):
    with pytest.raises(Retryable, match=r"does not speak TLS|lacks what we need|could not be reached|took too long"):
        await an_adapter(server, smtp_security="tls").send(a_part())
    with pytest.raises(Retryable, match=r"lacks what we need|answered"):
        await an_adapter(server, smtp_security="starttls").send(a_part())


async def test_nobody_can_say_whether_a_mail_arrived_without_a_mailbox(server):
    with pytest.raises(Uncertain):
        await an_adapter(server).look_up(a_part())
