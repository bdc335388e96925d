"""The way out: a reply becomes a message and a delivery per part; the edge sends them."""

import logging
from collections.abc import Sequence
from datetime import datetime

from conversations import gate, parts, waiting
from conversations.errors import CannotReply, NothingToSay
from conversations.inbound import file_words
from conversations.models import Conversation, Delivery, File, Inbox, Message, Thread
from conversations.places import lock_conversation
from conversations.text import TEXT_LIMIT, clean, snippet
from crm.people.models import Identity
from crm.workspace import clock
from crm.workspace.events import Change, change
from crm.workspace.models import Membership

logger = logging.getLogger(__name__)


def queue_reply(
    conversation: Conversation,
    author: Membership,
    text: str,
    *,
    client_id: str,
    files: Sequence[File] = (),
    at: datetime | None = None,
) -> Message:
    """Store the agent's reply and queue its parts; the same `client_id` again gives the first message.

    It leaves on the thread the customer last wrote on. Raises NothingToSay or CannotReply, and then stores nothing.
    `at` is now unless history is loaded.
    """
    text = clean(text[:TEXT_LIMIT]).strip()
    if not text and not files:
        raise NothingToSay
    with change(author.workspace, actor=author, cause="page") as event:
        conversation = lock_conversation(conversation.pk)
        known = Message.objects.filter(author=author, client_id=client_id).select_related("conversation").first()
        if known is not None:
            return known
        thread, identity = _address(conversation)
        objection = gate.objection(thread, identity, Message.Purpose.REPLY)
        if objection and thread.inbox.state != Inbox.State.DEMO:
            raise CannotReply(objection)
        message = Message(workspace=author.workspace, conversation=conversation, thread=thread, identity=identity)
        message.direction, message.author_kind, message.author = Message.Direction.OUT, Message.Author.AGENT, author
        message.text, message.client_id, message.seq = text, client_id, conversation.next_seq()
        message.at = at or clock.now()
        message.save(force_insert=True)
        for file in files:
            file.message = message
            file.save(update_fields=["message"])
        if not objection:
            _queue_parts(message, files)
        _note_answer(event, conversation, message, files)
    logger.info("reply queued", extra={"conversation": conversation.pk, "message_id": message.pk})
    return message


def _address(conversation: Conversation) -> tuple[Thread, Identity | None]:
    heard = conversation.messages.filter(direction=Message.Direction.IN)
    last = heard.select_related("thread__inbox", "identity").order_by("-seq").first()
    if last is not None:
        return last.thread, last.identity
    thread = conversation.threads.select_related("inbox").first()
    if thread is None:
        raise CannotReply("This conversation has no thread to answer on.")
    return thread, None


def _queue_parts(message: Message, files: Sequence[File]) -> None:
    limit = message.thread.inbox.capabilities.get("text_limit") or TEXT_LIMIT
    said = [Delivery(text=text) for text in parts.split(message.text, limit)]
    shown = [Delivery(file=file) for file in files]
    for number, part in enumerate([*said, *shown]):
        part.workspace, part.thread, part.message, part.part = message.workspace, message.thread, message, number
    Delivery.objects.bulk_create([*said, *shown])


def _note_answer(event: Change, conversation: Conversation, message: Message, files: Sequence[File]) -> None:
    conversation.last_text = snippet(message.text) or file_words(files)
    conversation.last_message_at, conversation.last_by_us = message.at, True
    conversation.first_answered_at = conversation.first_answered_at or message.at
    conversation.waiting_since, conversation.unread = None, 0
    is_taken = conversation.assignee_id is None  # who answers, has it
    if is_taken:
        conversation.assignee = message.author
    conversation.save()
    customer = conversation.customer
    waiting.note_on(customer)
    event.record("reply.queued", message, customer=customer, conversation_id=conversation.pk, at=message.at)
    if is_taken:  # after the reply, as the thread shows it when it is loaded anew
        event.record("conversation.assigned", conversation, conversation_id=conversation.pk, at=message.at)
