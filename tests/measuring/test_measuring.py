"""The measuring tools in their short form; RAPPORT_LONG=1 runs the long one."""

import os

import pytest

from tests.measuring import bench, chaos

pytestmark = pytest.mark.xdist_group("journeys")  # one server at a time
IS_LONG = bool(os.environ.get("RAPPORT_LONG"))


def test_nothing_is_lost_doubled_or_disordered_when_the_process_is_killed(capsys):
    counts = ("1000", "300", "8") if IS_LONG else ("100", "30", "2")

    failed = chaos.main(["--inbound", counts[0], "--replies", counts[1], "--kills", counts[2]])

    said = capsys.readouterr().out
    assert failed == 0, said
    assert "0 lost, 0 doubled" in said


def test_the_way_of_a_message_is_printed_beside_its_floor(capsys):
    bench.main(["--messages", "200" if IS_LONG else "20", "--large", "1000000" if IS_LONG else "20000"])

    said = capsys.readouterr().out
    assert "webhook to agent socket" in said
    assert "floor: insert, commit, push" in said
