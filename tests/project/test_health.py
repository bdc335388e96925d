import json
import signal
import threading

import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError

import nlp
from channels_adapters.workers.running import EVERYTHING, SCHEDULE, Workers
from crm.workspace import pace
from project import health
from tests.conftest import left_out
from tests.servers import Redis, binary

pytestmark = pytest.mark.django_db(transaction=True)


class Alive:
    """A worker that goes round."""

    def __init__(self, name):
        self.name, self.pace = name, pace.Pace()

    def is_alive(self):
        return True


@pytest.fixture
def workers(monkeypatch):
    """Workers of one process that all go round, and a loaded pipeline."""
    made = Workers()
    made.intake, made.dispatch, made.teller = Alive("intake"), Alive("dispatch"), Alive("webhooks")
    monkeypatch.setattr(health, "workers", lambda: made)
    monkeypatch.setattr(nlp, "ready", lambda: True)
    return made


@pytest.fixture
def redis(settings):
    if binary("redis-server") is None:
        left_out("health with Redis", "redis-server is not here")
        pytest.skip("redis-server is not here")
    with Redis() as server:
        settings.REDIS_URL = server.url
        health._redis_client.cache_clear()
        yield server
        health._redis_client().close()
    health._redis_client.cache_clear()


async def ask(path="/health/ready"):
    answer = await HttpCommunicator(health.health, "GET", path).get_response(timeout=10)
    return answer["status"], json.loads(answer["body"])


async def test_a_process_with_all_its_parts_is_ready(workers, settings):
    settings.REDIS_URL = ""

    assert await ask() == (
        200,
        {"ready": True, "database": "ok", "disk": "ok", "workers": "ok", "triage": "ok"},
    )


async def test_it_lives_whatever_fails(monkeypatch):
    monkeypatch.setattr(health, "_parts", None)

    assert await ask("/health/live") == (200, {"live": True})


async def test_there_is_no_other_health():
    assert (await ask("/health/"))[0] == 404


async def test_a_database_that_is_away_is_named_and_nothing_of_its_address(workers, monkeypatch):
    def away():
        raise OperationalError("could not connect to postgres://rapport:secret@db")

    monkeypatch.setattr(health, "_database", away)

    status, parts = await ask()

    assert (status, parts["database"]) == (503, "failing: OperationalError")
    assert "secret" not in json.dumps(parts)


async def test_a_database_that_hangs_is_named_in_time(workers, monkeypatch):
    going_on = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(health, "_database", lambda: going_on.wait(20))

    status, parts = await ask()
    going_on.set()

    assert status == 503
    assert parts["database"].startswith("failing: no answer within")
    assert parts["disk"] == "ok"


async def test_missing_migrations_are_named(workers, monkeypatch):
    monkeypatch.setattr(health, "_is_migrated", lambda: False)

    assert (await ask())[1]["database"] == "migrations are missing"


async def test_a_redis_that_ends_is_named_until_it_is_back(workers, redis):
    assert (await ask())[1]["redis"] == "ok"

    redis.end(signal.SIGKILL)
    status, parts = await ask()

    assert status == 503
    assert parts["redis"] == "failing: ConnectionError"
    assert {part for part, state in parts.items() if state not in ("ok", False)} == {"redis"}
    redis.start()
    assert (await ask())[0] == 200


async def test_a_pipeline_that_still_loads_is_named(workers, monkeypatch):
    monkeypatch.setattr(nlp, "ready", lambda: False)

    status, parts = await ask()

    assert status == 503
    assert parts["triage"].startswith("loading")


async def test_a_worker_that_hangs_is_named(workers, monkeypatch):
    workers.dispatch.pace.begin()
    monkeypatch.setattr(pace, "STALLED_AFTER", -1.0)

    assert (await ask())[1]["workers"] == "stalled: dispatch"


async def test_a_worker_that_ended_is_named(workers, monkeypatch):
    monkeypatch.setattr(workers.intake, "is_alive", lambda: False)

    assert (await ask())[1]["workers"] == "stalled: intake"


async def test_a_schedule_that_does_not_come_round_is_named(workers):
    workers.part, workers._swept_at = SCHEDULE, 0.0 - 10_000

    status, parts = await ask()

    assert (status, parts["workers"]) == (503, "stalled: schedule")
    assert "triage" not in parts
    assert workers.part != EVERYTHING
