"""The suite itself: what must not run at the same time does not."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_the_tests_of_a_group_are_kept_in_one_worker(request):
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup"):
        assert request.node.nodeid.endswith("@together")  # by this, xdist's scheduler knows them
