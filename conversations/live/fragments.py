"""What changed since an event number, rendered once for every viewer."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.template.loader import render_to_string
from django_scopes import scope

from conversations.models import Conversation, Message, Route
from conversations.timeline import message_for_page, note_for_page, route_for_page
from crm.workspace.models import Event, Workspace

TOO_FAR_BEHIND = 300  # events; a tab further back loads its page anew

OF_MESSAGE = {
    "message.received",
    "message.edited",
    "message.deleted",
    "message.reacted",
    "reply.queued",
    "delivery.changed",
    "file.ready",
}
OF_ROUTE = {"message.routed", "triage.corrected"}
LINES = {"conversation.resolved", "conversation.reopened", "conversation.assigned"}


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
        head = head_of(workspace)
        if number > head or head - number > TOO_FAR_BEHIND:
            return Frame(number, head, is_reset=True)
        events = list(Event.objects.filter(number__gt=number, number__lte=head).select_related("actor__agent"))
        touched = list(dict.fromkeys(event.conversation_id for event in events if event.conversation_id))
        entries, threads = _entries(events)
        counts = counts_of_open() if touched else {}
        return Frame(number, head, False, _rows(touched), entries, touched, counts, frozenset(threads))


def _rows(touched: list[int]) -> list[str]:
    found = Conversation.objects.with_people().filter(pk__in=touched)
    return [render_to_string("conversations/_row.html", {"conversation": row}) for row in found]


def _entries(events: list[Event]) -> tuple[list[dict[str, Any]], set[int]]:
    rendered: dict[tuple[str, int], dict[str, Any]] = {}
    threads: set[int] = set()
    for event in events:
        for key in _keys(event):
            rendered.setdefault(key, {"conversation": event.conversation_id, "event": event})
    for (kind, pk), entry in rendered.items():
        event = entry.pop("event")
        entry["html"] = _render(kind, pk, event, threads)
    return [entry for entry in rendered.values() if entry["html"]], threads


def _keys(event: Event) -> list[tuple[str, int]]:
    if event.verb in OF_MESSAGE and event.subject_id:
        return [("message", event.subject_id)]
    if event.verb == "note.written" and event.subject_id:
        return [("note", event.subject_id)]
    if event.verb in OF_ROUTE:
        routes = Route.objects.filter(message_id=event.subject_id).values_list("pk", flat=True)
        return [("route", pk) for pk in routes]
    return [("line", event.number)] if event.verb in LINES else []


def _render(kind: str, pk: int, event: Event, threads: set[int]) -> str:
    if kind == "line":
        return render_to_string("conversations/_line.html", {"event": event})
    thing = {
        "message": message_for_page,
        "note": note_for_page,
        "route": route_for_page,
    }[kind](pk)
    if thing is None:
        return ""
    if isinstance(thing, Message):
        threads.add(thing.thread_id)
    return render_to_string(f"conversations/_{kind}.html", {kind: thing})


def counts_of_open() -> dict[str, Any]:
    """How many conversations are open: all, unassigned, and by member."""
    by_member = dict(Conversation.objects.open().values_list("assignee").annotate(Count("pk")).order_by())
    unassigned = by_member.pop(None, 0)
    total = unassigned + sum(by_member.values())
    return {"all": total, "unassigned": unassigned, "by_member": {str(pk): count for pk, count in by_member.items()}}
