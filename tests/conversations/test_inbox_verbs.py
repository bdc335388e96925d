"""What agents do on the pages, and what they are refused."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations import desk, outbound
from conversations.models import Correction, Delivery, File, Inbox, Message, Note
from crm.models import Membership, Workspace
from crm.support.models import Ticket
from tests.factories import a_triage, make_conversation, make_inbox, make_member, make_message

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


@pytest.fixture
def browser(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


def test_a_reply_is_queued_and_the_form_comes_back_empty(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    answer = browser.post(f"/inbox/{conversation.pk}/reply/", {"text": "On its way.", "client_id": "a1"}, **HTMX)

    message = Message.objects.get(direction="out")
    page = answer.content.decode()
    assert message.text == "On its way."
    assert f'id="message-{message.pk}"' in page
    assert 'value="a1"' not in page  # the next reply has an id of its own
    assert answer["HX-Trigger"] == "rapport:behind"


def test_a_reply_sent_twice_is_one_message(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    for _attempt in range(2):
        browser.post(f"/inbox/{conversation.pk}/reply/", {"text": "Once.", "client_id": "a1"}, **HTMX)

    assert Message.objects.filter(direction="out").count() == 1


def test_without_javascript_a_reply_leads_back_to_the_conversation(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    answer = browser.post(f"/inbox/{conversation.pk}/reply/", {"text": "Hello", "client_id": "a1"})

    assert answer.status_code == 302
    assert answer["Location"] == f"/inbox/{conversation.pk}/"


def test_a_refused_reply_keeps_its_text_its_files_and_its_id(browser: Client, workspace: Workspace):
    conversation = make_conversation(make_inbox(workspace, state=Inbox.State.PAUSED))
    given = {"text": "Kept text", "client_id": "a1", "attachments": SimpleUploadedFile("a.txt", b"words")}

    answer = browser.post(f"/inbox/{conversation.pk}/reply/", given, **HTMX)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Kept text" in page
    assert 'value="a1"' in page
    assert f'value="{File.objects.get().token}"' in page
    assert not Message.objects.filter(direction="out").exists()


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_an_empty_text_is_refused(browser: Client, inbox: Inbox, verb: str):
    conversation = make_conversation(inbox)

    answer = browser.post(f"/inbox/{conversation.pk}/{verb}/", {"text": "  ", "client_id": "a1"}, **HTMX)

    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()


def test_an_uploaded_file_goes_with_the_reply(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)
    chips = browser.post(
        f"/inbox/{conversation.pk}/upload/", {"attachments": SimpleUploadedFile("bill.pdf", b"%PDF-1.4 x")}, **HTMX
    )
    token = File.objects.get().token

    browser.post(f"/inbox/{conversation.pk}/reply/", {"file": token, "client_id": "a1"}, **HTMX)

    file = File.objects.get()
    assert token in chips.content.decode()
    assert file.message == Message.objects.get(direction="out")
    assert Delivery.objects.get().file == file


def test_a_file_of_another_message_cannot_be_sent_again_by_its_token(browser: Client, inbox: Inbox):
    message = make_message(inbox)
    taken = File(workspace=inbox.workspace, message=message, state=File.State.READY)
    taken.save()

    answer = browser.post(f"/inbox/{message.conversation_id}/reply/", {"file": taken.token, "client_id": "a"}, **HTMX)

    taken.refresh_from_db()
    assert answer.status_code == 422
    assert taken.message == message


def test_a_file_over_the_limit_is_refused(browser: Client, inbox: Inbox, settings: Any):
    settings.FILE_SIZE_LIMIT = 10
    conversation = make_conversation(inbox)

    given = {"attachments": SimpleUploadedFile("big.bin", b"x" * 11)}
    answer = browser.post(f"/inbox/{conversation.pk}/upload/", given, **HTMX)

    assert answer.status_code == 422
    assert "“big.bin” is too large" in answer.content.decode()
    assert not File.objects.exists()


def test_a_note_stays_with_the_team(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    answer = browser.post(f"/inbox/{conversation.pk}/note/", {"text": "She is a regular.", "client_id": "n1"}, **HTMX)

    assert f'id="note-{Note.objects.get().pk}"' in answer.content.decode()
    assert not Delivery.objects.exists()


def test_an_agent_takes_gives_and_returns_a_conversation(
    browser: Client, workspace: Workspace, member: Membership, inbox: Inbox
):
    conversation, other = make_conversation(inbox), make_member(workspace, name="Ines")
    seen = []

    for verb, given in (("take", {}), ("assign", {"member": other.pk}), ("assign", {"member": ""})):
        browser.post(f"/inbox/{conversation.pk}/{verb}/", given, **HTMX)
        conversation.refresh_from_db()
        seen.append(conversation.assignee)

    assert seen == [member, other, None]


def test_a_conversation_cannot_be_given_to_another_workspace_s_member(browser: Client, inbox: Inbox):
    conversation, stranger = make_conversation(inbox), make_member()

    answer = browser.post(f"/inbox/{conversation.pk}/assign/", {"member": stranger.pk}, **HTMX)

    conversation.refresh_from_db()
    assert answer.status_code == 422
    assert conversation.assignee is None


def test_resolving_offers_to_reopen(browser: Client, inbox: Inbox):
    conversation = make_conversation(inbox)

    resolved = browser.post(f"/inbox/{conversation.pk}/resolve/", **HTMX).content.decode()
    reopened = browser.post(f"/inbox/{conversation.pk}/reopen/", **HTMX).content.decode()

    assert "Reopen" in resolved
    assert "Resolve" in reopened


def test_one_step_corrects_a_message(browser: Client, inbox: Inbox):
    message = make_message(inbox, "Do you sell twelve?", triage=a_triage("support", intent="how_to"))
    said = {"functions": ["sales"], "intent": "quote", "sentiment": "1"}

    answer = browser.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/", said, **HTMX)

    correction = Correction.objects.get()
    page = answer.content.decode()
    assert correction.after == {"functions": ["sales"], "intent": "quote", "sentiment": 1}
    assert Ticket.objects.get().status == "void"
    assert "Corrected by Marek" in page
    assert "<b>Sales</b> · quote" in page


def test_the_intent_says_which_function_is_the_main_one(browser: Client, inbox: Inbox):
    message = make_message(inbox, triage=a_triage())
    said = {"functions": ["sales", "support"], "intent": "billing", "sentiment": "0"}

    browser.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/", said, **HTMX)

    assert Correction.objects.get().after["functions"] == ["support", "sales"]


def test_the_old_intent_goes_with_the_old_function(browser: Client, inbox: Inbox):
    message = make_message(inbox, triage=a_triage("support", intent="how_to"))
    said = {"functions": ["none"], "intent": "how_to", "sentiment": "0"}

    browser.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/", said, **HTMX)

    assert Correction.objects.get().after == {"functions": [], "intent": "", "sentiment": 0}


@pytest.mark.parametrize(
    "said",
    [
        {"intent": "quote", "sentiment": "0"},
        {"functions": ["none", "sales"], "intent": "", "sentiment": "0"},
        {"functions": ["sales"], "intent": "billing", "sentiment": "0"},
        {"functions": ["cooking"], "intent": "", "sentiment": "0"},
        {"functions": ["sales"], "intent": "", "sentiment": "7"},
    ],
)
def test_a_correction_that_contradicts_itself_is_refused(browser: Client, inbox: Inbox, said: dict[str, Any]):
    message = make_message(inbox, triage=a_triage("support", intent="how_to"))

    answer = browser.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/", said, **HTMX)

    assert answer.status_code == 422
    assert "problem" in answer.content.decode()
    assert not Correction.objects.exists()


def test_a_stuck_part_is_sent_again_or_taken_as_sent(browser: Client, inbox: Inbox, member: Membership):
    conversation = make_conversation(inbox)
    outbound.queue_reply(conversation, member, "Hello", client_id="a1")
    part = Delivery.objects.get()
    states = []

    for state, verb in (("refused", "resend"), ("uncertain", "take-as-sent")):
        Delivery.objects.update(state=state, reason="They blocked us.")
        shown = browser.get(f"/inbox/{conversation.pk}/").content.decode()
        browser.post(f"/inbox/{conversation.pk}/{verb}/{part.pk}/", **HTMX)
        part.refresh_from_db()
        states.append(("They blocked us." in shown, part.state))

    assert states == [(True, "queued"), (True, "sent")]


@pytest.mark.parametrize("verb", ["reply", "note", "upload", "assign", "take", "resolve", "reopen", "seen"])
def test_an_analyst_changes_nothing(client: Client, workspace: Workspace, inbox: Inbox, verb: str):
    client.force_login(make_member(workspace, role="analyst").agent)
    message = make_message(inbox, triage=a_triage())

    assert client.post(f"/inbox/{message.conversation_id}/{verb}/", {"text": "x", "client_id": "1"}).status_code == 403
    assert client.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/").status_code == 403


@pytest.mark.parametrize("verb", ["reply", "note", "assign", "take", "resolve", "reopen", "seen"])
def test_a_link_changes_nothing(browser: Client, inbox: Inbox, verb: str):
    conversation = make_conversation(inbox)

    assert browser.get(f"/inbox/{conversation.pk}/{verb}/").status_code == 405


def test_a_form_of_another_site_is_refused(member: Membership, inbox: Inbox):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member.agent)
    conversation = make_conversation(inbox)

    answer = strict.post(f"/inbox/{conversation.pk}/reply/", {"text": "x", "client_id": "1"})

    assert answer.status_code == 403


def test_somebody_else_s_unread_messages_stay_unread(
    browser: Client, workspace: Workspace, member: Membership, inbox: Inbox
):
    conversation = make_conversation(inbox)
    desk.assign(conversation, make_member(workspace, name="Ines"), by=member)

    browser.post(f"/inbox/{conversation.pk}/seen/", **HTMX)

    conversation.refresh_from_db()
    assert conversation.unread == 1
