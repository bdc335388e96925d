"""What the platform would refuse is refused before: windows, templates, buttons; and where an answer leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from conversations import approved, deliveries, gate, outbound
from conversations.answering import PRIVATE, PUBLIC
from conversations.errors import CannotReply
from conversations.models import Delivery, Inbox, Message, Template, Thread
from conversations.outbound import Draft, queue_reply, queue_template
from crm.models import Consent
from tests.api import Program
from tests.factories import a_sender, make_inbox, make_message

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def time():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace, capabilities={"window_hours": 24, "templates": True, "text_limit": 4096})


@pytest.fixture
def browser(client, member):
    client.force_login(member.agent)
    return client


def a_template(inbox, **facts):
    known = {"text": "Hello {{1}}, your order {{2}} is here.", "variables": ["1", "2"], "status": "approved", **facts}
    return Template.objects.create(workspace=inbox.workspace, inbox=inbox, name="order", language="en_US", **known)


def test_within_the_window_an_answer_leaves(inbox, member, time):
    conversation = make_message(inbox).conversation
    time.shift(timedelta(hours=23, minutes=59))

    assert queue_reply(conversation, member, "Hello", client_id="c1")


def test_after_the_window_an_answer_is_refused_with_the_reason(inbox, member, time):
    conversation = make_message(inbox).conversation
    time.shift(timedelta(hours=24))

    with pytest.raises(CannotReply, match="within 24 hours"):
        queue_reply(conversation, member, "Hello", client_id="c1")
    assert not Delivery.objects.exists()


def test_the_window_counts_from_when_they_wrote_not_from_when_it_came(inbox, member, time):
    conversation = make_message(inbox, at=NOON - timedelta(hours=25)).conversation

    with pytest.raises(CannotReply):
        queue_reply(conversation, member, "Hello", client_id="c1")


def test_the_window_is_asked_again_when_the_part_leaves(inbox, member, time):
    queue_reply(make_message(inbox).conversation, member, "Hello", client_id="c1")
    time.shift(timedelta(hours=25))
    part = Delivery.objects.select_related("thread__inbox", "message__identity").get()

    assert "within 24 hours" in gate.objection_to_part(part)


def test_writing_again_opens_the_window(inbox, member, time):
    conversation = make_message(inbox).conversation
    time.shift(timedelta(hours=30))
    make_message(inbox, "Still there?")

    assert queue_reply(conversation, member, "Yes", client_id="c1")


def test_an_agent_may_write_late_where_the_platform_says_so_and_says_that_it_is_late(inbox, member, time):
    Inbox.objects.update(capabilities={"window_hours": 24, "tag_hours": 168})
    inbox.refresh_from_db()
    message = make_message(inbox)
    assert gate.is_late(message.thread, message) is False

    time.shift(timedelta(hours=25))

    assert gate.is_late(message.thread, message)
    assert gate.is_late(message.thread, message, Message.Author.BOT) is False
    assert gate.window_objection(message.thread, message) == ""
    assert gate.window_objection(message.thread, message, Message.Author.BOT)
    time.shift(timedelta(hours=168))
    assert gate.window_objection(message.thread, message)


def test_a_template_leaves_when_the_window_is_shut(inbox, member, time):
    conversation = make_message(inbox).conversation
    template = a_template(inbox)
    time.shift(timedelta(hours=30))

    message = queue_template(conversation, member, template, ["Ada", "88213"], client_id="c1")

    part = Delivery.objects.select_related("thread__inbox", "message__identity").get()
    assert message.text == "Hello Ada, your order 88213 is here."
    assert part.details == {"template": {"name": "order", "language": "en_US", "values": ["Ada", "88213"]}}
    assert gate.objection_to_part(part) == ""


@pytest.mark.parametrize("values", [[], ["Ada"], ["Ada", "  "]])
def test_a_template_with_an_empty_place_is_refused(inbox, member, values):
    conversation = make_message(inbox).conversation

    with pytest.raises(CannotReply, match=r"Fill in: .*2"):
        queue_template(conversation, member, a_template(inbox), values, client_id="c1")


@pytest.mark.parametrize("status", ["pending", "rejected", "paused"])
def test_a_template_that_is_not_approved_is_refused(inbox, member, status):
    conversation = make_message(inbox).conversation

    with pytest.raises(CannotReply, match="cannot be used"):
        queue_template(conversation, member, a_template(inbox, status=status), ["a", "b"], client_id="c1")


def test_a_marketing_template_needs_their_yes(inbox, member):
    conversation = make_message(inbox).conversation
    template = a_template(inbox, category="marketing")
    with pytest.raises(CannotReply, match="not agreed to marketing"):
        queue_template(conversation, member, template, ["a", "b"], client_id="c1")

    Consent.objects.create(
        workspace=inbox.workspace,
        customer=conversation.customer,
        purpose="marketing",
        kind="telegram",
        given=True,
        source="web form",
    )

    assert queue_template(conversation, member, template, ["a", "b"], client_id="c1")


def test_templates_are_what_the_platform_listed_last(inbox):
    approved.keep(inbox, [approved.Listed("a", "en", "A"), approved.Listed("b", "en", "B", status="odd")])
    approved.keep(inbox, [approved.Listed("b", "en", "B2", status="rejected", reason="too pushy")])

    template = Template.objects.get()
    assert (template.name, template.text, template.status, template.reason) == ("b", "B2", "rejected", "too pushy")


def test_the_composer_says_that_the_window_is_shut_and_offers_the_templates(browser, inbox, time):
    conversation = make_message(inbox).conversation
    template = a_template(inbox)
    a_template(make_inbox(inbox.workspace), text="of another inbox")
    time.shift(timedelta(hours=30))

    page = browser.get(f"/inbox/{conversation.pk}/", **HTMX).content.decode()

    assert "only within 24 hours" in page
    assert f'<option value="{template.pk}">order · en_US</option>' in page
    assert page.count("order · en_US") == 1


def test_a_template_is_looked_at_while_it_is_filled_in(browser, inbox):
    conversation, template = make_message(inbox).conversation, a_template(inbox)

    answer = browser.get(f"/inbox/{conversation.pk}/template/", {"template": template.pk, "value": ["<b>", ""]}, **HTMX)

    assert "Hello &lt;b&gt;, your order {{2}} is here." in answer.content.decode()


def test_a_template_is_sent_from_the_page_once(browser, inbox):
    conversation, template = make_message(inbox).conversation, a_template(inbox)
    given = {"template": template.pk, "value": ["Ada", "7"], "client_id": "t1"}

    for _again in range(2):
        answer = browser.post(f"/inbox/{conversation.pk}/template/send/", given, **HTMX)

    assert "Hello Ada, your order 7 is here." in answer.content.decode()
    assert Delivery.objects.count() == 1


def test_a_template_that_lacks_a_value_comes_back_with_what_was_filled_in(browser, inbox):
    conversation, template = make_message(inbox).conversation, a_template(inbox)
    given = {"template": template.pk, "value": ["Ada", ""], "client_id": "t1"}

    answer = browser.post(f"/inbox/{conversation.pk}/template/send/", given, **HTMX)

    assert answer.status_code == 422
    assert 'value="Ada"' in answer.content.decode()


def test_another_inbox_s_template_cannot_be_sent(browser, inbox):
    conversation = make_message(inbox).conversation
    other = a_template(make_inbox(inbox.workspace))

    answer = browser.post(
        f"/inbox/{conversation.pk}/template/send/", {"template": other.pk, "value": ["a", "b"], "client_id": "t1"}
    )

    assert answer.status_code == 422
    assert not Delivery.objects.exists()


def test_buttons_go_with_the_last_part_of_the_text(workspace, member):
    inbox = make_inbox(workspace, capabilities={"buttons": 2, "button_limit": 10, "text_limit": 20})
    conversation = make_message(inbox).conversation
    draft = Draft("first words of it,\nsecond words of it", buttons=outbound.buttons_of(["Yes", " ", "No"]))

    message = outbound.queue(conversation, member, draft, client_id="c1")

    first, last = message.deliveries.all()
    assert first.details == {}
    assert [button["label"] for button in last.details["buttons"]] == ["Yes", "No"]


@pytest.mark.parametrize("labels", [["a", "b", "c"], ["far too long a label"]])
def test_more_or_longer_buttons_than_the_platform_takes_are_refused(workspace, member, labels):
    inbox = make_inbox(workspace, capabilities={"buttons": 2, "button_limit": 10})
    conversation = make_message(inbox).conversation

    with pytest.raises(CannotReply):
        outbound.queue(conversation, member, Draft("?", buttons=outbound.buttons_of(labels)), client_id="c1")


@pytest.fixture
def posts(workspace):
    return make_inbox(workspace, capabilities={"public_posts": True, "private_answers": True, "label": "Fediverse"})


def a_post(inbox, **facts):
    known = {"thread_id": "post-1", "external_id": "p1", "is_public": True, "private_thread": "dm-77", **facts}
    return make_message(inbox, "Anyone here?", **known)


def test_a_public_reply_leaves_in_public_under_the_post(posts, member):
    conversation = a_post(posts).conversation

    message = outbound.queue(conversation, member, Draft("Yes", where=PUBLIC), client_id="c1")

    assert (message.thread.external_id, message.thread.is_public) == ("post-1", True)
    assert message.reply_to_external_id == "p1"


def test_a_private_answer_leaves_on_a_thread_of_its_own_in_the_same_conversation(posts, member):
    post = a_post(posts)

    message = outbound.queue(post.conversation, member, Draft("Hello", where=PRIVATE), client_id="c1")

    assert (message.thread.external_id, message.thread.is_public) == ("dm-77", False)
    assert message.conversation == post.conversation
    answer = make_message(posts, "Thanks", thread_id="dm-77")
    assert answer.conversation == post.conversation


def test_what_is_said_after_a_private_answer_stays_private_once_they_wrote_there(posts, member):
    conversation = a_post(posts).conversation
    outbound.queue(conversation, member, Draft("Hello", where=PRIVATE), client_id="c0")
    make_message(posts, "psst", thread_id="dm-77")

    for where in ("", PRIVATE):
        message = outbound.queue(conversation, member, Draft("secret", where=where), client_id=f"c{where}")
        assert message.thread.is_public is False


def test_a_private_answer_never_leaks_even_when_the_thread_is_the_public_one(posts, member):
    conversation = a_post(posts, private_thread="post-1").conversation

    with pytest.raises(CannotReply, match="in private"):
        outbound.queue(conversation, member, Draft("secret", where=PRIVATE), client_id="c1")
    assert not Delivery.objects.exists()


def test_a_private_answer_does_not_leave_on_a_thread_that_became_public(posts, member):
    conversation = a_post(posts).conversation
    outbound.queue(conversation, member, Draft("secret", where=PRIVATE), client_id="c1")
    Thread.objects.update(is_public=True)
    part = Delivery.objects.select_related("thread__inbox", "message__identity").get()

    assert gate.objection_to_part(part) == "It was meant in private."


def test_another_person_s_private_thread_is_not_taken(posts, member):
    make_message(posts, "psst", thread_id="dm-5", sender=a_sender(address="5"))
    conversation = a_post(posts).conversation
    Message.objects.filter(thread__external_id="dm-5").update(conversation=conversation, seq=50)

    message = outbound.queue(conversation, member, Draft("Hello", where=PRIVATE), client_id="c1")

    assert message.thread.external_id == "dm-77"


def test_who_takes_no_private_messages_is_not_sent_any(posts, member):
    conversation = a_post(posts, private_thread="").conversation

    with pytest.raises(CannotReply, match="do not take private"):
        outbound.queue(conversation, member, Draft("Hello", where=PRIVATE), client_id="c1")


def test_a_channel_without_private_answers_says_so(posts, member):
    Inbox.objects.update(capabilities={"label": "Fediverse"})
    posts.refresh_from_db()
    conversation = a_post(posts).conversation

    with pytest.raises(CannotReply, match="Fediverse does not let us"):
        outbound.queue(conversation, member, Draft("Hello", where=PRIVATE), client_id="c1")


def test_a_public_conversation_has_two_buttons_and_is_marked(browser, posts):
    conversation = a_post(posts).conversation

    page = browser.get(f"/inbox/{conversation.pk}/").content.decode()

    assert 'name="where" value="public"' in page
    assert 'name="where" value="private"' in page
    assert "data-public" in page


def test_a_private_conversation_has_one_button(browser, inbox):
    conversation = make_message(inbox).conversation

    page = browser.get(f"/inbox/{conversation.pk}/").content.decode()

    assert 'name="where"' not in page
    assert "data-public" not in page


def test_the_buttons_say_where_it_goes(browser, posts):
    conversation = a_post(posts).conversation

    for where in ("private", "public"):
        given = {"text": "Hello", "client_id": where, "where": where}
        browser.post(f"/inbox/{conversation.pk}/reply/", given, **HTMX)

    said = Message.objects.filter(direction="out").order_by("pk").values_list("thread__is_public", flat=True)
    assert list(said) == [False, True]


def test_a_place_nobody_knows_is_refused(browser, posts):
    conversation = a_post(posts).conversation

    answer = browser.post(f"/inbox/{conversation.pk}/reply/", {"text": "x", "client_id": "c", "where": "moon"}, **HTMX)

    assert answer.status_code == 422


def test_an_answer_to_one_message_names_it(browser, workspace):
    inbox = make_inbox(workspace, capabilities={"replies": True})
    first = make_message(inbox, "One", external_id="1")
    make_message(inbox, "Two", external_id="2")

    form = browser.get(f"/inbox/{first.conversation_id}/composer/?answered={first.pk}", **HTMX).content.decode()
    given = {"text": "To one", "client_id": "c1", "answered": first.pk}
    browser.post(f"/inbox/{first.conversation_id}/reply/", given, **HTMX)

    assert f'name="answered" value="{first.pk}"' in form
    assert Message.objects.get(direction="out").reply_to_external_id == "1"


def test_the_newest_answer_is_given_back_with_what_it_answers(posts, member):
    post = a_post(posts, details={"root": "at://1"})
    message = outbound.queue(post.conversation, member, Draft("Hello", where=PRIVATE), client_id="c1")

    assert gate.last_heard(message.thread) == post
    assert [part.thread_id for part in deliveries.claim(5)] == [message.thread_id]


def test_a_program_answers_in_private_with_buttons(posts, member):
    Inbox.objects.update(capabilities={**posts.capabilities, "buttons": 3})
    post = a_post(posts)
    given = {"text": "Hello", "where": "private", "answers": post.pk, "buttons": [{"label": "Yes"}]}

    answer = Program(member).post(f"conversations/{post.conversation_id}/messages", given)

    message = Message.objects.get(direction="out")
    assert (answer.status_code, message.thread.is_public) == (201, False)
    assert message.deliveries.get().details == {"buttons": [{"label": "Yes", "payload": "Yes", "url": ""}]}


def test_a_program_sends_a_template_and_is_told_when_there_is_none(inbox, member):
    conversation = make_message(inbox).conversation
    a_template(inbox)
    program, address = Program(member), f"conversations/{conversation.pk}/messages"
    template = {"name": "order", "language": "en_US", "values": ["Ada", "7"]}

    assert program.post(address, {"template": template}).json()["text"] == "Hello Ada, your order 7 is here."
    assert program.post(address, {"template": {**template, "name": "none"}}).status_code == 422
    assert program.post(address, {"template": {**template, "values": []}}).status_code == 409
    assert program.post(address, {"text": "x", "answers": 404}).status_code == 422
