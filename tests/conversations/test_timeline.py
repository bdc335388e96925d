"""What a conversation's page shows, and in which order."""

from conversations import desk, outbound, timeline
from conversations.models import Delivery, Inbox
from crm.models import Membership, Workspace
from tests.factories import a_triage, make_conversation, make_inbox, make_message


def kinds(shown: timeline.Timeline) -> list[str]:
    return [entry.kind for entry in shown.entries]


def test_a_message_is_followed_by_its_route(workspace: Workspace):
    conversation = make_conversation(make_inbox(workspace), triage=a_triage())

    assert kinds(timeline.entries(conversation)) == ["message", "route"]


def test_notes_and_what_was_done_stand_where_they_happened(workspace: Workspace, member: Membership):
    inbox = make_inbox(workspace)
    conversation = make_conversation(inbox, triage=a_triage())
    desk.assign(conversation, member, by=member)
    desk.write_note(conversation, member, "a regular", client_id="n1")
    make_message(inbox, "still there?")
    desk.resolve(conversation, by=member)

    assert kinds(timeline.entries(conversation)) == ["message", "route", "line", "note", "message", "line"]


def test_earlier_pages_join_without_a_gap_or_a_repeat(workspace: Workspace, member: Membership):
    inbox = make_inbox(workspace)
    conversation = make_conversation(inbox, "message 0")
    for number in range(1, 8):
        make_message(inbox, f"message {number}")
        desk.write_note(conversation, member, f"note {number}", client_id=f"{number}")
    desk.assign(conversation, member, by=member)
    everything = timeline.entries(conversation).entries

    pages: list[list[timeline.Entry]] = []
    before = None
    while True:
        page = timeline.entries(conversation, before=before, limit=4)
        pages.insert(0, page.entries)
        before = page.earlier
        if before is None:
            break

    joined = [entry for page in pages for entry in page]
    assert [(entry.kind, entry.thing.pk) for entry in joined] == [(entry.kind, entry.thing.pk) for entry in everything]
    assert len(pages) == 4


def test_an_answer_quotes_what_it_answers(workspace: Workspace, member: Membership):
    inbox = make_inbox(workspace)
    conversation = make_conversation(inbox)
    reply = outbound.queue_reply(conversation, member, "A new lamp, or a refund?", client_id="a1")
    Delivery.objects.update(external_id="t1")

    answer = make_message(inbox, "Refund", reply_to="t1")
    unknown = make_message(inbox, "Hm", reply_to="nowhere")

    shown = [entry.thing for entry in timeline.entries(conversation).entries if entry.kind == "message"]
    quoted = {message.pk: message.quoted for message in shown}
    assert quoted[answer.pk] == reply
    assert quoted[unknown.pk] is None


def test_a_correction_stands_after_the_first_route(workspace: Workspace, member: Membership):
    message = make_message(make_inbox(workspace), triage=a_triage())
    desk.correct(message, by=member, functions=["sales"], intent="quote", sentiment=0)

    routes = [entry.thing for entry in timeline.entries(message.conversation).entries if entry.kind == "route"]

    assert [route.decider for route in routes] == ["policy", "agent"]


def test_what_is_gone_is_none(workspace: Workspace):
    assert timeline.message_for_page(1) is None
    assert timeline.notes_for_page([1]) == {}


def test_a_demo_reply_leaves_nothing(workspace: Workspace, member: Membership):
    conversation = make_conversation(make_inbox(workspace, state=Inbox.State.DEMO))

    outbound.queue_reply(conversation, member, "hello", client_id="a1")

    assert not Delivery.objects.exists()
