from collections.abc import Iterator

import pytest
from django_scopes import scope

from channels_adapters import registry
from crm.models import Membership, Workspace
from tests.channels_adapters.toy import ToyAdapter
from tests.factories import make_member, make_workspace


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    """A workspace whose scope is open for the test."""
    made = make_workspace()
    with scope(workspace=made):
        yield made


@pytest.fixture
def member(workspace: Workspace) -> Membership:
    return make_member(workspace)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> type[ToyAdapter]:
    """The toy channel beside the real ones, for the length of a test."""
    monkeypatch.setitem(registry.channels(), "toy", ToyAdapter)
    ToyAdapter.sent.clear()
    ToyAdapter.asked.clear()
    ToyAdapter.acted.clear()
    ToyAdapter.trouble = ToyAdapter.arrived = None
    return ToyAdapter
