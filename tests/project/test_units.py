"""The systemd units of docs/ are what systemd takes for units."""

import shutil
import subprocess
import sys

import pytest

from tests.conftest import left_out
from tests.installation import ROOT

UNITS = {"rapport-web@.service": "rapport-web@8001.service", "rapport-work.service": "", "rapport-schedule.service": ""}


def test_the_units_are_the_parts_of_a_cluster():
    assert {unit.name for unit in (ROOT / "docs" / "systemd").iterdir()} == UNITS.keys()


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_no_fault_in_a_unit(tmp_path, name):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        left_out("the systemd units", "systemd-analyze is not here")
        pytest.skip("systemd-analyze is not here")
    text = (ROOT / "docs" / "systemd" / name).read_text()
    here = text.replace("/opt/rapport/.venv/bin/python", sys.executable).replace("/opt/rapport", str(ROOT))
    unit = tmp_path / (UNITS[name] or name)
    unit.write_text(here)

    done = subprocess.run([verify, "verify", "--man=no", str(unit)], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_would_be_found(tmp_path):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        left_out("the systemd units", "systemd-analyze is not here")
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / "bad.service"
    unit.write_text("[Service]\nExecStart=/nowhere/at/all\n")

    assert subprocess.run([verify, "verify", str(unit)], capture_output=True).returncode != 0
