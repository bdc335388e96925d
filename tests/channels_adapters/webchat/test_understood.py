"""What a visitor sees of how their messages were understood."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.test import Client
from django_scopes import scope

from channels_adapters.adapters.webchat import visitors
from conversations import desk
from conversations.inbound import receive_message
from conversations.learning import consent
from conversations.learning.lessons import lessons
from conversations.models import Message
from conversations.normalized import InboundMessage, Sender
from crm.consent.models import Consent
from crm.models import Workspace
from crm.workspace import clock
from tests.channels_adapters.webchat.chat import Chat, other_visitor
from tests.factories import a_triage, make_member


def write(chat: Chat, text: str, **read) -> Message:
    inbound = InboundMessage(
        sender=Sender(chat.visitor, verified=False), text=text, external_id=f"c-{text}", thread_id=chat.visitor,
        at=clock.now(),
    )  # fmt: skip
    stored = receive_message(chat.inbox, inbound, triage=a_triage(**read))
    assert stored is not None
    return stored


def visitor(chat: Chat) -> Client:
    browser = Client()
    browser.cookies["visitor"] = chat.token
    return browser


def page(chat: Chat) -> str:
    answer = visitor(chat).get(f"{chat.page}understood/")
    assert answer.status_code == 200
    return answer.content.decode()


def proof(chat: Chat) -> str:
    """What the link in a frame carries."""
    found = re.search(r"proof=([^\"]+)", hosted(chat, "?embed"))
    assert found
    return unquote(found[1])


def hosted(chat: Chat, query: str = "") -> str:
    return visitor(chat).get(f"{chat.page}{query}").content.decode()


def test_a_visitor_reads_in_plain_words_how_they_were_understood_and_why(chat: Chat):
    write(chat, "Where is my order?", because=("where", "order"))

    shown = page(chat)

    assert "For those who help: order status." in shown
    assert '<q dir="auto">where</q>' in shown
    assert "0.94" not in shown  # figures are for agents


def test_what_triage_is_not_sure_of_is_said_to_be_with_a_person(chat: Chat):
    write(chat, "it is about the thing", confidence=0.3)

    assert "a person looks at it" in page(chat)


def test_what_an_agent_said_counts(chat: Chat):
    message = write(chat, "How much is it?")
    with scope(workspace=chat.inbox.workspace):
        by = make_member(chat.inbox.workspace)
        desk.correct(message, by=by, functions=["sales"], intent="pricing", sentiment=0)

    shown = page(chat)

    assert "For those who sell: pricing." in shown
    assert "One of us said so." in shown


def test_nobody_else_sees_it(chat: Chat):
    write(chat, "Where is my order?")

    assert "Where is my order?" not in Client().get(f"{chat.page}understood/").content.decode()
    assert Client().get(f"{chat.page}understood/").status_code == 403
    assert "You have not written yet" in page(other_visitor(chat))


@pytest.mark.parametrize("resolved", [False, True])
def test_a_visitor_who_says_no_teaches_nothing(chat: Chat, resolved: bool):
    message = write(chat, "How much is it?")
    with scope(workspace=chat.inbox.workspace):
        by = make_member(chat.inbox.workspace)
        consent.allow(Workspace.objects.get(pk=chat.inbox.workspace_id), by=by)
        desk.correct(message, by=by, functions=["sales"], intent="pricing", sentiment=0)
        if resolved:
            desk.resolve(message.conversation, by=by)
    before = page(chat)

    answer = visitor(chat).post(f"{chat.page}understood/teach/", {"may": "no", "proof": proof(chat)}, follow=True)

    with scope(workspace=chat.inbox.workspace):
        assert lessons(Workspace.objects.get(pk=chat.inbox.workspace_id)).number == 0
        assert Consent.objects.get().purpose == "learning"
    assert "Do not learn from my messages" in before
    assert "You said no" in answer.content.decode()


def test_in_a_frame_without_cookies_the_page_s_own_link_leads_there_and_back(chat: Chat):
    write(chat, "How much is it?")
    link = re.search(r'class="chat__link" href="([^"]+)"', hosted(chat, "?embed"))
    assert link

    shown = Client().get(unescape(link[1]))

    assert "How much is it?" in shown.content.decode()
    assert f'href="{chat.page}?embed"' in shown.content.decode()
    assert "X-Frame-Options" not in shown.headers


def test_in_a_frame_without_cookies_a_no_is_taken_too(chat: Chat):
    write(chat, "How much is it?")

    answer = Client().post(
        f"{chat.page}understood/teach/", {"may": "no", "proof": proof(chat), "embed": "1"}, follow=True
    )

    assert answer.status_code == 200
    assert f'href="{chat.page}?embed"' in answer.content.decode()
    with scope(workspace=chat.inbox.workspace):
        assert Consent.objects.get().purpose == "learning"


def test_the_address_of_the_hosted_page_gives_nobody_the_messages(chat: Chat):
    write(chat, "How much is it?")
    link = re.search(r'class="chat__link" href="([^"]+)"', hosted(chat))
    assert link

    said = visitor(chat).post(f"{chat.page}understood/teach/", {"may": "no", "proof": proof(chat)})

    assert (link[1], said["Location"]) == (f"{chat.page}understood/", f"{chat.page}understood/")
    assert Client().get(link[1]).status_code == 403


def test_a_link_leads_there_for_a_day(chat: Chat, time_machine):
    write(chat, "How much is it?")
    old = proof(chat)

    time_machine.move_to(clock.now() + timedelta(days=1, seconds=1))

    assert Client().get(f"{chat.page}understood/", {"proof": old}).status_code == 403


def test_the_word_of_strangers_and_other_sites_is_refused(chat: Chat):
    write(chat, "How much is it?")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["visitor"] = chat.token

    other = visitors.page_proof(other_visitor(chat).visitor, chat.inbox.key)
    elsewhere = visitors.page_proof(chat.visitor, "another")
    for forged in ({}, {"proof": "x"}, {"proof": other}, {"proof": elsewhere}, {"proof": chat.token}):
        assert Client().post(f"{chat.page}understood/teach/", {"may": "no", **forged}).status_code == 403
        assert "How much" not in Client().get(f"{chat.page}understood/", forged).content.decode()
    assert strict.post(f"{chat.page}understood/teach/", {"may": "no"}).status_code == 403
    assert visitor(chat).get(f"{chat.page}understood/teach/").status_code == 405
