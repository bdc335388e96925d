import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `manage.py check` says under these settings."""
    known = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment}
    return subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=known, capture_output=True, text=True)


@pytest.mark.parametrize(
    "name,value",
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DEBUG", "perhaps"),
        ("PUBLIC_URL", "desk.example.org"),
        ("PUBLIC_URL", "https://desk.example.org/path"),
        ("ENCRYPTION_KEYS", "short"),
        ("DATA_DIR", "/proc/nowhere"),
        ("TRUSTED_PROXIES", "the proxy"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(tmp_path, name, value):
    done = start(tmp_path, **{name: value})

    assert done.returncode != 0
    assert done.stderr.startswith(f"Rapport cannot start: {name} ")
    assert done.stderr.count("\n") == 1


def test_keys_are_made_once_and_kept_for_their_owner_only(tmp_path):
    assert start(tmp_path).returncode == 0
    kept = (tmp_path / "keys.json").read_text()

    assert start(tmp_path).returncode == 0

    assert (tmp_path / "keys.json").read_text() == kept
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name,value",
    [
        ("DATABASE_URL", "mysql://someone:secret@localhost/rapport"),
        ("DATABASE_URL", "postgres"),
        ("DATABASE_URL", "postgres://localhost"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://localhost:6379/first"),
    ],
)
def test_a_wrong_store_stops_the_start_with_one_line_that_names_it_and_no_password(tmp_path, name, value):
    done = start(tmp_path, **{name: value})

    assert done.returncode != 0
    assert done.stderr.startswith(f"Rapport cannot start: {name} ")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_part_of_a_cluster_is_refused_without_its_stores(tmp_path):
    known = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "serve", "--only", "work"]
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.strip().endswith("one process needs neither.")
    assert "--only needs DATABASE_URL" in done.stderr
