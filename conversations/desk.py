"""What agents do with a conversation besides answering: take it, assign it, note, resolve, reopen, read, correct."""

from datetime import datetime

from conversations import acts, mood, routes, waiting
from conversations.errors import NothingToSay
from conversations.models import Conversation, Correction, Message, Note, RoutedRecord, Thread, Triage
from conversations.places import lock_conversation
from conversations.text import TEXT_LIMIT, clean
from crm import records
from crm.workspace import clock
from crm.workspace.events import Change, change
from crm.workspace.models import Membership


def assign(
    conversation: Conversation, to: Membership | None, *, by: Membership, at: datetime | None = None
) -> Conversation:
    """The conversation is `to`'s from now on, or nobody's."""
    with change(by.workspace, actor=by, cause="page") as event:
        conversation = lock_conversation(conversation.pk)
        before = conversation.assignee
        if before == to:
            return conversation
        conversation.assignee = to
        conversation.save(update_fields=["assignee"])
        changed = {"assignee": [before.name if before else None, to.name if to else None]}
        at = at or clock.now()
        event.record("conversation.assigned", conversation, conversation_id=conversation.pk, changed=changed, at=at)
    return conversation


def write_note(
    conversation: Conversation, author: Membership, text: str, *, client_id: str, at: datetime | None = None
) -> Note:
    """A note for the team on the conversation; the same `client_id` again gives the first one. Never sent."""
    text = clean(text[:TEXT_LIMIT]).strip()
    if not text:
        raise NothingToSay
    with change(author.workspace, actor=author, cause="page") as event:
        conversation = lock_conversation(conversation.pk)
        known: Note | None = Note.objects.filter(author=author, client_id=client_id).first()
        if known is not None:
            return known
        note = Note(workspace=author.workspace, conversation=conversation, author=author, text=text)
        note.client_id, note.seq, note.at = client_id, conversation.next_seq(), at or clock.now()
        note.save()
        conversation.save(update_fields=["last_seq"])
        event.record("note.written", note, customer=conversation.customer, conversation_id=conversation.pk, at=note.at)
    return note


def resolve(conversation: Conversation, *, by: Membership, at: datetime | None = None) -> Conversation:
    """The matter is settled: its tickets are solved and its campaign responses closed. Leads stay with sales."""
    with change(by.workspace, actor=by, cause="page") as event:
        _lock_threads(conversation)
        conversation, now = lock_conversation(conversation.pk), at or clock.now()
        if not conversation.is_open:
            return conversation
        conversation.status, conversation.resolved_at = Conversation.Status.RESOLVED, now
        conversation.unread, conversation.waiting_since, conversation.needs_person = 0, None, False
        conversation.save()
        Thread.objects.filter(conversation=conversation).update(conversation=None)
        for link in routes.open_links(conversation):
            if link.ticket or link.campaign_response:
                records.close(event, link.record, "solved" if link.ticket else "closed", now)
        waiting.note_on(conversation.customer)
        changed = {"status": ["open", "resolved"]}
        event.record(
            "conversation.resolved",
            conversation,
            customer=conversation.customer,
            conversation_id=conversation.pk,
            changed=changed,
            at=now,
        )
    return conversation


def _lock_threads(conversation: Conversation) -> None:
    """Threads are locked before their conversation, as on the way in: the other order could wait for ever."""
    used = Message.objects.filter(conversation=conversation).values("thread")
    list(Thread.objects.select_for_update(no_key=True).filter(pk__in=used).order_by("pk"))


def reopen(conversation: Conversation, *, by: Membership) -> Conversation:
    """The matter is open again, with the tickets it had. Its threads lead here unless a newer conversation has them."""
    with change(by.workspace, actor=by, cause="page") as event:
        _lock_threads(conversation)
        conversation, now = lock_conversation(conversation.pk), clock.now()
        if conversation.is_open:
            return conversation
        conversation.status, conversation.resolved_at = Conversation.Status.OPEN, None
        conversation.save(update_fields=["status", "resolved_at"])
        used = conversation.messages.values("thread")
        Thread.objects.filter(pk__in=used, conversation=None).update(conversation=conversation)
        for link in RoutedRecord.objects.filter(conversation=conversation, ticket__status="solved"):
            records.reopen(event, link.record, now)
        changed = {"status": ["resolved", "open"]}
        event.record("conversation.reopened", conversation, conversation_id=conversation.pk, changed=changed)
    return conversation


def mark_read(conversation: Conversation, *, by: Membership) -> bool:
    """The team has seen what the customer wrote: whoever opens an unassigned one, else only its assignee."""
    if conversation.unread == 0 or conversation.assignee_id not in (None, by.pk):
        return False
    with change(by.workspace, actor=by, cause="page") as event:
        seen = Conversation.objects.filter(pk=conversation.pk, unread__gt=0)
        if not seen.update(unread=0):
            return False
        event.record("conversation.read", conversation, conversation_id=conversation.pk)
        acts.tell_read(conversation, by=by)
    conversation.unread = 0
    return True


def correct(
    message: Message, *, by: Membership, functions: list[str], intent: str, sentiment: int
) -> Correction | None:
    """What the agent says counts from now on: the right records are open, those this message opened wrongly are void.

    Returns None when nothing differs from what was read. The triage itself stays as it was read.
    """
    with change(by.workspace, actor=by, cause="correction") as event:
        conversation, now = lock_conversation(message.conversation_id), clock.now()
        message.conversation = conversation
        triage: Triage = Triage.objects.select_for_update(no_key=True).get(message=message)
        before = as_corrected(message, triage)
        after = {"functions": functions, "intent": intent, "sentiment": sentiment}
        if before == after and not conversation.needs_person:
            return None
        correction = Correction(workspace=by.workspace, message=message, triage=triage, member=by)
        correction.before, correction.after, correction.at = before, after, now
        correction.save()
        _void_wrong_records(event, message, functions, now)
        conversation.function = functions[0] if functions else ""
        conversation.intent, conversation.needs_person = intent, False
        _correct_mood(conversation, before["sentiment"], sentiment)
        routes.route_by_agent(event, message, functions, intent=intent, member=by, at=now)
        conversation.save()
        conversation.customer.save(update_fields=["mood"])
        event.record(
            "triage.corrected",
            message,
            customer=conversation.customer,
            conversation_id=conversation.pk,
            changed={key: [before[key], after[key]] for key in after if before[key] != after[key]},
        )
    return correction


def label(message: Message, *, by: Membership, functions: list[str], intent: str, sentiment: int) -> Correction:
    """What the agent says is kept to learn from, and nothing else changes: the matter may be long settled.

    When it says what was read, it is a confirmation: the message was looked at, and was read rightly.
    """
    with change(by.workspace, actor=by, cause="correction") as event:
        triage: Triage = Triage.objects.select_for_update(no_key=True).get(message=message)
        said = Correction(workspace=by.workspace, message=message, triage=triage, member=by, at=clock.now())
        said.before = as_corrected(message, triage)
        said.after = {"functions": functions, "intent": intent, "sentiment": sentiment}
        said.save()
        event.record("triage.labelled", message, conversation_id=message.conversation_id)
    return said


def as_corrected(message: Message, triage: Triage) -> dict[str, object]:
    """What counts for a message today: the newest correction, else what was read."""
    newest = Correction.objects.filter(message=message).order_by("-pk").first()
    if newest is not None:
        return dict(newest.after)
    functions = [name for name, _confidence in triage.functions]
    return {"functions": functions, "intent": triage.intent, "sentiment": triage.sentiment}


def _void_wrong_records(event: Change, message: Message, functions: list[str], now: datetime) -> None:
    for link in routes.open_links(message.conversation):
        if link.message_id == message.pk and link.record.function not in functions:
            records.close(event, link.record, "void", now)


def _correct_mood(conversation: Conversation, before: object, after: int) -> None:
    if before == after:
        return
    conversation.mood = mood.after(conversation.mood, float(after))
    conversation.customer.mood = mood.after(conversation.customer.mood, float(after))
