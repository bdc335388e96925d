"""Where messages belong: threads and their conversations, locked. The order of locks is always thread, then
conversation, then the workspace's event counter."""

from collections.abc import Sequence
from datetime import datetime

from conversations.models import AlbumPart, Conversation, Delivery, Inbox, Message, Thread
from conversations.normalized import InboundMessage
from conversations.text import ID_LIMIT
from crm.people.models import Customer
from crm.people.recognition import People
from crm.workspace.events import Change

_PLACE = 200  # characters kept of the platform's id of a thread


def lock_thread(inbox: Inbox, external_id: str) -> Thread | None:
    """The thread, locked until the change ends: what follows on it happens one by one. None when there is none."""
    found: Thread | None = _locked(inbox, [external_id[:_PLACE]]).get(external_id[:_PLACE])
    return found


def lock_conversation(pk: int) -> Conversation:
    """The conversation with its people, locked until the change ends."""
    return _lock_conversations([pk])[pk]


def _locked(inbox: Inbox, external_ids: Sequence[str]) -> dict[str, Thread]:
    rows = Thread.objects.select_for_update(no_key=True).filter(inbox=inbox, external_id__in=external_ids)
    found = {thread.external_id: thread for thread in rows.order_by("pk")}
    for thread in found.values():
        thread.inbox, thread.workspace = inbox, inbox.workspace  # known already: not read again
    return found


def _lock_conversations(pks: Sequence[int]) -> dict[int, Conversation]:
    rows = Conversation.objects.select_for_update(of=("self",), no_key=True).with_people().filter(pk__in=pks)
    return {conversation.pk: conversation for conversation in rows.order_by("pk")}


class Places:
    """The threads and open conversations that a few messages of one inbox belong to, read at once."""

    def __init__(self, inbox: Inbox, messages: Sequence[InboundMessage], people: People) -> None:
        self._inbox = inbox
        self._said_on = _threads_by_message(inbox, {each for message in messages for each in message.refers_to})
        names = {name[:_PLACE] for message in messages for name in _other_names(message)}
        self._threads = _locked(inbox, sorted(names | {self._id_of(message) for message in messages}))
        pks = {thread.conversation_id for thread in self._threads.values() if thread.conversation_id is not None}
        self._conversations = _lock_conversations(sorted(pks)) if pks else {}
        for conversation in self._conversations.values():
            conversation.customer = people.meet(conversation.customer)

    @property
    def conversations(self) -> list[Conversation]:
        """Those that the threads led to before."""
        return list(self._conversations.values())

    def thread_of(self, event: Change, inbound: InboundMessage) -> Thread:
        """The message's thread, new or locked."""
        place = self._id_of(inbound)
        self._said_on[inbound.external_id[:ID_LIMIT]] = place
        thread = self._threads.get(place) or self._renamed(event, inbound, place)
        if thread is None:
            thread = Thread(workspace=event.workspace, inbox=self._inbox, external_id=place)
            thread.is_public, thread.is_group = inbound.is_public, inbound.is_group
            self._threads[place] = thread
            event.add(thread)
        return thread

    def _renamed(self, event: Change, inbound: InboundMessage, place: str) -> Thread | None:
        """The sender's thread by another of their addresses, which goes by the new name from now on."""
        known = (self._threads.get(name[:_PLACE]) for name in _other_names(inbound))
        thread = next((thread for thread in known if thread is not None), None)
        if thread is not None:
            del self._threads[thread.external_id]
            thread.external_id = place
            self._threads[place] = thread
            event.touch(thread, "external_id")
        return thread

    def conversation_of(self, event: Change, thread: Thread, customer: Customer, at: datetime) -> Conversation:
        """The thread's open conversation; a new one with the customer when none is open."""
        known = self._conversations.get(thread.conversation_id or 0) or getattr(thread, "conversation", None)
        if known is not None and known.is_open:
            return known
        conversation = Conversation(workspace=event.workspace, customer=customer, inbox=self._inbox)
        conversation.opened_at = conversation.last_message_at = at
        conversation.is_public = thread.is_public
        event.add(conversation)
        thread.conversation = conversation
        event.touch(thread, "conversation")
        event.record("conversation.opened", conversation, customer=customer, conversation=conversation, at=at)
        return conversation

    def _id_of(self, inbound: InboundMessage) -> str:
        """That of the nearest message it refers to which we know, else its own."""
        known = (self._said_on[each[:ID_LIMIT]] for each in inbound.refers_to if each[:ID_LIMIT] in self._said_on)
        return next(known, inbound.thread_id)[:_PLACE]


def _other_names(inbound: InboundMessage) -> tuple[str, ...]:
    """What a person's own thread may have been called before: by the addresses that the platform says are theirs."""
    if not inbound.sender.also or inbound.is_group or inbound.is_public:
        return ()
    return tuple(name for name in (inbound.sender.address, *inbound.sender.also) if name != inbound.thread_id)


def _threads_by_message(inbox: Inbox, external_ids: set[str]) -> dict[str, str]:
    if not external_ids:
        return {}
    known = {"thread__inbox": inbox, "external_id__in": {external_id[:ID_LIMIT] for external_id in external_ids}}
    said = Delivery.objects.filter(**known).values_list("external_id", "thread__external_id")
    heard = Message.objects.filter(**known).values_list("external_id", "thread__external_id")
    return dict([*said, *heard])


def thread_id_of(inbox: Inbox, inbound: InboundMessage) -> str:
    """The platform's id of the thread the message belongs to."""
    known = _threads_by_message(inbox, set(inbound.refers_to))
    return next((known[each[:ID_LIMIT]] for each in inbound.refers_to if each[:ID_LIMIT] in known), inbound.thread_id)


def is_stored(inbox: Inbox, inbound: InboundMessage) -> bool:
    """Whether this outside message is stored already, on the thread it belongs to."""
    names = [name[:_PLACE] for name in (thread_id_of(inbox, inbound), *_other_names(inbound))]
    place = {"thread__inbox": inbox, "thread__external_id__in": names, "external_id": inbound.external_id[:ID_LIMIT]}
    return bool(Message.objects.filter(**place).exists() or AlbumPart.objects.filter(**place).exists())
