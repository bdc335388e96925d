import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_scopes import scope

from conversations import desk
from conversations.models import Delivery, File, Inbox, Message, Note
from crm.models import Event, Membership
from tests.api import Program
from tests.factories import a_sender, a_triage, make_conversation, make_inbox, make_member, make_message, make_workspace


@pytest.fixture
def inbox(workspace):
    return make_inbox(workspace)


@pytest.fixture
def program(member):
    return Program(member)


def test_a_conversation_has_what_the_contract_says(inbox, program):
    sad = a_triage(sentiment=-1, sentiment_score=-0.8)
    conversation = make_conversation(inbox, "My order is broken", triage=sad)

    shown = program.get(f"conversations/{conversation.pk}").json()

    assert shown["channel"] == "telegram"
    assert shown["thread_id"] == "77"
    assert shown["customer"] == {"id": conversation.customer_id, "name": "Ada Lind"}
    assert (shown["function"], shown["intent"], shown["sentiment"]) == ("support", "order_status", -1)
    assert shown["status"] == "open"
    assert [(record["kind"], record["number"]) for record in shown["records"]] == [("ticket", 1)]
    assert shown["last_message"]["text"] == "My order is broken"
    assert shown["head"] == Event.objects.order_by("-number").first().number
    assert program.get("conversations").json() == {"items": [shown], "next": None}


def test_conversations_are_narrowed(inbox, member, program):
    mine = make_conversation(inbox, sender=a_sender(address="1"))
    mine.assignee = member
    mine.save()
    other = make_conversation(inbox, sender=a_sender(address="2"), triage=a_triage("sales", intent="pricing"))

    def ids(asked):
        return {row["id"] for row in program.get(f"conversations?{asked}").json()["items"]}

    assert ids("assignee=me") == ids(f"assignee={member.pk}") == {mine.pk}
    assert ids("assignee=none") == ids("function=sales") == ids(f"customer={other.customer_id}") == {other.pk}
    assert ids("channel=telegram") == ids("status=open") == {mine.pk, other.pk}
    assert ids("status=resolved") == ids("channel=slack") == ids("updated_since=2999-01-01T00:00:00Z") == set()


def test_a_list_costs_the_same_whatever_is_on_it(inbox, program, django_assert_max_num_queries):
    for number in range(8):
        make_conversation(inbox, sender=a_sender(address=str(number)), triage=a_triage())
    program.get("conversations")

    with django_assert_max_num_queries(12):
        assert len(program.get("conversations").json()["items"]) == 8


@pytest.mark.parametrize(
    "asked",
    [
        "status=shut",
        "assignee=you",
        "customer=0",
        "updated_since=now",
        "updated_since=0.5",
        "channel=%00",
        "updated_since=0001-01-01T00:00:00Z",
        "updated_since=2026-01-01T00:00:00",
    ],
)
def test_a_filter_that_cannot_be_is_refused(program, asked):
    assert program.get(f"conversations?{asked}").status_code == 422


def test_messages_come_in_order_a_page_at_a_time(inbox, program):
    for text in ("one", "two", "three"):
        conversation = make_message(inbox, text).conversation
    path = f"conversations/{conversation.pk}/messages?limit=2"

    first = program.get(path).json()
    second = program.get(f"{path}&cursor={first['next']}").json()

    assert [row["text"] for row in first["items"] + second["items"]] == ["one", "two", "three"]
    assert second["next"] is None


def test_a_reply_is_queued_and_the_same_key_gives_the_first_one(inbox, member, program):
    conversation = make_conversation(inbox)
    path = f"conversations/{conversation.pk}/messages"

    first = program.post(path, {"text": "On its way"}, Idempotency_Key="k-1")
    again = program.post(path, {"text": "On its way"}, Idempotency_Key="k-1")
    other = program.post(path, {"text": "On its way"}, Idempotency_Key="k-2")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert first.json()["delivery"] == "queued"
    assert Delivery.objects.count() == 2
    assert Message.objects.filter(author=member, client_id="k-1").count() == 1


def test_a_key_is_its_authors_own(workspace, inbox, program):
    conversation = make_conversation(inbox)
    path = f"conversations/{conversation.pk}/messages"
    program.post(path, {"text": "One"}, Idempotency_Key="k")

    assert Program(make_member(workspace)).post(path, {"text": "Two"}, Idempotency_Key="k").status_code == 201


def test_a_reply_without_words_says_what_to_do(inbox, program):
    conversation = make_conversation(inbox)

    for body in ({}, {"text": " \n"}, {"text": "", "files": []}):
        response = program.post(f"conversations/{conversation.pk}/messages", body)
        assert response.status_code == 422
        assert "text" in response.json()["error"]


def test_a_reply_that_may_not_leave_says_why(inbox, program):
    conversation = make_conversation(inbox)
    inbox.state = Inbox.State.PAUSED
    inbox.save()

    response = program.post(f"conversations/{conversation.pk}/messages", {"text": "Hello"})

    assert response.status_code == 409
    assert "not live" in response.json()["error"]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"text": 1}', '{"text": null}', '{"files": ["../x"]}', '{"files": ["gone"]}']
)
def test_a_body_that_is_no_reply_is_refused(inbox, program, body):
    conversation = make_conversation(inbox)

    assert program.post(f"conversations/{conversation.pk}/messages", body).status_code == 422


def test_what_a_reply_may_not_set_is_left_alone(workspace, inbox, member, program):
    conversation = make_conversation(inbox)
    other = make_member(workspace)
    body = {
        "text": "Hi",
        "author": other.pk,
        "direction": "in",
        "workspace": 99,
        "state": "sent",
        "purpose": "marketing",
    }

    program.post(f"conversations/{conversation.pk}/messages", body)

    message = Message.objects.get(direction="out")
    assert (message.author, message.workspace_id, message.purpose) == (member, workspace.pk, "reply")


def test_a_file_is_uploaded_and_leaves_with_its_reply(inbox, program):
    conversation = make_conversation(inbox)
    headers = {"Authorization": f"Bearer {program.key}"}
    given = {"file": SimpleUploadedFile("a.txt", b"hello")}
    kept = program.client.post(f"/api/v1/conversations/{conversation.pk}/files", given, headers=headers)

    sent = program.post(f"conversations/{conversation.pk}/messages", {"files": [kept.json()["token"]]})
    twice = program.post(f"conversations/{conversation.pk}/messages", {"files": [kept.json()["token"]]})

    assert kept.status_code == 201
    assert [file["name"] for file in sent.json()["files"]] == ["a.txt"]
    assert twice.status_code == 422


def test_another_workspaces_file_is_not_sent(inbox, program):
    other = make_workspace(name="Other")
    with scope(workspace=other):
        theirs = File.objects.create(workspace=other, name="secret.txt")
    conversation = make_conversation(inbox)

    assert program.post(f"conversations/{conversation.pk}/messages", {"files": [theirs.token]}).status_code == 422


def test_a_note_is_kept_and_never_sent(inbox, program):
    conversation = make_conversation(inbox)
    path = f"conversations/{conversation.pk}/notes"

    first = program.post(path, {"text": "VIP"}, Idempotency_Key="n")
    again = program.post(path, {"text": "VIP"}, Idempotency_Key="n")

    assert (first.status_code, again.status_code) == (201, 200)
    assert Note.objects.count() == 1
    assert not Delivery.objects.exists()
    assert program.post(path, {"text": "  "}).status_code == 422


def test_a_conversation_is_assigned_resolved_and_reopened(workspace, inbox, member, program):
    conversation = make_conversation(inbox)
    path = f"conversations/{conversation.pk}"
    stranger = Membership.objects.model(workspace=make_workspace(), agent=member.agent, role="agent")
    stranger.save()

    assert program.post(f"{path}/assign", {"assignee": member.pk}).json()["assignee"]["id"] == member.pk
    assert program.post(f"{path}/assign", {"assignee": stranger.pk}).status_code == 422
    assert program.post(f"{path}/assign", {"assignee": None}).json()["assignee"] is None
    assert program.post(f"{path}/resolve").json()["status"] == "resolved"
    assert program.post(f"{path}/resolve").json()["status"] == "resolved"
    assert program.post(f"{path}/reopen").json()["status"] == "open"


def test_the_feed_gives_every_event_once_and_in_order(inbox, program):
    for number in range(3):
        make_conversation(inbox, sender=a_sender(address=str(number)))
    total = Event.objects.count()

    numbers, since = [], 0
    while since is not None:
        page = program.get(f"events?since={since}&limit=2").json()
        numbers += [event["number"] for event in page["items"]]
        since = page["next"]

    assert numbers == list(range(1, total + 1))


def test_an_event_says_what_happened_to_whom(inbox, member, program):
    conversation = make_conversation(inbox)
    head = program.get(f"conversations/{conversation.pk}").json()["head"]
    program.post(f"conversations/{conversation.pk}/resolve")

    events = {event["verb"]: event for event in program.get(f"events?since={head}").json()["items"]}

    resolved = events["conversation.resolved"]
    assert resolved["actor"] == "Marek"
    assert resolved["changed"] == {"status": ["open", "resolved"]}
    assert (resolved["customer"], resolved["conversation"]) == (conversation.customer_id, conversation.pk)
    assert resolved["subject"] == {"kind": "conversation", "id": conversation.pk}


def test_a_feed_that_is_read_to_the_end_or_beyond_is_empty(program):
    assert program.get("events?since=999999").json() == {"items": [], "next": None}
    assert program.get("events?since=-1").status_code == 422


def test_whatever_a_program_does_is_recorded_as_done_through_the_api(inbox, workspace):
    owner = make_member(workspace, role="owner")
    program = Program(owner)
    program.token.name = "Till"
    program.token.save()
    conversation = make_conversation(inbox, triage=a_triage())
    head = Event.objects.order_by("-number").first().number
    at = f"conversations/{conversation.pk}"

    program.post(f"{at}/messages", {"text": "It is on its way."})
    program.post(f"{at}/notes", {"text": "VIP"})
    program.post(f"{at}/assign", {"assignee": None})
    program.post(f"{at}/resolve")
    program.post(f"{at}/reopen")
    hook = program.post("webhooks", {"url": "https://hooks.example.org/"}).json()["id"]
    program.call("patch", f"webhooks/{hook}", {"paused": True})
    program.post(f"webhooks/{hook}/secret")
    program.call("delete", f"webhooks/{hook}")

    done = Event.objects.filter(number__gt=head)
    verbs = {"reply.queued", "note.written", "conversation.assigned", "conversation.resolved", "conversation.reopened"}
    verbs |= {"ticket.closed", "webhook.added", "webhook.changed", "webhook.removed"}
    assert verbs <= set(done.values_list("verb", flat=True))
    assert set(done.values_list("cause", "actor")) == {("API: Till", owner.pk)}


def test_what_an_agent_does_on_a_page_is_not_the_api(inbox, member):
    desk.resolve(make_conversation(inbox), by=member)

    assert Event.objects.get(verb="conversation.resolved").cause == "page"
