"""The visitor's pages: who may come in, which sites may show them, and the form without scripts."""

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from channels_adapters.adapters.webchat import limits
from conversations.models import Inbox, Message
from tests.channels_adapters.webchat.chat import make_chat

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_newcomer_gets_a_cookie_that_scripts_cannot_read_for_this_chat_alone(chat):
    answer = Client().get(chat.page)

    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path={chat.page}" in cookie


def test_over_https_the_cookie_works_in_a_frame(chat, settings):
    settings.USE_HTTPS = True

    cookie = Client().get(chat.page).headers["Set-Cookie"]

    assert cookie.endswith("; HttpOnly; SameSite=None; Secure; Partitioned")


def test_newcomers_from_one_address_are_asked_to_wait(transactional_db):
    chat = make_chat(new_visitors="3")
    for _ in range(3):
        assert Client().get(chat.page).status_code == 200

    answer = Client().get(chat.page)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(limits.RETRY_AFTER)
    assert "Set-Cookie" not in answer.headers
    assert Client(REMOTE_ADDR="192.0.2.7").get(chat.page).status_code == 200


def test_who_is_known_is_never_asked_to_wait(transactional_db):
    chat = make_chat(new_visitors="1")

    for _ in range(5):
        assert chat.get().status_code == 200


def test_any_site_may_show_the_chat_when_none_is_named(chat):
    answer = chat.get()

    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers


def test_only_named_sites_may_show_the_chat(transactional_db):
    chat = make_chat(allowed_sites="https://shop.example, nonsense; script-src *")

    policy = chat.get().headers["Content-Security-Policy"]

    assert "frame-ancestors 'self' https://shop.example;" in f"{policy};"


@pytest.mark.parametrize("path", ["", "messages", "files/abc"])
def test_an_inbox_of_another_channel_has_no_chat(chat, path, toy):
    with scopes_disabled():
        Inbox.objects.filter(pk=chat.inbox.pk).update(channel="toy")

    assert chat.get(path).status_code == 404


def test_a_chat_that_is_paused_says_so(chat):
    with scopes_disabled():
        Inbox.objects.filter(pk=chat.inbox.pk).update(state=Inbox.State.PAUSED)

    answer = chat.get()

    assert answer.status_code == 503
    assert b"closed at the moment" in answer.content


def test_the_form_works_without_scripts(chat, running):
    browser = Client()
    browser.cookies["visitor"] = chat.token

    answer = browser.post(f"{chat.page}send", {"text": "no scripts here", "cid": "c1", "name": "Ada"}, follow=True)

    assert b"no scripts here" in answer.content


def test_the_form_keeps_a_text_that_was_not_taken(chat, running):
    browser = Client()
    browser.cookies["visitor"] = chat.token

    answer = browser.post(f"{chat.page}send", {"text": "y" * 10_001, "cid": "c1"})

    assert answer.status_code == 413
    assert b"10,001" in answer.content
    assert b"y" * 10_001 in answer.content
    with scopes_disabled():
        assert not Message.objects.exists()


def test_the_form_is_refused_to_strangers_and_other_sites(chat, running):
    known = Client(enforce_csrf_checks=True)
    known.cookies["visitor"] = chat.token

    assert Client().post(f"{chat.page}send", {"text": "hi", "cid": "c1"}).status_code == 403
    assert known.post(f"{chat.page}send", {"text": "hi", "cid": "c1"}).status_code == 403


def test_the_widget_is_one_small_script_that_any_site_may_load(client):
    answer = client.get("/widget.js")

    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(answer.content) < 20_000


def test_the_demo_shop_shows_the_first_live_chat(chat, client):
    make_chat()

    assert f'data-inbox="{chat.inbox.key}"' in client.get("/demo/").content.decode()


def test_the_demo_shop_says_that_there_is_no_chat(client, db):
    answer = client.get("/demo/")

    assert answer.status_code == 404
    assert b"No web chat is live yet" in answer.content
