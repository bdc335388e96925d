"""The one way to change a workspace: `with change(workspace) as event: ... event.record("ticket.opened", ...)`.

Events are collected inside, numbered and inserted once as the transaction's last statement under the workspace's
counter row, and announced after the commit. Rows given to `event.add` and `event.touch` are written together at the
change's end. A change inside a change joins it behind a savepoint: when the inner one fails, its rows and its events
are gone and the outer one goes on.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from django.db import connection, models, transaction
from django_scopes import scope

from crm.workspace import clock, hints
from crm.workspace.models import Event, Membership, Workspace
from crm.workspace.pending import Pending, raise_counter

_current: ContextVar["Change | None"] = ContextVar("current_change", default=None)
_door: ContextVar[str] = ContextVar("door", default="")


class Change:
    """The events of one transaction, in the order they were recorded, and the rows that are stored at its end."""

    def __init__(self, workspace: Workspace, actor: Membership | None, cause: str) -> None:
        self.workspace = workspace
        self.actor = actor
        self.cause = cause
        self.events: list[Event] = []
        self._named: list[tuple[Event, models.Model | None, models.Model | None]] = []  # keys that are not known yet
        self._rows = Pending()

    def add(self, row: models.Model) -> None:
        """Store a new row when the change ends, or at `store`; it has no key before then."""
        self._rows.add(row)

    def touch(self, row: models.Model, *fields: str) -> None:
        """Write the row's fields when the change ends, as they are then."""
        self._rows.touch(row, fields)

    def store(self) -> None:
        """Store the rows so far, for a step that needs their keys."""
        self._rows.store(self.workspace)
        for event, subject, conversation in self._named:
            if subject is not None:
                event.subject_id = subject.pk
            if conversation is not None:
                event.conversation_id = conversation.pk
        self._named.clear()

    def record(
        self, verb: str, subject: models.Model | None = None, *, conversation: models.Model | None = None, **facts: Any
    ) -> Event:
        """Note that `verb` happened to `subject`. `facts`: customer, conversation_id, changed, at, actor."""
        facts.setdefault("actor", self.actor)
        facts.setdefault("at", clock.now())
        event = Event(workspace=self.workspace, verb=verb, cause=self.cause, **facts)
        event.policy_version = self.workspace.policy_version
        if subject is not None:
            event.subject_kind, event.subject_id = subject._meta.model_name or "", subject.pk
        self.events.append(event)
        self._named.append((event, subject, conversation))
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
        collected.store()
        _number(collected)


@contextlib.contextmanager
def _joined(outer: Change, actor: Membership | None, cause: str) -> Iterator[Change]:
    inner = Change(outer.workspace, actor or outer.actor, cause or outer.cause)
    token = _current.set(inner)
    try:
        with transaction.atomic():
            yield inner
            inner.store()
    finally:
        _current.reset(token)
    outer.events += inner.events


def _number(collected: Change) -> None:
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
    return raise_counter(workspace, kind, 1)
