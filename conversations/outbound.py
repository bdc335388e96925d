"""The way out: a reply becomes a message and a delivery per part; the edge sends them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from conversations import approved, gate, parts, waiting
from conversations.answering import ANYWHERE, PRIVATE, Place, place_of
from conversations.errors import CannotReply, NothingToSay
from conversations.inbound import file_words
from conversations.models import Conversation, Delivery, File, Inbox, Message, Template
from conversations.places import lock_conversation
from conversations.text import TEXT_LIMIT, clean, clean_line, snippet
from crm.workspace import clock
from crm.workspace.events import Change, change
from crm.workspace.models import Membership

logger = logging.getLogger(__name__)
Purpose = Message.Purpose


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said. `where` and `answered`: as `answering.place_of` takes them."""

    text: str
    files: Sequence[File] = ()
    buttons: Sequence[dict[str, str]] = ()  # label, payload, url
    where: str = ANYWHERE
    answered: Message | None = None
    purpose: str = Purpose.REPLY
    template: dict[str, Any] = field(default_factory=dict)  # name, language, values
    copies: bool = True  # to all whom the answered message went to as well


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
    return queue(conversation, author, Draft(text, files), client_id=client_id, at=at)


def queue_template(
    conversation: Conversation, author: Membership, template: Template, values: Sequence[str], *, client_id: str
) -> Message:
    """Store and queue an approved text, filled in: it leaves where the window is shut. Raises CannotReply."""
    values = approved.checked(template, values)
    use = {"name": template.name, "language": template.language, "values": values}
    purpose = Purpose.MARKETING if template.category == "marketing" else Purpose.REPLY
    draft = Draft(approved.filled(template, values), purpose=purpose, template=use)
    return queue(conversation, author, draft, client_id=client_id)


def queue(
    conversation: Conversation, author: Membership, draft: Draft, *, client_id: str, at: datetime | None = None
) -> Message:
    """As `queue_reply`, for all that can be said."""
    text = clean(draft.text[:TEXT_LIMIT]).strip()
    if not text and not draft.files:
        raise NothingToSay
    with change(author.workspace, actor=author, cause="page") as event:
        conversation = lock_conversation(conversation.pk)
        known = Message.objects.filter(author=author, client_id=client_id).select_related("conversation").first()
        if known is not None:
            return known
        place = place_of(conversation, draft.where, answered=draft.answered)
        objection = _objection(place, draft)
        if objection and place.thread.inbox.state != Inbox.State.DEMO:
            raise CannotReply(objection)
        message = _store(conversation, author, place, draft, text, client_id=client_id, at=at)
        if not objection:
            _queue_parts(message, draft)
        _note_answer(event, conversation, message, draft.files)
    logger.info("reply queued", extra={"conversation": conversation.pk, "message_id": message.pk})
    return message


def _objection(place: Place, draft: Draft) -> str:
    refusal = gate.objection(place.thread, place.identity, draft.purpose)
    if not refusal and not draft.template:
        refusal = gate.window_objection(place.thread, gate.last_heard(place.thread))
    return refusal or _objection_to_buttons(place.thread.inbox, draft.buttons)


def _objection_to_buttons(inbox: Inbox, buttons: Sequence[dict[str, str]]) -> str:
    most, longest = inbox.capabilities.get("buttons") or 0, inbox.capabilities.get("button_limit") or 0
    if len(buttons) > most:
        return _("At most %(most)d buttons can stand under a message here.") % {"most": most}
    if longest and any(len(button["label"]) > longest for button in buttons):
        return _("A button can have %(longest)d characters here.") % {"longest": longest}
    return ""


def _store(
    conversation: Conversation,
    author: Membership,
    place: Place,
    draft: Draft,
    text: str,
    *,
    client_id: str,
    at: datetime | None,
) -> Message:
    message = Message(workspace=author.workspace, conversation=conversation, thread=place.thread)
    message.direction, message.author_kind, message.author = Message.Direction.OUT, Message.Author.AGENT, author
    message.identity, message.purpose = place.identity, draft.purpose
    message.text, message.client_id, message.seq = text, client_id, conversation.next_seq()
    if place.answered is not None and (draft.answered or place.answered.thread.is_public):
        message.reply_to_external_id = place.answered.external_id
    shown: dict[str, Any] = {
        "buttons": list(draft.buttons),
        "template": draft.template,
        "is_private": draft.where == PRIVATE,
    }
    if draft.copies and place.answered is not None:
        shown["copied"] = place.answered.details.get("copied")
    message.details = {key: value for key, value in shown.items() if value}
    message.at = at or clock.now()
    message.save(force_insert=True)
    for file in draft.files:
        file.message = message
        file.save(update_fields=["message"])
    return message


def _queue_parts(message: Message, draft: Draft) -> None:
    can = message.thread.inbox.capabilities
    is_one = draft.template or can.get("whole")
    texts = [message.text] if is_one else parts.split(message.text, can.get("text_limit") or TEXT_LIMIT)
    said = [Delivery(text=text) for text in texts]
    if draft.template:
        said[0].details = {"template": draft.template}
    elif draft.buttons and said:
        said[-1].details = {"buttons": list(draft.buttons)}
    shown = [] if can.get("whole") else [Delivery(file=file) for file in draft.files]  # else they go along
    for number, part in enumerate([*said, *shown]):
        part.workspace, part.thread, part.message, part.part = message.workspace, message.thread, message, number
    Delivery.objects.bulk_create([*said, *shown])


def buttons_of(labels: Sequence[str]) -> list[dict[str, str]]:
    """Buttons that send their own words back."""
    lines = [clean_line(label, 200) for label in labels]
    return [{"label": line, "payload": line, "url": ""} for line in lines if line]


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
