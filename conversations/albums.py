"""Albums: pictures that a platform delivers one by one, and that are one message here.

The ids of all parts lead to the message: an edit, a reaction or an answer to any of them finds it.
"""

from collections.abc import Sequence

from django.db.models import Q

from conversations.models import AlbumPart, Conversation, Inbox, Message
from conversations.normalized import InboundMessage
from conversations.text import ID_LIMIT


def album_of(inbound: InboundMessage) -> str:
    """The platform's id of the album that the message is a part of; '' when it stands for itself."""
    named = (str(attachment.details.get("album") or "") for attachment in inbound.attachments)
    return next(filter(None, named), "")[:ID_LIMIT]


class Albums:
    """Messages of an inbox whose albums grow with these arrivals, read at once."""

    def __init__(self, inbox: Inbox, inbounds: Sequence[InboundMessage], conversations: Sequence[Conversation]) -> None:
        names = {name for inbound in inbounds if (name := album_of(inbound))}
        self._known: dict[tuple[str, str], Message] = {}
        if not names:
            return
        locked = {conversation.pk: conversation for conversation in conversations}
        parts = AlbumPart.objects.filter(thread__inbox=inbox, album__in=names, message__conversation__in=locked)
        for part in parts.select_related("message", "thread"):
            part.message.conversation, part.message.thread = locked[part.message.conversation_id], part.thread
            self._known[part.thread.external_id, part.album] = part.message

    def begun(self, thread_id: str, inbound: InboundMessage) -> Message | None:
        """The message that this one belongs to; None where it begins an album, is of none, or the matter is closed."""
        message = self._known.get((thread_id, album_of(inbound)))
        return message if message is not None and message.conversation.is_open else None

    def note(self, message: Message, inbound: InboundMessage) -> AlbumPart | None:
        """To be stored: that `inbound` is a part of the message. None when it is of no album."""
        album = album_of(inbound)
        if not album:
            return None
        self._known[message.thread.external_id, album] = message
        part = AlbumPart(workspace_id=message.workspace_id, thread=message.thread, message=message, album=album)
        part.external_id = inbound.external_id[:ID_LIMIT]
        return part


def first_id(inbox: Inbox, external_id: str, on: Q) -> str:
    """The id by which a message is stored whose part has this id; the id itself where it is no album's.

    `on` says on which threads: many platforms number the messages of each chat anew.
    """
    parts = AlbumPart.objects.filter(on, thread__inbox=inbox, external_id=external_id[:ID_LIMIT])
    found = parts.values_list("message__external_id", flat=True).first()
    return external_id[:ID_LIMIT] if found is None else str(found)
