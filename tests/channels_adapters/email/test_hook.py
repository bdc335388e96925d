"""Mail that is posted to us: proved by a secret, kept with its envelope, known again by whatever way it comes."""

import pytest

from channels_adapters.adapters.email import EmailAdapter
from channels_adapters.adapters.email.tokens import Tokens
from channels_adapters.contract import HookRequest, WebhookRejected
from conversations.normalized import OptedOut

MAIL = (
    b"From: Carl <carl@kund.example>\r\nTo: help@open.example\r\nMessage-ID: <m1@kund.example>\r\nDate: x\r\n\r\nHi\r\n"
)
SETTINGS = {"address": "help@open.example", "hook_secret": "posted", "token_secret": "s"}


def an_adapter(**more):
    return EmailAdapter({**SETTINGS, **more})


def a_request(body=MAIL, *, query="", method="POST", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(method, "/hooks/x/", query, named, body)


@pytest.mark.parametrize("headers", [{"authorization": "Bearer posted"}, {"x_hook_secret": "posted"}])
def test_mail_with_the_secret_is_taken(headers):
    an_adapter().authenticate(a_request(**headers))


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "posted"}, {"x_hook_secret": "pösted"}]
)
def test_mail_without_the_secret_is_refused(headers):
    with pytest.raises(WebhookRejected) as refusal:
        an_adapter().authenticate(a_request(**headers))
    assert refusal.value.status == 401


def test_an_inbox_without_a_secret_takes_none():
    with pytest.raises(WebhookRejected):
        an_adapter(hook_secret="").authenticate(a_request(authorization="Bearer "))


def test_the_envelope_is_kept_on_top():
    kept = an_adapter().keep(a_request(query="from=&to=help%2Bx@open.example,info@open.example"))

    assert kept.startswith(
        b"Return-Path: <>\r\nDelivered-To: help+x@open.example\r\nDelivered-To: info@open.example\r\nFrom:"
    )


def test_the_envelope_adds_no_other_lines():
    kept = an_adapter().keep(a_request(query="from=a%0d%0aX-Evil:1", x_envelope_to="b\r\n\r\nbody"))

    assert kept == b"Return-Path: <aX-Evil:1>\r\nDelivered-To: bbody\r\n" + MAIL


def test_mail_of_the_null_sender_is_a_machine_s():
    adapter = an_adapter()

    (message,) = adapter.parse(adapter.keep(a_request(query="from=")))

    assert message.flags == ("auto_reply",)


def test_a_thread_is_named_by_the_envelope_when_no_header_does():
    adapter, thread = an_adapter(), "abcdefghijklmnop"

    (message,) = adapter.parse(adapter.keep(a_request(query=f"to=help%2B{Tokens('s').tag(thread)}@open.example")))

    assert message.thread_id == thread


def test_a_mail_is_known_again_by_whatever_way_it_comes():
    adapter = an_adapter()
    direct, by_a_list = MAIL, b"Received: from list\r\n" + MAIL.replace(b"Hi", b"Hi\r\n-- \r\nthe list")

    assert (
        adapter.delivery_id(direct)
        == adapter.delivery_id(by_a_list)
        == adapter.delivery_id(adapter.keep(a_request(query="from=carl@kund.example")))
    )


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"m1@", b"m2@"),
        MAIL.replace(b"carl@", b"eva@"),
        MAIL.replace(b"Date: x", b"Date: y"),
    ],
)
def test_another_mail_is_another_delivery(other):
    assert an_adapter().delivery_id(MAIL) != an_adapter().delivery_id(other)


@pytest.mark.parametrize("line", [b"", b"Message-ID: <1@localhost>\r\n", b"Message-ID: nothing\r\n"])
def test_without_a_good_id_mails_differ_by_what_they_say(line):
    adapter, one = an_adapter(), MAIL.replace(b"Message-ID: <m1@kund.example>\r\n", line)
    other = one.replace(b"Hi", b"Ho")

    assert adapter.delivery_id(one) == adapter.delivery_id(one) != adapter.delivery_id(other)
    assert adapter.parse(one)[0].external_id != adapter.parse(other)[0].external_id


@pytest.mark.parametrize("body", [b"", b"{}", b"hello", b"\r\n\r\n", b"<html>", b"X-Nothing: 1\r\n\r\nx"])
def test_what_is_no_mail_is_refused(body):
    with pytest.raises(WebhookRejected) as refusal:
        an_adapter().delivery_id(body)
    assert refusal.value.status == 400


def test_a_link_that_we_made_unsubscribes():
    adapter, query = an_adapter(), f"unsubscribe={Tokens('s').link('Carl@kund.example')}"
    asked, pressed = a_request(b"", query=query, method="GET"), a_request(b"List-Unsubscribe=One-Click", query=query)

    for request in (asked, pressed):
        adapter.authenticate(request)
    page = adapter.answer(asked)
    kept = adapter.keep(pressed)
    (event,) = adapter.parse(kept)

    assert page.status == 200
    assert b"carl@kund.example" in page.body
    assert b'method="post"' in page.body
    assert adapter.answer(pressed) is None
    assert adapter.delivery_id(kept)
    assert isinstance(event, OptedOut)
    assert (event.sender.address, event.is_out) == ("carl@kund.example", True)


@pytest.mark.parametrize(
    "token", ["", "x", "Y2FybEBrdW5kLmV4YW1wbGU.aaaaaaaaaaaaaaaa", Tokens("other").link("carl@kund.example")]
)
def test_a_link_that_somebody_made_up_does_nothing(token):
    request = a_request(b"", query=f"unsubscribe={token}")

    with pytest.raises(WebhookRejected):
        an_adapter().authenticate(request)


def test_a_page_cannot_be_made_to_show_markup():
    query = f"unsubscribe={Tokens('s').link('<script>@kund.example')}"

    assert b"<script>" not in an_adapter().answer(a_request(b"", query=query, method="GET")).body


def test_mail_to_the_address_that_unsubscribes_does():
    tag = Tokens("s").tag("abcdefghijklmnop", leaves=True)

    (event,) = an_adapter().parse(MAIL.replace(b"help@", f"help+{tag}@".encode()))

    assert isinstance(event, OptedOut)
    assert event.sender.address == "carl@kund.example"


def test_the_settings_page_shows_how_mail_is_posted():
    places = dict(an_adapter().places("https://desk.example", "k1"))

    assert (
        "https://desk.example/hooks/k1/?from=${sender}&to=${recipient}" in places["A mail server posts mail here with"]
    )
    assert "posted" not in places["A mail server posts mail here with"].replace("is posted", "")
