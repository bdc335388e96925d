import pytest
from django_scopes import ScopeError, scopes_disabled

from crm.models import Customer, Event, Workspace
from crm.workspace import hints
from crm.workspace.events import change, next_number
from tests.factories import make_workspace


def test_events_are_numbered_without_gaps(workspace):
    for _ in range(3):
        with change(workspace) as event:
            event.record("ticket.opened")
            event.record("ticket.closed")

    assert list(Event.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Workspace.objects.get(pk=workspace.pk).event_head == 6


def test_a_change_that_fails_leaves_neither_rows_nor_events(workspace):
    def half_done():
        with change(workspace) as event:
            Customer.objects.create(workspace=workspace, name="Ada")
            event.record("customer.made")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()

    assert Customer.objects.count() == 0
    assert Event.objects.count() == 0


def test_a_failed_change_inside_another_loses_only_its_own(workspace):
    def half_done():
        with change(workspace) as inner:
            inner.record("lost")
            raise RuntimeError

    with change(workspace) as outer:
        outer.record("first")
        with pytest.raises(RuntimeError):
            half_done()
        outer.record("second")

    assert list(Event.objects.values_list("verb", flat=True)) == ["first", "second"]


def test_two_workspaces_count_for_themselves(workspace):
    other = make_workspace(name="Other")
    with change(workspace) as event:
        event.record("a")
    with change(other) as event:
        event.record("b")

    with scopes_disabled():
        assert set(Event.objects.values_list("workspace", "number")) == {(workspace.pk, 1), (other.pk, 1)}


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_after_the_commit_and_one_that_fails_harms_nobody():
    workspace, heard = make_workspace(), []

    def broken(workspace_id, number, verbs):
        raise RuntimeError

    def listener(workspace_id, number, verbs):
        with scopes_disabled():
            heard.append((workspace_id, number, Event.objects.count()))

    hints.listen(broken)
    hints.listen(listener)
    try:
        with change(workspace) as event:
            event.record("a")
            assert heard == []
    finally:
        hints.forget(broken)
        hints.forget(listener)

    assert heard == [(workspace.pk, 1, 1)]


def test_records_of_a_kind_are_numbered_per_workspace(workspace):
    with change(workspace):
        numbers = [next_number(workspace, "ticket"), next_number(workspace, "ticket"), next_number(workspace, "lead")]

    assert numbers == [1, 2, 1]


@pytest.mark.django_db
def test_a_query_without_a_workspace_is_refused():
    with pytest.raises(ScopeError):
        Customer.objects.count()


def test_a_query_sees_only_its_workspace(workspace):
    other = make_workspace(name="Other")
    with scopes_disabled():
        Customer.objects.create(workspace=other, name="Foreign")

    assert Customer.objects.count() == 0
