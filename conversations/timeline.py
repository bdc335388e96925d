"""What a conversation's page shows, in order: messages with their routes, notes, and lines for what was done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from conversations.models import AlbumPart, Conversation, Delivery, File, Message, Note, Route
from crm.workspace.models import Event

LINES = ("conversation.resolved", "conversation.reopened", "conversation.assigned")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the timeline. `kind`: message, note, route or line; its partial is `_<kind>.html`."""

    kind: str
    thing: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """`earlier`: what to pass as `before` to see what came before; None at the beginning."""

    entries: list[Entry] = field(default_factory=list)
    earlier: int | None = None


def entries(conversation: Conversation, *, before: int | None = None, limit: int = 60) -> Timeline:
    """The newest `limit` messages and notes before place `before` (None: at the end), oldest first, and what
    belongs between them."""
    messages = of_page().filter(conversation=conversation)
    notes = Note.objects.filter(conversation=conversation).select_related("author__agent")
    if before is not None:
        messages, notes = messages.filter(seq__lt=before), notes.filter(seq__lt=before)
    shown: list[Message | Note] = [*messages.order_by("-seq")[: limit + 1], *notes.order_by("-seq")[: limit + 1]]
    shown.sort(key=lambda said: said.seq, reverse=True)
    is_more, shown = len(shown) > limit, shown[:limit][::-1]
    find_quotes(said for said in shown if isinstance(said, Message))
    lines = _lines(conversation, shown[0].at if is_more else None, _end_of(conversation, before))
    return Timeline(_woven(shown, lines), shown[0].seq if is_more else None)


def _end_of(conversation: Conversation, before: int | None) -> datetime | None:
    """When the first thing that the reader has already seen was said."""
    if before is None:
        return None
    said = Message.objects.filter(conversation=conversation, seq=before).values_list("at", flat=True)
    noted = Note.objects.filter(conversation=conversation, seq=before).values_list("at", flat=True)
    found: datetime | None = said.first() or noted.first()
    return found


def _lines(conversation: Conversation, since: datetime | None, until: datetime | None) -> list[Event]:
    done = Event.objects.filter(conversation_id=conversation.pk, verb__in=LINES).select_related("actor__agent")
    if since is not None:
        done = done.filter(at__gte=since)
    if until is not None:
        done = done.filter(at__lt=until)
    return list(done.order_by("number"))


def _woven(shown: list[Message | Note], lines: list[Event]) -> list[Entry]:
    woven: list[Entry] = []
    waiting = lines[::-1]
    for said in shown:
        while waiting and waiting[-1].at < said.at:
            line = waiting.pop()
            woven.append(Entry("line", line, line.at))
        if isinstance(said, Note):
            woven.append(Entry("note", said, said.at))
            continue
        woven.append(Entry("message", said, said.at))
        woven += [Entry("route", route, said.at) for route in routes_of(said)]
    return woven + [Entry("line", line, line.at) for line in reversed(waiting)]


def routes_of(message: Message) -> list[Route]:
    """What was decided for a message that `of_page` gave, each with what `_route.html` shows."""
    routes = list(message.routes.all())
    for route in routes:
        route.message = message  # with the triage that is loaded already
    return routes


def of_page() -> QuerySet[Message]:
    """Messages with what their partial shows."""
    found: QuerySet[Message] = Message.objects.select_related("author__agent", "identity", "thread__inbox", "triage")
    return found.select_related("conversation__customer", "conversation__inbox").prefetch_related(
        "files", "reactions", "deliveries", "revisions", "corrections", "routes__member__agent"
    )


def find_quotes(messages: Iterable[Message]) -> None:
    """Give each message `quoted`: the message it answers, when we know it, else None."""
    messages = list(messages)
    for message in messages:
        message.quoted = None  # type: ignore[attr-defined]  # a fact of the page, not of the table
    asking = [message for message in messages if message.reply_to_external_id]
    if not asking:
        return
    known = _by_outside_id(asking)
    for message in asking:
        key = (message.thread_id, message.reply_to_external_id)
        message.quoted = known.get(key)  # type: ignore[attr-defined]  # as above


def _by_outside_id(asking: list[Message]) -> dict[tuple[int, str], Message]:
    ids = Q(
        thread__in={message.thread_id for message in asking},
        external_id__in={message.reply_to_external_id for message in asking},
    )
    received = Message.objects.filter(ids)
    known = {(message.thread_id, message.external_id): message for message in received}
    for part in AlbumPart.objects.filter(ids).select_related("message"):
        known[part.thread_id, part.external_id] = part.message
    for part in Delivery.objects.filter(ids).select_related("message"):
        if part.message is not None:
            known[part.thread_id, part.external_id] = part.message
    return known


def messages_for_page(pks: Iterable[int]) -> dict[int, Message]:
    """The messages with what `_message.html` and `_route.html` show, by key; those that are gone are left out."""
    found = {message.pk: message for message in of_page().filter(pk__in=set(pks))}
    find_quotes(found.values())
    return found


def arrivals_for_page(pks: Iterable[int], conversations: Mapping[int, Conversation]) -> dict[int, Message]:
    """As `messages_for_page`, of messages that just came in: nothing can have been done to them that is shown yet."""
    found = Message.objects.select_related("identity", "thread", "triage").in_bulk(list(pks))
    for message in found.values():
        message.conversation = conversations[message.conversation_id]
    wanted = {"message__in": list(found)}
    _give(found, "files", File.objects.filter(**wanted) if found else ())
    _give(found, "routes", Route.objects.select_related("member__agent").filter(**wanted) if found else ())
    for nothing in ("reactions", "deliveries", "revisions", "corrections"):
        _give(found, nothing, ())
    find_quotes(found.values())
    return found


def _give(messages: Mapping[int, Message], name: str, rows: Iterable[File | Route]) -> None:
    """What a prefetch does, without its query set for each message, which costs more than the message."""
    by_message: dict[int | None, list[File | Route]] = {pk: [] for pk in messages}
    for row in rows:
        by_message[row.message_id].append(row)
    for pk, message in messages.items():
        message.__dict__.setdefault("_prefetched_objects_cache", {})[name] = by_message[pk]


def message_for_page(pk: int) -> Message | None:
    """A message with what `_message.html` shows."""
    return messages_for_page([pk]).get(pk)


def notes_for_page(pks: Iterable[int]) -> dict[int, Note]:
    """The notes with what `_note.html` shows, by key."""
    wanted = set(pks)
    found = Note.objects.select_related("author__agent").filter(pk__in=wanted) if wanted else []
    return {note.pk: note for note in found}
