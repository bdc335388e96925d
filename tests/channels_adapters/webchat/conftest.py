from collections.abc import Iterator

import pytest

from channels_adapters import hooks
from channels_adapters.adapters.webchat import limits, pages
from channels_adapters.workers.intake import Intake
from tests.channels_adapters.webchat.chat import Chat, make_chat


@pytest.fixture(autouse=True)
def nobody_has_written_yet() -> None:
    limits.forget()


@pytest.fixture
def chat(transactional_db: None) -> Chat:
    return make_chat()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Intake]:
    """An intake of the test's own, stopped before the database is emptied."""
    intake = Intake()
    for module in (hooks, pages):
        monkeypatch.setattr(module, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()
