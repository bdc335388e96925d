"""What a visitor is shown: their own thread, escaped, and nothing of anybody else."""

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape
from django_scopes import scope, scopes_disabled

from channels_adapters.adapters.webchat import history, limits, visitors
from conversations import desk, inbound_changes
from conversations.models import Delivery, Inbox, Message, Note
from conversations.normalized import Deletion, Edit
from crm.workspace import clock
from tests.channels_adapters.webchat.chat import make_chat, other_visitor
from tests.factories import make_member

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


def test_history_is_there_after_a_reload_by_cookie(chat):
    chat.write("Where is my lamp?")
    browser = Client()
    browser.cookies["visitor"] = chat.token

    page = browser.get(chat.page).content.decode()

    assert "Where is my lamp?" in page
    assert chat.visitor in page


def test_history_is_there_by_the_header_where_cookies_are_blocked(chat):
    chat.write("Where is my lamp?")

    answer = chat.get("messages")

    assert b"Where is my lamp?" in answer.content
    assert f"visitor={chat.visitor}:" in answer.headers["Set-Cookie"].replace('"', "")


def test_a_visitor_never_sees_another_visitor_s_messages(chat):
    chat.write("My secret order")
    chat.answer("About your secret order")

    stranger = other_visitor(chat)

    assert b"secret" not in stranger.get("messages").content
    assert b"secret" not in stranger.get().content


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "é"])
def test_a_token_that_is_not_ours_is_refused(chat, token):
    chat.write()

    answer = Client().get(f"{chat.page}messages", headers={"x-visitor": token.encode().decode("latin-1")})

    assert answer.status_code == 403
    assert b"lamp" not in answer.content


def test_a_token_of_another_inbox_is_refused(chat):
    elsewhere = make_chat(chat.inbox.workspace)

    assert chat.get("messages", **{"x-visitor": elsewhere.token}).status_code == 403


def test_a_token_that_nobody_used_for_a_year_is_refused():
    with time_machine.travel("2026-01-01", tick=False):
        token = visitors.token_for(visitors.new(), "key")
        assert visitors.read(token, "key")

    with time_machine.travel("2027-01-02", tick=False):
        assert visitors.read(token, "key") is None


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</div><h1>", "{{7*7}}"])
def test_what_is_written_is_shown_as_written(chat, text):
    chat.write(text, external_id="c1")
    chat.answer(f"You wrote {text}")

    page = chat.get("messages").content.decode()

    assert page.count(escape(text)) == 2
    assert not any(tag in page for tag in ("<script", "<img", "<h1"))


def test_a_link_of_a_script_in_an_answer_is_no_link(chat):
    chat.write()
    chat.answer("javascript:alert(1) https://shop.example/a")

    page = chat.get("messages").content.decode()

    assert 'href="https://shop.example/a"' in page
    assert 'href="javascript' not in page


def test_a_note_is_never_shown(chat):
    message = chat.write()
    with scope(workspace=chat.inbox.workspace):
        Note.objects.create(
            workspace=chat.inbox.workspace, conversation=message.conversation, seq=2, text="rude one", client_id="n1"
        )

    assert b"rude one" not in chat.get("messages").content


def test_an_answer_is_shown_with_its_agent_once_it_is_sent(chat):
    chat.write()
    chat.answer("It left today", is_sent=False)

    assert b"It left today" not in chat.get("messages").content

    with scopes_disabled():
        Delivery.objects.update(state=Delivery.State.SENT, sent_at=clock.now(), external_id="1")
    page = chat.get("messages").content
    assert b"It left today" in page
    assert b"Marek" in page


def test_an_answer_that_was_refused_is_not_shown(chat):
    chat.write()
    chat.answer("Buy more lamps", is_sent=False)
    with scopes_disabled():
        Delivery.objects.update(state=Delivery.State.REFUSED)

    assert b"Buy more lamps" not in chat.get("messages").content


def test_a_removed_message_is_shown_as_removed(chat):
    message = chat.write("Oh no", external_id="c1")
    inbound_changes.apply(Deletion(chat.visitor, message.external_id, clock.now()), chat.inbox)

    page = chat.get("messages").content

    assert b"Oh no" not in page
    assert b"removed" in page


def test_an_edited_message_shows_its_newest_text(chat):
    message = chat.write("Oh no", external_id="c1")
    inbound_changes.apply(Edit(chat.visitor, message.external_id, "Oh yes", clock.now()), chat.inbox)

    assert b"Oh yes" in chat.get("messages").content


def test_the_pull_starts_after_the_cursor_and_goes_back_a_little(chat):
    said = [chat.write(f"number {n:03}") for n in range(40)]
    cursor = f"{said[30].conversation_id}.{said[30].seq}"

    page = chat.get(f"messages?since={cursor}").content.decode()

    assert all(f"number {n:03}" in page for n in range(31, 40))
    assert "number 005" not in page
    assert f'data-cursor="{said[39].conversation_id}.{said[39].seq}"' in page


@pytest.mark.parametrize("since", ["", "x", "1", "-1.2", "9" * 40 + ".1", "1.1; DROP"])
def test_a_cursor_that_cannot_be_read_shows_the_newest(chat, since):
    chat.write("hello")

    answer = chat.get(f"messages?since={since}")

    assert answer.status_code == 200
    assert b"hello" in answer.content


def test_history_goes_on_over_conversations(chat):
    first = chat.write("the first matter")
    with scope(workspace=chat.inbox.workspace):
        desk.resolve(first.conversation, by=make_member(chat.inbox.workspace))
    second = chat.write("the second matter")

    page = chat.get("messages").content.decode()

    assert second.conversation_id != first.conversation_id
    assert page.index("the first matter") < page.index("the second matter")


def test_a_pull_marks_the_answer_delivered(chat):
    chat.write()
    chat.answer()

    chat.get("messages")

    with scopes_disabled():
        part = Delivery.objects.get()
    assert part.delivered_at is not None
    assert part.read_at is None


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


def test_cursors_are_compared_from_left_to_right():
    assert history.read_cursor("2.1") > history.read_cursor("1.9")
    assert history.read_cursor("1.10") > history.read_cursor("1.9")
