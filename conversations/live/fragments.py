"""What changed since an event number, rendered once for every viewer."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.template.loader import render_to_string
from django_scopes import scope

import conversations.timeline as timeline
from conversations.models import Conversation, Message, Note
from crm.workspace.models import Event, Workspace

TOO_FAR_BEHIND = 300  # events; a tab further back loads its page anew
FRAME = 150  # events drawn at once for those who follow
TOO_MUCH_TO_FOLLOW = 3_000  # events; after a flood like this every tab loads its page anew

OF_MESSAGE = {
    "message.received",
    "message.edited",
    "message.deleted",
    "message.reacted",
    "message.hidden",
    "message.shown",
    "message.liked",
    "message.unliked",
    "act.queued",
    "reply.queued",
    "delivery.changed",
    "file.ready",
}
OF_ROUTE = {"message.routed", "triage.corrected"}
OF_ARRIVAL = {"message.received", "message.routed", "file.expected"}
NOTE = "note.written"
LINES = {"conversation.resolved", "conversation.reopened", "conversation.assigned"}
COUNTED = {"conversation.opened", *LINES}  # what moves the numbers beside the views


@dataclass(frozen=True, slots=True)
class Frame:
    """The changes between two event numbers. `threads`: those whose messages changed, for the visitors' sockets."""

    start: int
    end: int
    is_reset: bool = False
    rows: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    threads: frozenset[int] = frozenset()

    @property
    def is_full(self) -> bool:
        """Whether more may follow at once."""
        return self.end - self.start >= FRAME

    def as_json(self) -> dict[str, Any]:
        if self.is_reset:
            return {"type": "reset", "to": self.end}
        return {
            "type": "events",
            "from": self.start,
            "to": self.end,
            "rows": self.rows,
            "entries": self.entries,
            "touched": self.touched,
            "counts": self.counts,
        }


def head_of(workspace: Workspace) -> int:
    """The number of the workspace's newest event."""
    return Workspace.objects.values_list("event_head", flat=True).get(pk=workspace.pk)


def since(workspace: Workspace, number: int) -> Frame:
    """What happened after event `number`; a reset when it is too far back, or ahead of us (a restored database)."""
    with scope(workspace=workspace):
        later = Event.objects.filter(number__gt=number).select_related("actor__agent").order_by("number")
        events = list(later[: TOO_FAR_BEHIND + 1])  # without gaps: the last one's number is the head
        head = events[-1].number if events else head_of(workspace)
        if number > head or head - number > TOO_FAR_BEHIND:
            return Frame(number, head_of(workspace), is_reset=True)
        return _drawn(number, head, events)


def following(workspace: Workspace, number: int) -> Frame:
    """The next frame for those who have seen everything until `number`; another may follow at once."""
    with scope(workspace=workspace):
        later = Event.objects.filter(number__gt=number).select_related("actor__agent").order_by("number")
        events = list(later[:FRAME])
        is_all = len(events) < FRAME
        head = head_of(workspace) if not events or not is_all else events[-1].number
        if number > head or head - number > TOO_MUCH_TO_FOLLOW:
            return Frame(number, head, is_reset=True)
        return _drawn(number, events[-1].number if events else head, events)


def _drawn(number: int, head: int, events: list[Event]) -> Frame:
    """What the events after `number` until `head` changed."""
    touched = list(dict.fromkeys(event.conversation_id for event in events if event.conversation_id))
    conversations = Conversation.objects.with_people().in_bulk(touched)
    rows: list[str] = [
        render_to_string("conversations/_row.html", {"conversation": row}) for row in conversations.values()
    ]
    entries, threads = _entries(events, conversations)
    counts = counts_of_open() if any(event.verb in COUNTED for event in events) else {}
    return Frame(number, head, False, rows, entries, touched, counts, frozenset(threads))


def _entries(events: list[Event], conversations: dict[int, Conversation]) -> tuple[list[dict[str, Any]], set[int]]:
    """What the threads show anew, each once, in the order it happened; and the threads with a message among it."""
    messages = _messages(events, conversations)
    notes = timeline.notes_for_page(event.subject_id or 0 for event in events if event.verb == NOTE)
    shown: dict[str, tuple[int | None, str, dict[str, Any]]] = {}
    for event in events:
        for key, template, context in _parts(event, messages, notes):
            shown.setdefault(key, (event.conversation_id, template, context))
    entries = [
        {"conversation": conversation, "html": render_to_string(f"conversations/_{template}.html", context)}
        for conversation, template, context in shown.values()
    ]
    said = {event.subject_id for event in events if event.verb in OF_MESSAGE}
    return entries, {message.thread_id for pk, message in messages.items() if pk in said}


def _messages(events: list[Event], conversations: dict[int, Conversation]) -> dict[int, Message]:
    """The messages that the events are about. Most have just come in, and of those less needs to be asked."""
    verbs: dict[int, set[str]] = {}
    for event in events:
        if event.verb in OF_MESSAGE | OF_ROUTE | OF_ARRIVAL and event.subject_id is not None:
            verbs.setdefault(event.subject_id, set()).add(event.verb)
    new = {pk for pk, seen in verbs.items() if "message.received" in seen and seen <= OF_ARRIVAL}
    found = timeline.arrivals_for_page(new, conversations) if new else {}
    others = verbs.keys() - new
    return found | timeline.messages_for_page(others) if others else found


def _parts(event: Event, messages: dict[int, Message], notes: dict[int, Note]) -> list[tuple[str, str, dict[str, Any]]]:
    """Key, partial and context of what an event changes in its thread; nothing for what is gone."""
    subject = event.subject_id or 0
    if event.verb in OF_MESSAGE and subject in messages:
        return [(f"message {subject}", "message", {"message": messages[subject]})]
    if event.verb in OF_ROUTE and subject in messages:
        routes = timeline.routes_of(messages[subject])
        return [(f"route {route.pk}", "route", {"route": route}) for route in routes]
    if event.verb == NOTE and subject in notes:
        return [(f"note {subject}", "note", {"note": notes[subject]})]
    return [(f"line {event.number}", "line", {"event": event})] if event.verb in LINES else []


def counts_of_open() -> dict[str, Any]:
    """How many conversations are open: all, unassigned, and by member."""
    by_member = dict(Conversation.objects.open().values_list("assignee").annotate(Count("pk")).order_by())
    unassigned = by_member.pop(None, 0)
    total = unassigned + sum(by_member.values())
    return {"all": total, "unassigned": unassigned, "by_member": {str(pk): count for pk, count in by_member.items()}}
