"""What is done to messages that exist: queued, done by the platform, shown; and what is refused."""

from typing import Any

import pytest
from django.test import Client

from channels_adapters.contract import Capabilities
from conversations import acts, deliveries, desk
from conversations.errors import CannotAct
from conversations.models import Conversation, Delivery, Inbox
from conversations.outbound import queue_reply
from crm.models import Event
from crm.workspace.models import Role
from tests.api import Program
from tests.factories import make_inbox, make_member, make_message

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
ABLE = Capabilities(
    text_limit=20, edits=True, deletes=True, reactions=True, read_marks=True, hides=True, likes=True
).as_json()


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace, capabilities=ABLE)


@pytest.fixture
def sent(inbox, member):
    """A reply of the member that arrived in one part."""
    return said(inbox, member, "Hello")


def said(inbox, member, text):
    message = queue_reply(make_message(inbox, external_id="1").conversation, member, text, client_id="c1")
    while claimed := deliveries.claim(5):
        for part in claimed:
            deliveries.sent(part, f"50{part.part}")
    return message


def do_all():
    """The platform does what is queued."""
    done = []
    while found := deliveries.claim(10):
        for act in found:
            deliveries.sent(act, "")
        done += found
    return done


def test_an_edit_of_ours_is_shown_once_the_platform_did_it_and_keeps_what_it_said(sent, member):
    acts.edit(sent, "Hello there", by=member)
    sent.refresh_from_db()
    assert sent.text == "Hello"

    (act,) = do_all()

    sent.refresh_from_db()
    assert (act.kind, act.target, act.text) == ("edit", "500", "Hello there")
    assert (sent.text, sent.revisions.get().text) == ("Hello there", "Hello")
    assert Conversation.objects.get().last_text == "Hello there"
    assert Event.objects.filter(verb="message.edited").count() == 1


def test_a_message_may_be_edited_twice(sent, member):
    for text in ("Two", "Three"):
        acts.edit(sent, text, by=member)
        do_all()

    assert [revision.text for revision in sent.revisions.order_by("pk")] == ["Hello", "Two"]


def test_the_same_text_again_queues_nothing(sent, member):
    acts.edit(sent, "Hello", by=member)

    assert do_all() == []


def test_of_a_message_in_parts_only_the_changed_ones_are_edited(inbox, member):
    message = said(inbox, member, "first words of it,\nsecond words of it")

    acts.edit(message, "first words of it,\nsecond words again", by=member)
    done = do_all()

    message.refresh_from_db()
    assert [(act.target, act.text) for act in done] == [("501", "second words again")]
    assert message.text == "first words of it,\nsecond words again"


def test_a_text_that_fits_no_more_into_its_parts_is_refused(sent, member):
    with pytest.raises(CannotAct, match="1 parts"):
        acts.edit(sent, "far too long for a single part of twenty", by=member)


def test_a_deletion_takes_every_part_back_before_it_is_shown(inbox, member):
    message = said(inbox, member, "first words of it,\nsecond words of it")
    acts.delete(message, by=member)

    (first,) = deliveries.claim(1)
    deliveries.sent(first, "")
    message.refresh_from_db()
    assert message.deleted_at is None
    do_all()

    message.refresh_from_db()
    assert message.deleted_at is not None
    assert Event.objects.filter(verb="message.deleted").count() == 1


def test_our_reaction_is_one_and_is_taken_back(inbox, member):
    message = make_message(inbox, external_id="1")
    for emoji in ("👍", "🙏"):
        acts.react(message, emoji, by=member)
        do_all()
    assert [reaction.emoji for reaction in message.reactions.all()] == ["🙏"]

    acts.react(message, "", by=member)
    do_all()

    assert not message.reactions.exists()


def test_a_reaction_the_platform_does_not_know_is_refused(inbox, member):
    inbox.capabilities = {**ABLE, "emojis": ["👍"]}
    inbox.save()

    with pytest.raises(CannotAct):
        acts.react(make_message(inbox), "🦆", by=member)


def test_opening_a_conversation_tells_the_platform_once_that_it_was_read(inbox, member):
    conversation = make_message(inbox, external_id="9").conversation
    desk.mark_read(conversation, by=member)
    desk.mark_read(conversation, by=member)

    assert [(act.kind, act.target) for act in do_all()] == [("read", "9")]


def test_where_the_platform_shows_no_read_marks_none_is_queued(inbox, member):
    inbox.capabilities = {}
    inbox.save()

    desk.mark_read(make_message(inbox).conversation, by=member)

    assert not Delivery.objects.exists()


def test_a_read_mark_that_fails_is_let_go_and_holds_nothing_back(inbox, member):
    conversation = make_message(inbox).conversation
    desk.mark_read(conversation, by=member)
    queue_reply(conversation, member, "Hello", client_id="c1")
    mark, reply = deliveries.claim(5)

    deliveries.put_off(mark, "throttled", None)

    mark.refresh_from_db()
    assert (mark.kind, mark.state, mark.is_stuck) == ("read", "dead", False)
    assert reply.kind == "send"


def test_a_public_post_is_hidden_liked_and_shown_again(inbox, member):
    post = make_message(inbox, is_public=True)
    for kind in ("hide", "like"):
        acts.moderate(post, kind, by=member)
    do_all()
    post.refresh_from_db()
    assert (post.hidden_at is not None, post.liked_at is not None) == (True, True)

    for kind in ("unhide", "unlike"):
        acts.moderate(post, kind, by=member)
    do_all()

    post.refresh_from_db()
    assert (post.hidden_at, post.liked_at) == (None, None)


def test_what_was_said_in_private_is_neither_hidden_nor_liked(inbox, member):
    with pytest.raises(CannotAct):
        acts.moderate(make_message(inbox), "hide", by=member)


def test_only_ours_is_edited(inbox, member):
    with pytest.raises(CannotAct, match="Only for what we sent"):
        acts.edit(make_message(inbox), "Mine now", by=member)


def test_what_has_not_left_is_not_edited(inbox, member):
    message = queue_reply(make_message(inbox).conversation, member, "Hello", client_id="c1")

    with pytest.raises(CannotAct, match="not been sent"):
        acts.delete(message, by=member)


@pytest.mark.parametrize("kind", ["edit", "delete", "react"])
def test_what_the_channel_cannot_is_refused_with_the_reason(inbox, sent, member, kind):
    Inbox.objects.update(capabilities={"label": "Carrier pigeon"})
    sent.thread.inbox.refresh_from_db()

    assert acts.objection(sent, kind, member).startswith("Carrier pigeon cannot")


def test_a_colleague_s_message_is_changed_by_a_manager_only(sent, workspace):
    with pytest.raises(CannotAct, match="yourself"):
        acts.edit(sent, "Other", by=make_member(workspace))

    acts.edit(sent, "Other", by=make_member(workspace, role=Role.MANAGER))


def test_an_analyst_does_nothing_to_messages(sent, workspace):
    analyst = make_member(workspace, role=Role.ANALYST)

    for kind in ("react", "edit", "delete"):
        assert acts.objection(sent, kind, analyst) == "Your role does not allow it."


def test_another_workspace_s_message_is_out_of_reach(sent):
    assert acts.objection(sent, "react", make_member())


def test_an_act_waits_for_the_one_before_it_on_its_message(sent, member):
    acts.edit(sent, "Two", by=member)
    acts.edit(sent, "Three", by=member)

    (first,) = deliveries.claim(5)

    assert first.text == "Two"


def test_an_act_that_was_refused_does_not_hold_back_the_next_reply(sent, member):
    acts.edit(sent, "Two", by=member)
    (act,) = deliveries.claim(1)
    deliveries.refused(act, "too old")

    queue_reply(sent.conversation, member, "Next", client_id="c2")

    assert [part.text for part in deliveries.claim(5)] == ["Next"]
    assert deliveries.status_of(sent) == "sent"  # the message itself arrived


def test_an_act_of_which_nobody_knows_is_done_again(sent, member):
    acts.edit(sent, "Two", by=member)
    (act,) = deliveries.claim(1)

    deliveries.uncertain(act, "no answer")

    act.refresh_from_db()
    assert act.state == "queued"


def test_a_failed_act_is_left_as_it_is_when_a_person_says_so(sent, member):
    acts.edit(sent, "Two", by=member)
    (act,) = deliveries.claim(1)
    deliveries.refused(act, "too old")
    act.refresh_from_db()

    assert deliveries.let_go(act)

    act.refresh_from_db()
    assert (act.state, act.is_stuck) == ("refused", False)
    assert deliveries.let_go(act) is False


@pytest.fixture
def browser(client: Client, member):
    client.force_login(member.agent)
    return client


def menu(browser, message, **kwargs):
    return browser.get(f"/inbox/{message.conversation_id}/acts/{message.pk}/", **kwargs).content.decode()


def test_the_menu_greys_out_what_the_channel_cannot_and_says_why(browser, sent):
    Inbox.objects.update(capabilities={**ABLE, "edits": False, "label": "Carrier pigeon"})

    page = menu(browser, sent, **HTMX)

    assert "Carrier pigeon cannot change a message that was sent." in page
    assert "Delete for everyone" in page
    assert "<html" not in page
    assert "<html" in menu(browser, sent)  # without JavaScript it is a page


def test_the_menu_of_a_public_post_offers_to_hide_and_like(browser, inbox):
    page = menu(browser, make_message(inbox, is_public=True), **HTMX)

    assert 'value="hide"' in page
    assert 'value="like"' in page


def test_an_edit_on_the_page_gives_the_message_back(browser, sent):
    answer = browser.post(f"/inbox/{sent.conversation_id}/acts/{sent.pk}/edit/", {"text": "Two"}, **HTMX)

    assert "being changed" in answer.content.decode()
    assert Delivery.objects.get(kind="edit").text == "Two"


def test_a_refused_act_gives_the_menu_back_with_the_reason(browser, inbox):
    message = make_message(inbox)

    answer = browser.post(f"/inbox/{message.conversation_id}/acts/{message.pk}/edit/", {"text": "Two"}, **HTMX)

    assert answer.status_code == 422
    assert "Only for what we sent." in answer.content.decode()
    assert answer["HX-Retarget"] == f"#message-{message.pk} .message__acts"


def test_an_act_nobody_knows_is_refused(browser, inbox):
    message = make_message(inbox, is_public=True)

    answer = browser.post(f"/inbox/{message.conversation_id}/acts/{message.pk}/moderate/", {"kind": "burn"})

    assert answer.status_code == 422


@pytest.mark.parametrize("act", ["edit", "delete", "react", "moderate"])
def test_an_analyst_s_post_is_forbidden(client, workspace, sent, act):
    client.force_login(make_member(workspace, role=Role.ANALYST).agent)

    answer = client.post(f"/inbox/{sent.conversation_id}/acts/{sent.pk}/{act}/", {"kind": "hide", "text": "x"})

    assert answer.status_code == 403


def test_a_program_edits_and_is_told_why_it_cannot(sent, member):
    program = Program(member)
    address = f"conversations/{sent.conversation_id}/messages/{sent.pk}/acts"

    assert program.post(address, {"kind": "edit", "text": "Two"}).status_code == 202
    assert program.post(address, {"kind": "edit"}).status_code == 422
    assert program.post(address, {"kind": "hide"}).json()["error"] == "Only for what others post in public."
    assert (
        program.post(f"conversations/{sent.conversation_id}/messages/404/acts", {"kind": "delete"}).status_code == 404
    )
    assert Delivery.objects.get(kind="edit").text == "Two"


def test_a_program_that_may_only_read_does_nothing(sent, member):
    program = Program(member, "read")

    answer = program.post(f"conversations/{sent.conversation_id}/messages/{sent.pk}/acts", {"kind": "delete"})

    assert answer.status_code == 403
