"""The one way to change a workspace: `with change(workspace) as event: ... event.record("ticket.opened", ...)`.

Events are collected inside, numbered and inserted once as the transaction's last statement under the workspace's
counter row, and announced after the commit. A change inside a change joins it behind a savepoint: when the inner
one fails, its rows and its events are gone and the outer one goes on.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F
from django_scopes import scope

from crm.workspace import clock, hints
from crm.workspace.models import Counter, Event, Membership, Workspace

_current: ContextVar["Change | None"] = ContextVar("current_change", default=None)
_door: ContextVar[str] = ContextVar("door", default="")


class Change:
    """The events of one transaction, in the order they were recorded."""

    def __init__(self, workspace: Workspace, actor: Membership | None, cause: str) -> None:
        self.workspace = workspace
        self.actor = actor
        self.cause = cause
        self.events: list[Event] = []

    def record(self, verb: str, subject: models.Model | None = None, **facts: Any) -> Event:
        """Note that `verb` happened to `subject`. `facts`: customer, conversation_id, changed, at, actor."""
        facts.setdefault("actor", self.actor)
        facts.setdefault("at", clock.now())
        event = Event(workspace=self.workspace, verb=verb, cause=self.cause, **facts)
        event.policy_version = self.workspace.policy_version
        if subject is not None:
            event.subject_kind, event.subject_id = subject._meta.model_name or "", subject.pk
        self.events.append(event)
        return event


@contextlib.contextmanager
def through(door: str) -> Iterator[None]:
    """What is changed inside came by this door, whatever the changing function is mostly used for: "API: Till"."""
    token = _door.set(door[:120])
    try:
        yield
    finally:
        _door.reset(token)


@contextlib.contextmanager
def change(workspace: Workspace, *, actor: Membership | None = None, cause: str = "") -> Iterator[Change]:
    """A transaction in the workspace's scope whose events are numbered, stored and announced together."""
    outer, cause = _current.get(), _door.get() or cause
    if outer is not None and outer.workspace.pk == workspace.pk:
        with _joined(outer, actor, cause) as inner:
            yield inner
        return
    with scope(workspace=workspace), transaction.atomic():
        collected = Change(workspace, actor, cause)
        token = _current.set(collected)
        try:
            yield collected
        finally:
            _current.reset(token)
        _store(collected)


@contextlib.contextmanager
def _joined(outer: Change, actor: Membership | None, cause: str) -> Iterator[Change]:
    inner = Change(outer.workspace, actor or outer.actor, cause or outer.cause)
    token = _current.set(inner)
    try:
        with transaction.atomic():
            yield inner
    finally:
        _current.reset(token)
    outer.events += inner.events


def _store(collected: Change) -> None:
    if not collected.events:
        return
    workspace, count = collected.workspace, len(collected.events)
    head = _raise_head(workspace, count)
    for number, event in enumerate(collected.events, start=head - count + 1):
        event.number = number
    Event.objects.bulk_create(collected.events)

    verbs = frozenset(event.verb for event in collected.events)

    def announce() -> None:
        hints.announce(workspace.pk, head, verbs)

    transaction.on_commit(announce, robust=True)


def _raise_head(workspace: Workspace, count: int) -> int:
    """The workspace's new head; its counter row stays locked until the commit."""
    with connection.cursor() as cursor:  # one statement where the ORM needs two, on the path of every message
        cursor.execute(
            "UPDATE crm_workspace SET event_head = event_head + %s WHERE id = %s RETURNING event_head",
            [count, workspace.pk],
        )
        head: int = cursor.fetchone()[0]
    return head


def next_number(workspace: Workspace, kind: str) -> int:
    """The next number of a kind of record, from 1. Call it inside a `change`."""
    rows = Counter.objects.filter(workspace=workspace, kind=kind)
    if not rows.update(value=F("value") + 1):
        Counter.objects.bulk_create([Counter(workspace=workspace, kind=kind)], ignore_conflicts=True)
        rows.update(value=F("value") + 1)
    return rows.values_list("value", flat=True).get()
