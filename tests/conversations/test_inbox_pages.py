"""The inbox's pages: what they show, to whom, and what they never show."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_scopes import scope

from conversations import desk, outbound
from conversations.inbox import lists
from conversations.models import Conversation, Inbox
from crm.models import Membership, Workspace
from crm.workspace import clock
from tests.factories import a_sender, a_triage, make_conversation, make_inbox, make_member, make_message, make_workspace

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


@pytest.fixture
def browser(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


def test_the_inbox_asks_who_you_are(client: Client, db: None):
    answer = client.get("/inbox/")

    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/inbox/"


def test_the_start_page_is_the_inbox(browser: Client):
    assert browser.get("/")["Location"] == "/inbox/"


def test_a_view_lists_only_its_conversations(browser: Client, inbox: Inbox, member: Membership):
    mine = make_conversation(inbox, sender=a_sender(address="1", name="Mine One"))
    desk.assign(mine, member, by=member)
    make_conversation(inbox, sender=a_sender(address="2", name="Nobody Two"))
    settled = make_conversation(inbox, sender=a_sender(address="3", name="Settled Three"))
    desk.resolve(settled, by=member)

    shown = {view: browser.get(f"/inbox/?view={view}").content.decode() for view in lists.VIEWS}

    names = {
        view: [name for name in ("Mine One", "Nobody Two", "Settled Three") if name in shown[view]] for view in shown
    }
    assert names == {
        "mine": ["Mine One"],
        "unassigned": ["Nobody Two"],
        "all": ["Mine One", "Nobody Two"],
        "resolved": ["Settled Three"],
    }


def test_a_visit_starts_with_a_view_that_is_not_empty(browser: Client, inbox: Inbox):
    make_conversation(inbox)

    assert browser.get("/inbox/").context["list"].view == "unassigned"


def test_the_list_goes_on_where_the_page_ended(member: Membership, inbox: Inbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lists, "PAGE", 2)
    now = clock.now()
    Conversation.objects.bulk_create(
        Conversation(
            workspace=inbox.workspace,
            inbox=inbox,
            customer=make_conversation(inbox, sender=a_sender(address=f"c{number}")).customer,
            last_message_at=now + timedelta(hours=1),  # all at the same moment: the id decides
        )
        for number in range(5)
    )
    wanted = list(Conversation.objects.open().newest_first())

    seen, after = lists.page(member, view="all")
    while after:
        rows, after = lists.page(member, view="all", after=after)
        seen += rows

    assert seen == wanted


@pytest.mark.parametrize("cursor", ["x", "1.", ".1", "1.2.3", "9" * 30 + ".1", "-1.2", "٣.١"])
def test_a_cursor_that_is_none_shows_the_first_page(browser: Client, inbox: Inbox, cursor: str):
    make_conversation(inbox)

    answer = browser.get("/inbox/rows/", {"view": "all", "after": cursor})

    assert answer.content.count(b"<a id=") == 1


def test_search_finds_names_and_words_also_in_resolved_conversations(browser: Client, inbox: Inbox, member: Membership):
    make_conversation(inbox, "The zebra lamp is broken", sender=a_sender(address="1", name="Ada"))
    settled = make_conversation(inbox, "hello", sender=a_sender(address="2", name="Zebedee Long"))
    desk.resolve(settled, by=member)
    make_conversation(inbox, "nothing", sender=a_sender(address="3", name="Bob"))

    found = browser.get("/inbox/", {"q": "zeb"}).context["rows"]

    assert {row.customer.name for row in found} == {"Ada", "Zebedee Long"}


def test_markup_that_people_write_is_shown_and_never_run(browser: Client, inbox: Inbox):
    sender = a_sender(name="<script>alert(1)</script>")
    conversation = make_conversation(inbox, "<img src=x onerror=alert(2)>", sender=sender, triage=a_triage())

    page = browser.get(f"/inbox/{conversation.pk}/").content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in page


def test_another_workspace_s_conversation_does_not_exist(browser: Client):
    elsewhere = make_workspace(name="Elsewhere")
    with scope(workspace=elsewhere):
        foreign = make_conversation(make_inbox(elsewhere))

    for part in ("", "head/", "panel/", "earlier/"):
        assert browser.get(f"/inbox/{foreign.pk}/{part}").status_code == 404
    for verb in ("reply", "note", "upload", "assign", "take", "resolve", "reopen", "seen"):
        assert browser.post(f"/inbox/{foreign.pk}/{verb}/", {"text": "x", "client_id": "1"}).status_code == 404


def test_htmx_gets_the_thread_without_the_frame(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    page = browser.get(f"/inbox/{conversation.pk}/", **HTMX).content.decode()

    assert "<html" not in page
    assert "message-timeline" in page
    assert "Ada Lind · Inbox" in page


def test_history_gets_the_whole_page(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    page = browser.get(f"/inbox/{conversation.pk}/", headers=headers).content.decode()

    assert "<html" in page


def test_pages_are_not_kept_by_the_browser(browser: Client):
    answer = browser.get("/inbox/")

    assert "no-store" in answer["Cache-Control"]
    assert "HX-Request" in answer["Vary"]


def test_a_page_runs_only_our_own_scripts(browser: Client, inbox: Inbox):
    answer = browser.get(f"/inbox/{make_conversation(inbox).pk}/")

    assert b"<script>" not in answer.content
    assert b" onclick=" not in answer.content
    assert "unsafe-inline" not in answer["Content-Security-Policy"].replace("style-src-attr 'unsafe-inline'", "")


def test_an_unread_conversation_is_marked_by_who_may_answer(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    assert b"/seen/" in browser.get(f"/inbox/{conversation.pk}/").content
    assert browser.post(f"/inbox/{conversation.pk}/seen/").status_code == 204
    assert b"/seen/" not in browser.get(f"/inbox/{conversation.pk}/").content


def test_who_may_not_answer_sees_no_composer(client: Client, workspace: Workspace, inbox: Inbox):
    client.force_login(make_member(workspace, role="analyst").agent)

    page = client.get(f"/inbox/{make_conversation(inbox).pk}/").content.decode()

    assert "<textarea" not in page
    assert "/seen/" not in page


def test_the_composer_says_why_nothing_can_be_sent(browser: Client, workspace: Workspace):
    paused = make_inbox(workspace, state=Inbox.State.PAUSED, name="Old line")

    page = browser.get(f"/inbox/{make_conversation(paused).pk}/").content.decode()

    assert "“Old line” is not live" in page
    assert "disabled" in page


def test_a_demo_inbox_says_that_replies_are_kept(browser: Client, workspace: Workspace):
    demo = make_inbox(workspace, state=Inbox.State.DEMO)

    page = browser.get(f"/inbox/{make_conversation(demo).pk}/").content.decode()

    assert "replies are kept here and not sent" in page
    assert "Keep reply" in page


def test_a_route_says_where_and_why(browser: Client, inbox: Inbox):
    read = a_triage(
        intent="refund_return",
        sentiment=-1,
        sentiment_score=-0.8,
        entities=(("order_number", "88213"),),
        because=("broken",),
    )
    message = make_message(inbox, "the lamp came broken, order 88213", triage=read)

    page = browser.get(f"/inbox/{message.conversation_id}/").content.decode()
    why = browser.get(f"/inbox/{message.conversation_id}/why/{message.pk}/", **HTMX).content.decode()

    assert "Routed to <b>Support</b> · refund or return, 0.94 sure" in page
    assert "feels negative · order 88213 found" in page
    assert ">broken</mark>" in why
    assert "model test" in why
    assert "policy 1: routed from 0.60 on" in why


def test_an_unsure_route_leaves_it_to_a_person(browser: Client, inbox: Inbox):
    message = make_message(inbox, triage=a_triage("sales", intent="pricing", confidence=0.41))

    page = browser.get(f"/inbox/{message.conversation_id}/").content.decode()

    assert "Not sure: 0.41 for Sales." in page
    assert "A person decides" in page


def test_a_message_that_was_not_read_yet_says_so(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox, triage=None)

    assert b"not sorted yet" in browser.get(f"/inbox/{conversation.pk}/").content


def test_the_panel_names_records_in_the_trade_s_words(browser: Client, workspace: Workspace, inbox: Inbox):
    workspace.vocabulary = {"ticket": "case"}
    workspace.save()
    conversation = make_conversation(inbox, triage=a_triage())

    page = browser.get(f"/inbox/{conversation.pk}/panel/", **HTMX).content.decode()

    assert "Case #1" in page
    assert "@adalind" in page
    assert "verified" in page


def test_the_list_costs_the_same_number_of_queries_for_one_row_and_for_many(
    browser: Client, inbox: Inbox, django_assert_max_num_queries: Any
):
    for number in range(30):
        make_conversation(inbox, sender=a_sender(address=f"{number}"), triage=a_triage())

    with django_assert_max_num_queries(6):
        browser.get("/inbox/?view=all", **HTMX)


def test_a_thread_costs_the_same_number_of_queries_for_one_message_and_for_many(
    browser: Client, inbox: Inbox, member: Membership, django_assert_max_num_queries: Any
):
    conversation = make_conversation(inbox, triage=a_triage())
    for number in range(20):
        make_message(inbox, f"more {number}", triage=a_triage())
        outbound.queue_reply(conversation, member, f"answer {number}", client_id=f"{number}")

    with django_assert_max_num_queries(26):
        browser.get(f"/inbox/{conversation.pk}/", **HTMX)


def test_the_way_back_leads_to_the_view_one_came_from(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    opened = browser.get(f"/inbox/{conversation.pk}/?view=all", **HTMX).content.decode()
    resolved = browser.post(f"/inbox/{conversation.pk}/resolve/", {"view": "all"}, **HTMX).content.decode()
    forged = browser.get(f"/inbox/{conversation.pk}/?view='}}<b>", **HTMX).content.decode()

    assert 'href="/inbox/?view=all"' in opened
    assert 'href="/inbox/?view=all"' in resolved
    assert 'href="/inbox/?view="' in forged
