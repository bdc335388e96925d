"""What a visitor is shown: their own thread, escaped, and nothing of anybody else."""

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape
from django_scopes import scope, scopes_disabled

from channels_adapters.adapters.webchat import history, visitors
from conversations import acts, deliveries, desk, inbound_changes
from conversations.models import Delivery, Note
from conversations.normalized import Deletion, Edit
from crm.workspace import clock
from tests.channels_adapters.webchat.chat import make_chat, other_visitor
from tests.factories import make_member

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_cursors_are_compared_from_left_to_right():
    assert history.read_cursor("2.1") > history.read_cursor("1.9")
    assert history.read_cursor("1.10") > history.read_cursor("1.9")


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_what_an_agent_changes_or_takes_back_is_so_for_the_visitor(chat, kind):
    chat.write("Where is my lamp?")
    answer = chat.answer("It left on Monday")
    with scope(workspace=chat.inbox.workspace):
        if kind == "edit":
            acts.edit(answer, "It leaves today", by=answer.author)
        else:
            acts.delete(answer, by=answer.author)
        (act,) = deliveries.claim(1)
        deliveries.sent(act, "")

    page = chat.get("messages").content.decode()

    assert "It left on Monday" not in page
    assert ("It leaves today" if kind == "edit" else "This message was removed") in page


def test_an_act_of_ours_is_no_unread_message(chat):
    chat.write()
    answer = chat.answer("It left on Monday")
    with scopes_disabled():
        Delivery.objects.update(read_at=clock.now())
    with scope(workspace=chat.inbox.workspace):
        acts.edit(answer, "It leaves today", by=answer.author)

    assert b"data-unread" not in chat.get("messages").content
