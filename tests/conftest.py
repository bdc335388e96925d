"""What every test stands on: the database, the workers of a test, and what this machine lacks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_data_dir = tempfile.mkdtemp(prefix="rapport-test-")
os.environ["DATA_DIR"] = _data_dir  # before the settings are read: nothing of an installation is touched
os.environ.pop("PUBLIC_URL", None)
os.environ["DEBUG"] = "false"

LEFT_OUT: list[str] = []
NOT_BESIDE = "does not lie beside the repository"  # what .ci/run cannot install: a run without it is whole, and says so
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def left_out(what: str, why: str) -> None:
    """Say at the end that `what` was not tested here.

    Under RAPPORT_NOTHING_LEFT_OUT the run fails, unless `why` is NOT_BESIDE.
    """
    line = f"left out: {what} ({why})"
    if line not in LEFT_OUT:
        LEFT_OUT.append(line)


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_configure() -> None:
    """Each of xdist's workers has a database of Redis, and a prefix on its layer, to itself."""
    from django.conf import settings

    from project import stores

    if settings.REDIS_URL:
        number = "".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or "0"
        settings.REDIS_URL = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{int(number) + 1}"
        settings.REDIS_PREFIX = stores.redis_prefix(settings.REDIS_URL)
        settings.CHANNEL_LAYERS = {"default": stores.channel_layer(settings.REDIS_URL)}
        settings.CACHES = {"default": stores.cache(settings.REDIS_URL)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chromium() is None and any(item.get_closest_marker("journey") for item in items):
        left_out("journeys in a browser", "there is no Chromium: install Debian's package chromium")
        items[:] = [item for item in items if not item.get_closest_marker("journey")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in LEFT_OUT:
        terminalreporter.write_line(line)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """What a worker of xdist left out counts for the whole run."""
    found: list[str] = getattr(node, "workeroutput", {}).get("left_out", [])
    LEFT_OUT.extend(line for line in found if line not in LEFT_OUT)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = LEFT_OUT
    can_be_had = [line for line in LEFT_OUT if NOT_BESIDE not in line]
    if can_be_had and os.environ.get("RAPPORT_NOTHING_LEFT_OUT"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    shutil.rmtree(_data_dir, ignore_errors=True)


@pytest.fixture(autouse=True)
def fast_passwords_and_own_files(settings: object, tmp_path: Path) -> None:
    """Files of a test lie in its own folder, and a login costs nothing."""
    settings.MEDIA_ROOT = tmp_path / "files"  # type: ignore[attr-defined]
    settings.MODELS_ROOT = tmp_path / "models"  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def no_adapter_is_remembered() -> Iterator[None]:
    """Adapters are kept per inbox key for two seconds; a test starts with none."""
    from channels_adapters import connections

    yield
    connections.forget()
