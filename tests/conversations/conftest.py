from collections.abc import Iterator

import pytest
from django_scopes import scope

from crm.models import Membership, Workspace
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
