"""The rows of a change that are stored together at its end: one statement a table, however many rows."""

from collections.abc import Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.db import connection, models

from crm.workspace.models import Counter, Workspace

Row = models.Model


class Pending:
    """New and changed rows, in the order they were named. A row without a `number` gets the next of its kind."""

    def __init__(self) -> None:
        self._new: dict[type[Row], list[Any]] = {}
        self._changed: dict[type[Row], dict[int, tuple[Any, set[str]]]] = {}

    def add(self, row: Row) -> None:
        self._new.setdefault(type(row), []).append(row)

    def touch(self, row: Row, fields: Iterable[str]) -> None:
        """The row's `fields` are to be written; one that is new is written whole anyway."""
        if row._state.adding:
            return
        _row, names = self._changed.setdefault(type(row), {}).setdefault(row.pk, (row, set()))
        names.update(fields)

    def store(self, workspace: Workspace) -> None:
        """Write everything: what a row points at before the row."""
        new, self._new = self._new, {}
        for model in _in_order(frozenset(new)):
            _give_numbers(workspace, model, [row for row in new[model] if getattr(row, "number", 0) is None])
            model._default_manager.bulk_create(new[model])
        changed, self._changed = self._changed, {}
        for model in _in_order(frozenset(changed)):
            _write(model, [changed[model][pk] for pk in sorted(changed[model])])  # one order for all: no deadlock


@cache
def _in_order(kinds: frozenset[type[Row]]) -> Sequence[type[Row]]:
    graph = {model: _points_at(model) & kinds - {model} for model in sorted(kinds, key=lambda kind: kind.__name__)}
    return tuple(TopologicalSorter(graph).static_order())


def _points_at(model: type[Row]) -> set[type[Row]]:
    related = (field.related_model for field in model._meta.concrete_fields if field.is_relation)
    return {target for target in related if isinstance(target, type)}


def _write(model: type[Row], rows: list[tuple[Any, set[str]]]) -> None:
    if len(rows) == 1:
        [(row, fields)] = rows
        row.save(update_fields=fields)
        return
    fields = set().union(*(names for _row, names in rows))
    model._default_manager.bulk_create(  # each row exists, so that this is one UPDATE of many
        [row for row, _names in rows], update_conflicts=True, unique_fields=["pk"], update_fields=sorted(fields)
    )


def _give_numbers(workspace: Workspace, model: type[Row], rows: list[Any]) -> None:
    if not rows:
        return
    last = raise_counter(workspace, model._meta.model_name or "", len(rows))
    for number, row in enumerate(rows, start=last - len(rows) + 1):
        row.number = number


def raise_counter(workspace: Workspace, kind: str, count: int) -> int:
    """The last of `count` new numbers of a kind of record; its row stays locked until the commit."""
    table = Counter._meta.db_table
    with connection.cursor() as cursor:  # the ORM's upsert cannot add to what is there
        cursor.execute(
            f"INSERT INTO {table} (workspace_id, kind, value) VALUES (%s, %s, %s) "  # noqa: S608  # a table's name
            f"ON CONFLICT (workspace_id, kind) DO UPDATE SET value = {table}.value + excluded.value RETURNING value",
            [workspace.pk, kind, count],
        )
        last: int = cursor.fetchone()[0]
    return last
