"""The way in: one customer message, edit, receipt or reaction at a time, each stored exactly once.

The order of locks is always thread, then conversation, then the workspace's event counter.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django_scopes import scope

import nlp
from conversations import routes, senders
from conversations.files import TooLarge, keep
from conversations.models import Conversation, Delivery, File, Inbox, Message, Thread
from conversations.normalized import Attachment, FirstTouch, InboundMessage
from conversations.text import TEXT_LIMIT, clean, clean_line, snippet
from crm.marketing.models import Campaign
from crm.people.models import Identity, Origin
from crm.people.recognition import note_origin, recognise
from crm.workspace import clock
from crm.workspace.events import Change, change

logger = logging.getLogger(__name__)
FUTURE_TOLERANCE = timedelta(days=1)
ADDRESS_LIMIT = 4_000  # characters of a file's address that are kept
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


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
    at = at or clock.now()
    try:
        with change(inbox.workspace, cause=f"{inbox.channel} message") as event:
            place = thread_id_of(inbox, inbound)
            thread = lock_thread(inbox, place, is_public=inbound.is_public, is_group=inbound.is_group)
            identity = _identify(inbox, inbound, at)
            conversation = _conversation_of(event, thread, identity, at)
            message = _store(conversation, thread, identity, inbound, raw_delivery_id, at)
            _attach_files(event, message, inbound.attachments)
            _understand(event, message, triage, at)
            _note_arrival(event, message, at)
    except IntegrityError:
        if _is_stored(inbox, inbound):
            return None
        raise
    logger.info("message in", extra={"conversation": conversation.pk, "message_id": message.pk})
    return message


def _is_stored(inbox: Inbox, inbound: InboundMessage) -> bool:
    with scope(workspace=inbox.workspace):
        key = {"thread__inbox": inbox, "thread__external_id": thread_id_of(inbox, inbound)[:200]}
        return bool(Message.objects.filter(external_id=inbound.external_id[:255], **key).exists())


def thread_id_of(inbox: Inbox, inbound: InboundMessage) -> str:
    """The thread it belongs to: that of the nearest message it refers to which we know, else its own."""
    if not inbound.refers_to:
        return inbound.thread_id
    wanted = [external_id[:255] for external_id in inbound.refers_to]
    known = {"thread__inbox": inbox, "external_id__in": wanted}
    said = Delivery.objects.filter(**known).values_list("external_id", "thread__external_id")
    heard = Message.objects.filter(**known).values_list("external_id", "thread__external_id")
    places = dict([*said, *heard])
    return next((places[external_id] for external_id in wanted if external_id in places), inbound.thread_id)


def lock_thread(inbox: Inbox, external_id: str, *, is_public: bool = False, is_group: bool = False) -> Thread:
    """The thread, made when it is new, locked until the change ends: what follows on it happens one by one."""
    key = {"inbox": inbox, "external_id": external_id[:200]}
    locked = Thread.objects.select_for_update(no_key=True).filter(**key)
    thread: Thread | None = locked.first()
    if thread is None:
        made = Thread(workspace=inbox.workspace, is_public=is_public, is_group=is_group, **key)
        Thread.objects.bulk_create([made], ignore_conflicts=True)
        thread = locked.get()
    thread.inbox, thread.workspace = inbox, inbox.workspace  # known already: not read again
    return thread


def lock_conversation(pk: int) -> Conversation:
    """The conversation with its people, locked until the change ends."""
    found: Conversation = Conversation.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=pk)
    return found


def _identify(inbox: Inbox, inbound: InboundMessage, at: datetime) -> Identity:
    identity, is_new = recognise(inbox.workspace, senders.address_of(inbox, inbound.sender), at)
    if is_new and inbound.first_touch is not None:
        note_origin(identity.customer, _origin(inbox, inbound.first_touch, at))
    return identity


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


def _conversation_of(event: Change, thread: Thread, identity: Identity, at: datetime) -> Conversation:
    if thread.conversation_id is not None:
        conversation = lock_conversation(thread.conversation_id)
        if conversation.is_open:
            return conversation
    conversation = Conversation(workspace=event.workspace, customer=identity.customer, inbox=thread.inbox)
    conversation.opened_at = conversation.last_message_at = at
    conversation.save()
    thread.conversation = conversation
    thread.save(update_fields=["conversation"])
    event.record(
        "conversation.opened", conversation, customer=identity.customer, conversation_id=conversation.pk, at=at
    )
    return conversation


def _store(
    conversation: Conversation,
    thread: Thread,
    identity: Identity,
    inbound: InboundMessage,
    raw_delivery_id: int | None,
    at: datetime,
) -> Message:
    message = Message(
        workspace=thread.workspace,
        conversation=conversation,
        thread=thread,
        seq=conversation.next_seq(),
        direction=Message.Direction.IN,
        author_kind=Message.Author.CUSTOMER,
        identity=identity,
        text=nlp.redact(clean(inbound.text[:TEXT_LIMIT])),
        external_id=inbound.external_id[:255],
        reply_to_external_id=inbound.reply_to[:255],
        details=_details(inbound),
        raw_delivery_id=raw_delivery_id,
        at=at,
        platform_at=_plausible(inbound.at, at),
    )
    message.save(force_insert=True)
    return message


def _details(inbound: InboundMessage) -> dict[str, Any]:
    said = {"flags": list(inbound.flags), "private_thread": inbound.private_thread[:200]}
    return {key: value for key, value in (said | inbound.details).items() if value}


def _plausible(claimed: datetime, at: datetime) -> datetime | None:
    return claimed if EARLIEST < claimed < at + FUTURE_TOLERANCE else None


def _attach_files(event: Change, message: Message, attachments: Sequence[Attachment]) -> None:
    waiting = [attachment for attachment in attachments if _attach(message, attachment)]
    if waiting:
        event.record("file.expected", message, conversation_id=message.conversation_id, at=message.at)


def _attach(message: Message, attachment: Attachment) -> bool:
    """Keep the file with its message; whether its bytes are still to be fetched."""
    if attachment.token:  # uploaded before; only a file of no message yet may be claimed
        File.objects.filter(token=attachment.token, message=None).update(message=message)
        return False
    file = File(workspace=message.workspace, message=message, kind=attachment.kind, details=attachment.details)
    file.name, file.mime = clean_line(attachment.name, 255), clean_line(attachment.mime, 120)
    file.size, file.external_id = attachment.size, clean(attachment.external_id)[:ADDRESS_LIMIT]
    if attachment.data:
        return _keep_bytes(file, attachment.data)
    file.state = File.State.WAITING if attachment.external_id else File.State.READY
    file.save()
    return file.state == File.State.WAITING


def _keep_bytes(file: File, data: bytes) -> bool:
    """Keep what came with the message; too much of it costs the file, not the message."""
    try:
        keep(file, data)
    except TooLarge as error:
        file.state, file.reason = File.State.FAILED, str(error)[:300]
        file.save()
    return False


def _understand(event: Change, message: Message, read: nlp.Triage | None, at: datetime) -> None:
    conversation = message.conversation
    if read is None:
        message.awaits_triage = True
        message.save(update_fields=["awaits_triage"])
        conversation.needs_person = not conversation.function
        return
    triage = routes.keep_triage(message, read, at)
    routes.show_on(conversation, triage)
    routes.route_by_policy(event, message, triage, at)


def _note_arrival(event: Change, message: Message, at: datetime) -> None:
    """Write the message down onto its conversation and customer, for the pages that list them."""
    conversation, customer = message.conversation, message.conversation.customer
    conversation.last_text = snippet(message.text) or file_words(message)
    conversation.last_message_at, conversation.last_by_us = at, False
    conversation.unread += 1
    conversation.waiting_since = conversation.waiting_since or at
    conversation.save()
    customer.last_contact_at = at
    customer.waiting_since = customer.waiting_since or at
    customer.save(update_fields=["last_contact_at", "waiting_since", "mood", "language"])
    event.record("message.received", message, customer=customer, conversation_id=conversation.pk, at=at)


def file_words(message: Message) -> str:
    """What the list shows for a message without text: the name of its first file."""
    first = message.files.first()
    return "" if first is None else f"📎 {first.name or first.kind}"
