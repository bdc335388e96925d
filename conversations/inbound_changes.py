"""What comes in beside messages: edits, deletions, reactions and receipts; what people and platforms say of themselves.

Each may arrive before what it is about, twice, or too late: then nothing changes and False is returned.
"""

from functools import singledispatch

from django.db.models import Q, QuerySet

import nlp
from conversations import receipts, standing
from conversations.albums import first_id
from conversations.live import typing
from conversations.models import Delivery, Inbox, Message, Reaction, Revision, Thread
from conversations.normalized import (
    Blocked,
    ConnectionLost,
    Deletion,
    Edit,
    IdentityMoved,
    Inbound,
    OptedOut,
    PersonChanged,
    Reacted,
    ReadUpTo,
    Receipt,
    ThreadMoved,
    Writing,
)
from conversations.places import lock_conversation, lock_thread
from conversations.senders import known_identity
from conversations.text import ID_LIMIT, TEXT_LIMIT, clean, clean_line, snippet
from crm.workspace import clock
from crm.workspace.events import change


@singledispatch
def apply(inbound: Inbound, inbox: Inbox) -> bool:
    """Take in one change; True when something is different now."""
    raise TypeError(f"nothing takes in a {type(inbound).__name__}")


def _about(inbox: Inbox, inbound: Reacted | Edit | Deletion) -> QuerySet[Message]:
    """The message it is about, if we have it."""
    on = _on_its_thread(inbound)
    known = Message.objects.select_related("conversation__customer", "thread").filter(on, thread__inbox=inbox)
    return known.filter(external_id=first_id(inbox, inbound.target, on))


def _message(inbox: Inbox, inbound: Edit | Deletion) -> Message | None:
    """The message it is about, its thread locked."""
    found = _about(inbox, inbound)
    known = found.first()
    if known is None:
        return None
    lock_thread(inbox, known.thread.external_id)
    message: Message | None = found.first()
    return message


@apply.register
def _edit(inbound: Edit, inbox: Inbox) -> bool:
    with change(inbox.workspace, cause=f"{inbox.channel} edit") as event:
        message = _message(inbox, inbound)
        text = nlp.redact(clean(inbound.text[:TEXT_LIMIT]))
        if message is None or message.is_ours or message.text == text:
            return False
        if message.edited_at is not None and message.edited_at >= inbound.at:
            return False
        Revision.objects.create(workspace=inbox.workspace, message=message, text=message.text)
        before, message.text, message.edited_at = message.text, text, inbound.at
        message.save(update_fields=["text", "edited_at"])
        conversation = lock_conversation(message.conversation_id)
        if conversation.last_text == (snippet(before)):
            conversation.last_text = snippet(text)
            conversation.save(update_fields=["last_text"])
        event.record("message.edited", message, customer=conversation.customer, conversation_id=conversation.pk)
    return True


@apply.register
def _deletion(inbound: Deletion, inbox: Inbox) -> bool:
    with change(inbox.workspace, cause=f"{inbox.channel} deletion") as event:
        message = _message(inbox, inbound)
        if message is None or message.deleted_at is not None:
            return False
        message.deleted_at = clock.now()
        message.save(update_fields=["deleted_at"])
        customer = message.conversation.customer
        event.record("message.deleted", message, customer=customer, conversation_id=message.conversation_id)
    return True


@apply.register
def _reacted(inbound: Reacted, inbox: Inbox) -> bool:
    with change(inbox.workspace, cause=f"{inbox.channel} reaction") as event:
        message = _about(inbox, inbound).first() or _sent(inbox, inbound)
        identity = known_identity(inbox, inbound.sender)
        if message is None or identity is None:
            return False
        wanted = {clean_line(emoji, 40) for emoji in inbound.emojis}
        standing = Reaction.objects.filter(message=message, identity=identity)
        had = set(standing.values_list("emoji", flat=True))
        if inbound.others_stand:
            wanted |= had - {clean_line(emoji, 40) for emoji in inbound.before}
        if had == wanted:
            return False
        standing.exclude(emoji__in=wanted).delete()
        for emoji in wanted - had:
            Reaction.objects.create(workspace=inbox.workspace, message=message, identity=identity, emoji=emoji)
        customer = message.conversation.customer
        event.record("message.reacted", message, customer=customer, conversation_id=message.conversation_id)
    return True


def _on_its_thread(inbound: Reacted | Edit | Deletion) -> Q:
    if not inbound.thread_id and not inbound.within:
        return Q()  # the platform names none: the message's id has to do
    named = Q(thread__external_id=inbound.thread_id[:200])
    return named | Q(thread__external_id__startswith=inbound.within) if inbound.within else named


def _sent(inbox: Inbox, inbound: Reacted) -> Message | None:
    sent = Delivery.objects.filter(_on_its_thread(inbound), thread__inbox=inbox, external_id=inbound.target[:ID_LIMIT])
    found = sent.select_related("message__conversation__customer").first()
    return found.message if found else None


@apply.register
def _receipt(inbound: Receipt, inbox: Inbox) -> bool:
    return receipts.take(inbox, inbound)


@apply.register
def _read_up_to(inbound: ReadUpTo, inbox: Inbox) -> bool:
    return receipts.take_read_mark(inbox, inbound)


@apply.register
def _writing(inbound: Writing, inbox: Inbox) -> bool:
    """Shown to the team for a moment, and nowhere kept."""
    known = Thread.objects.select_related("conversation__customer").filter(inbox=inbox)
    thread = known.filter(external_id=inbound.thread_id[:200]).exclude(conversation=None).first()
    if thread is not None:
        typing.customer_types(thread, clean_line(inbound.sender.name, 160) or thread.conversation.customer.name)
    return False


@apply.register
def _identity_moved(inbound: IdentityMoved, inbox: Inbox) -> bool:
    return standing.identity_moved(inbox, inbound)


@apply.register
def _person_changed(inbound: PersonChanged, inbox: Inbox) -> bool:
    return standing.person_changed(inbox, inbound)


@apply.register
def _opted_out(inbound: OptedOut, inbox: Inbox) -> bool:
    return standing.opted_out(inbox, inbound)


@apply.register
def _connection_lost(inbound: ConnectionLost, inbox: Inbox) -> bool:
    return standing.connection_lost(inbox, inbound)


@apply.register
def _blocked(inbound: Blocked, inbox: Inbox) -> bool:
    with change(inbox.workspace, cause=f"{inbox.channel} block") as event:
        identity = known_identity(inbox, inbound.sender)
        if identity is None or (identity.blocked_at is not None) == inbound.is_blocked:
            return False
        identity.blocked_at = clock.now() if inbound.is_blocked else None
        identity.save(update_fields=["blocked_at"])
        verb = "identity.blocked" if inbound.is_blocked else "identity.unblocked"
        event.record(verb, identity, customer=identity.customer)
    return True


@apply.register
def _thread_moved(inbound: ThreadMoved, inbox: Inbox) -> bool:
    with change(inbox.workspace, cause=f"{inbox.channel} thread moved") as event:
        known = Thread.objects.select_for_update(no_key=True).filter(inbox=inbox)
        thread: Thread | None = known.filter(external_id=inbound.thread_id[:200]).first()
        if thread is None or known.filter(external_id=inbound.new_thread_id[:200]).exists():
            return False
        thread.external_id = inbound.new_thread_id[:200]
        thread.save(update_fields=["external_id"])
        event.record("thread.moved", thread, conversation_id=thread.conversation_id)
    return True
