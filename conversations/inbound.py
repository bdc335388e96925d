"""The way in: customer messages, one or a batch of an inbox, each stored exactly once and in order.

A batch is read, worked through in memory message by message, and written with one statement a table.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django_scopes import scope

import nlp
from conversations import routes, senders
from conversations.albums import Albums
from conversations.models import File, Inbox, Message
from conversations.normalized import Attachment, FirstTouch, InboundMessage
from conversations.places import Places, is_stored
from conversations.text import ID_LIMIT, TEXT_LIMIT, clean, clean_json, clean_line, snippet
from crm.marketing.models import Campaign
from crm.people.models import Identity, Origin
from crm.people.recognition import People, note_origin
from crm.workspace import clock
from crm.workspace.events import Change, change

logger = logging.getLogger(__name__)
FUTURE_TOLERANCE = timedelta(days=1)
ADDRESS_LIMIT = 4_000  # characters of a file's address that are kept
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# what an arrival changes: an agent may write the other columns at the same moment
_OF_CUSTOMER = ("last_contact_at", "waiting_since", "mood", "language")
_OF_CONVERSATION = (
    *("last_seq", "last_text", "last_message_at", "last_by_us", "unread", "waiting_since"),
    *("function", "intent", "urgency", "language", "mood", "needs_person"),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer's message with what was read in it; `triage` is None when it could not be read in time."""

    message: InboundMessage
    triage: nlp.Triage | None
    raw_delivery_id: int | None = None


def receive_message(
    inbox: Inbox,
    inbound: InboundMessage,
    *,
    triage: nlp.Triage | None,
    raw_delivery_id: int | None = None,
    at: datetime | None = None,
) -> Message | None:
    """Store one customer message on its thread, opening a conversation if none is open.

    Returns None when this outside message is stored already. `triage` is None when it could not be read in time:
    the sweep reads it later. `at` is the time of arrival, now unless history is loaded.
    """
    arrival = Arrival(inbound, triage, raw_delivery_id)
    try:
        return receive_messages(inbox, [arrival], at=at)[0]
    except IntegrityError:
        with scope(workspace=inbox.workspace):
            if is_stored(inbox, inbound):
                return None
    return receive_messages(inbox, [arrival], at=at)[0]  # somebody made the thread or the person at the same moment


def receive_messages(inbox: Inbox, arrivals: Sequence[Arrival], *, at: datetime | None = None) -> list[Message]:
    """Store customer messages of one inbox in their order; all of them or, when one cannot be stored, none.

    Raises IntegrityError when one is stored already, and then it is to be tried one by one with `receive_message`.
    """
    at = at or clock.now()
    with change(inbox.workspace, cause=f"{inbox.channel} message") as event:
        people = People(senders.address_of(inbox, arrival.message.sender) for arrival in arrivals)
        places = Places(inbox, [arrival.message for arrival in arrivals], people)
        under_way = routes.open_functions(*places.conversations)
        taken = {id(conversation): under_way[conversation.pk] for conversation in places.conversations}
        albums = Albums(inbox, [arrival.message for arrival in arrivals], places.conversations)
        way = _Way(event, inbox, people, places, albums, taken, at)
        messages = [way.take(arrival) for arrival in arrivals]
    for message in messages:
        logger.info("message in", extra={"conversation": message.conversation_id, "message_id": message.pk})
    return messages


@dataclass(frozen=True, slots=True)
class _Way:
    """What the messages of a batch share on their way in.

    `taken`: by the object of a conversation, since a new one has no key yet, the functions that have a record in it.
    """

    event: Change
    inbox: Inbox
    people: People
    places: Places
    albums: Albums
    taken: dict[int, set[str]]
    at: datetime

    def take(self, arrival: Arrival) -> Message:
        event, inbound, at = self.event, arrival.message, self.at
        thread = self.places.thread_of(event, inbound)
        identity = self._identify(inbound)
        begun = self.albums.begun(thread.external_id, inbound)
        if begun is not None:
            return self._join(begun, arrival)
        conversation = self.places.conversation_of(event, thread, identity.customer, at)
        message = Message(workspace=event.workspace, conversation=conversation, thread=thread, identity=identity)
        message.seq, message.at, message.raw_delivery_id = conversation.next_seq(), at, arrival.raw_delivery_id
        _fill(message, inbound, at)
        event.add(message)
        files = _attach_files(event, message, inbound.attachments)
        self._note_part(message, inbound)
        self._understand(message, arrival.triage)
        _note_arrival(event, message, files)
        return message

    def _join(self, message: Message, arrival: Arrival) -> Message:
        """A further part of an album: its file, and the words that one of the parts has, belong to the message."""
        event, conversation = self.event, message.conversation
        _attach_files(event, message, arrival.message.attachments)
        self._note_part(message, arrival.message)
        text = _text_of(arrival.message)
        if text and not message.text:
            message.text = text
            self._understand(message, arrival.triage)
            event.touch(message, "text", "awaits_triage")
            if conversation.last_seq == message.seq:
                conversation.last_text = snippet(text)
            event.touch(conversation, *_OF_CONVERSATION)
            event.touch(conversation.customer, *_OF_CUSTOMER)
        event.record("message.edited", message, customer=conversation.customer, conversation=conversation, at=self.at)
        return message

    def _note_part(self, message: Message, inbound: InboundMessage) -> None:
        part = self.albums.note(message, inbound)
        if part is not None:
            self.event.add(part)

    def _identify(self, inbound: InboundMessage) -> Identity:
        address = senders.address_of(self.inbox, inbound.sender)
        identity, is_new = self.people.recognise(self.event, address, self.at)
        if is_new and inbound.first_touch is not None:
            note_origin(self.event, identity.customer, _origin(self.inbox, inbound.first_touch, self.at))
        return identity

    def _understand(self, message: Message, read: nlp.Triage | None) -> None:
        conversation = message.conversation
        message.awaits_triage = read is None
        if read is None:
            conversation.needs_person = not conversation.function
            return
        triage = routes.keep_triage(self.event, message, read, self.at)
        routes.show_on(conversation, triage)
        taken = self.taken.setdefault(id(conversation), set())
        routes.route_by_policy(self.event, message, triage, taken, self.at)


def _origin(inbox: Inbox, touch: FirstTouch, at: datetime) -> Origin:
    code = clean_line(touch.utm_campaign or touch.payload, 120)
    return Origin(
        at=at,
        channel=inbox.channel,
        url=clean_line(touch.url, 1000),
        referrer=clean_line(touch.referrer, 1000),
        utm_source=clean_line(touch.utm_source, 120),
        utm_medium=clean_line(touch.utm_medium, 120),
        utm_campaign=clean_line(touch.utm_campaign, 120),
        payload=clean_line(touch.payload, 120),
        campaign=Campaign.objects.filter(code=code).first() if code else None,
    )


def _fill(message: Message, inbound: InboundMessage, at: datetime) -> None:
    message.direction, message.author_kind = Message.Direction.IN, Message.Author.CUSTOMER
    message.text = _text_of(inbound)
    message.external_id, message.reply_to_external_id = inbound.external_id[:ID_LIMIT], inbound.reply_to[:ID_LIMIT]
    message.details, message.platform_at = _details(inbound), _plausible(inbound.at, at)


def _text_of(inbound: InboundMessage) -> str:
    """What is stored of the words."""
    return nlp.redact(clean(inbound.text[:TEXT_LIMIT]))


def _details(inbound: InboundMessage) -> dict[str, Any]:
    said = {"flags": list(inbound.flags), "private_thread": inbound.private_thread[:200]}
    return {key: clean_json(value) for key, value in (said | inbound.details).items() if value}


def _plausible(claimed: datetime, at: datetime) -> datetime | None:
    return claimed if EARLIEST < claimed < at + FUTURE_TOLERANCE else None


def _attach_files(event: Change, message: Message, attachments: Sequence[Attachment]) -> list[File]:
    """Keep the files with their message."""
    files = [file for attachment in attachments if (file := _attach(event, message, attachment))]
    if any(file.state == File.State.WAITING for file in files):
        event.record("file.expected", message, conversation=message.conversation, at=message.at)
    return files


def _attach(event: Change, message: Message, attachment: Attachment) -> File | None:
    if attachment.token:  # uploaded before; only a file of no message yet may be claimed
        uploaded: File | None = File.objects.filter(token=attachment.token, message=None).first()
        if uploaded is not None:
            uploaded.message = message
            event.touch(uploaded, "message")
        return uploaded
    file = File(workspace=event.workspace, message=message, kind=attachment.kind, details=attachment.details)
    file.name, file.mime = clean_line(attachment.name, 255), clean_line(attachment.mime, 120)
    file.size, file.external_id = attachment.size, clean(attachment.external_id)[:ADDRESS_LIMIT]
    file.state = File.State.WAITING if attachment.external_id else File.State.READY
    event.add(file)
    return file


def _note_arrival(event: Change, message: Message, files: Sequence[File]) -> None:
    """Write the message down onto its conversation and customer, for the pages that list them."""
    conversation, customer, at = message.conversation, message.conversation.customer, message.at
    conversation.last_text = snippet(message.text) or file_words(files)
    conversation.last_message_at, conversation.last_by_us = at, False
    conversation.unread += 1
    conversation.waiting_since = conversation.waiting_since or at
    customer.last_contact_at = at
    customer.waiting_since = customer.waiting_since or at
    event.touch(conversation, *_OF_CONVERSATION)
    event.touch(customer, *_OF_CUSTOMER)
    event.record("message.received", message, customer=customer, conversation=conversation, at=at)


def file_words(files: Sequence[File]) -> str:
    """What the list shows for a message without text: the name of its first file."""
    return f"📎 {files[0].name or files[0].kind}" if files else ""
