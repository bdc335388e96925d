"""The measuring tools in their short form; RAPPORT_LONG=1 runs the long one."""

import os

import pytest

from tests.conftest import left_out
from tests.measuring import bench, chaos
from tests.servers import missing

pytestmark = pytest.mark.xdist_group("journeys")  # one server at a time
IS_LONG = bool(os.environ.get("RAPPORT_LONG"))


@pytest.mark.parametrize("store", ["sqlite", "cluster"])
def test_nothing_is_lost_doubled_or_disordered_when_processes_are_killed(capsys, store):
    if store == "cluster" and missing():
        left_out("faults on the cluster", f"not here: {', '.join(missing())}")
        pytest.skip("PostgreSQL, Redis or nginx is not here")
    counts = ("2000", "500", "8") if IS_LONG else ("100", "30", "2")

    failed = chaos.main(["--store", store, "--inbound", counts[0], "--replies", counts[1], "--kills", counts[2]])

    said = capsys.readouterr().out
    assert failed == 0, said
    assert "0 lost, 0 doubled" in said


def test_the_way_of_a_message_is_printed_beside_its_floor(capsys):
    bench.main(["--messages", "200" if IS_LONG else "20", "--large", "1000000" if IS_LONG else "20000"])

    said = capsys.readouterr().out
    assert "webhook to agent socket" in said
    assert "floor: insert, commit, push" in said
    assert "webhook acknowledged at half of the sustained rate" in said
    assert "insert and commit alone" in said
