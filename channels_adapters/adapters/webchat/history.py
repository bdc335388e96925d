"""What a visitor may read: their own thread and nothing else. Notes and other people's messages are never looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django_scopes import scope

from channels_adapters.adapters.webchat import visitors
from conversations import inbound_changes
from conversations.models import Delivery, File, Inbox, Message, Thread
from conversations.normalized import Receipt
from crm.workspace import clock

AT_FIRST = 50  # messages
AGAIN = 20  # messages before the cursor that are shown again, since they may have changed
AT_ONCE = 500
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")

Cursor = tuple[int, int]  # conversation, seq: compared from left to right
START: Cursor = (0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A visitor on an inbox."""

    inbox: Inbox
    visitor: str


def read_cursor(text: str) -> Cursor | None:
    """The cursor written as `<conversation>.<seq>`, or None."""
    found = _CURSOR.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def write_cursor(cursor: Cursor) -> str:
    return f"{cursor[0]}.{cursor[1]}"


def cursor_of(messages: Sequence[Message]) -> Cursor:
    """The place of the last one; START when there is none."""
    return (messages[-1].conversation_id, messages[-1].seq) if messages else START


def thread_of(place: Place) -> Thread | None:
    """The visitor's thread; None before their first message."""
    with scope(workspace=place.inbox.workspace):
        threads = Thread.objects.select_related("conversation__customer")
        found: Thread | None = threads.filter(inbox=place.inbox, external_id=place.visitor).first()
    return found


def messages(place: Place, since: Cursor | None = None) -> list[Message]:
    """The newest messages of the visitor's thread, or all after `since` and a few before it. Oldest first."""
    with scope(workspace=place.inbox.workspace):
        shown = _visible(place)
        count = AT_FIRST
        if since is not None:
            after = Q(conversation_id__gt=since[0]) | Q(conversation_id=since[0], seq__gt=since[1])
            count = min(shown.filter(after).count() + AGAIN, AT_ONCE)
        newest = shown.select_related("author__agent").prefetch_related("files", "deliveries")
        return list(reversed(newest.order_by("-conversation_id", "-seq")[:count]))


def _visible(place: Place) -> "QuerySet[Message]":
    """Their own messages, and ours once they are sent: one that is held back was never said."""
    sent = Delivery.objects.filter(message=OuterRef("pk"), kind=Delivery.Kind.SEND, state=Delivery.State.SENT)
    found = Message.objects.filter(thread__inbox=place.inbox, thread__external_id=place.visitor)
    visible: QuerySet[Message] = found.filter(Q(direction=Message.Direction.IN) | Exists(sent))
    return visible


def render(place: Place, found: Sequence[Message]) -> list[str]:
    """Each message as its HTML."""
    with timezone.override(place.inbox.workspace.time_zone):
        return [render_to_string("webchat/_message.html", _context(place, message)) for message in found]


def _context(place: Place, message: Message) -> dict[str, object]:
    shown = [] if message.deleted_at else list(message.files.all())
    return {
        "message": message,
        "inbox": place.inbox,
        "is_unread": message.is_ours
        and any(part.read_at is None for part in message.deliveries.all() if not part.is_act),
        "files": [(file, visitors.link_proof(place.visitor, file.token)) for file in shown],
    }


def batch(rendered: Sequence[str], cursor: Cursor) -> str:
    """Messages in the envelope that the page reads: with its cursor and our time in milliseconds."""
    context = {"rendered": rendered, "cursor": write_cursor(cursor), "now": milliseconds(clock.now())}
    return render_to_string("webchat/_batch.html", context)


def milliseconds(at: datetime) -> int:
    """Of a moment that is not before `at`: what was sent until then is not after it."""
    return int(at.timestamp() * 1000) + 1


def note_arrived(place: Place, found: Sequence[Message]) -> None:
    """Our parts of these messages are on the visitor's page now."""
    now = clock.now()
    for message in found:
        for part in message.deliveries.all() if message.is_ours else ():
            if part.state == Delivery.State.SENT and part.delivered_at is None and not part.is_act:
                inbound_changes.apply(Receipt(place.visitor, part.external_id, "delivered", now), place.inbox)


def file_of(place: Place, token: str) -> File | None:
    """A file of a message that the visitor can see, or None."""
    with scope(workspace=place.inbox.workspace):
        shown = _visible(place).filter(deleted_at=None)
        found: File | None = File.objects.filter(token=token, state=File.State.READY, message__in=shown).first()
    return found
