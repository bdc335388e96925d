import pytest
from channels.testing import HttpCommunicator
from django.db import OperationalError
from django_scopes import scope
from prometheus_client.parser import text_string_to_metric_families

from channels_adapters import connections
from channels_adapters.workers.intake import Arrival, store
from conversations.outbound import queue_reply
from crm.workspace import tokens
from crm.workspace.models import Role
from crm.workspace.threads import in_thread
from project import metrics
from project.watching import watching
from tests.factories import make_conversation, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(client="127.0.0.1", **headers):
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    communicator = HttpCommunicator(watching, "GET", "/metrics", headers=given)
    communicator.scope["client"] = [client, 5000]
    return await communicator.get_response(timeout=10)


def samples(answer) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer["body"].decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def make_key(*scopes, role=Role.ADMIN):
    return tokens.make(make_member(role=role), name="watch", scopes=scopes)[1]


async def test_what_waits_is_told_with_its_age():
    def fill():
        workspace = make_workspace()
        inbox = connections.connect(workspace, "telegram", name="Bot", given={"bot_token": "1:x", "mode": "webhook"})
        store([Arrival(inbox, "1", b"{}"), Arrival(inbox, "2", b"{}")])
        with scope(workspace=workspace):
            queue_reply(make_conversation(inbox), make_member(workspace), "hello", client_id="1")

    await in_thread(fill)

    found = samples(await ask())

    assert found["rapport_raw_deliveries"][("telegram", "waiting")] == 2
    assert found["rapport_parts"][("telegram", "queued")] == 1
    assert 0 <= found["rapport_parts_oldest_seconds"][("telegram", "queued")] < 60
    assert found["rapport_events_head"][()] > 0
    assert found["rapport_database_up"][()] == 1
    assert {"rapport_triage_ready", "rapport_workers_stalled", "process_resident_memory_bytes"} <= found.keys()


async def test_without_the_database_the_rest_is_told(monkeypatch):
    def away():
        raise OperationalError("no such host")

    monkeypatch.setattr(metrics, "_ask_the_database", away)

    found = samples(await ask())

    assert found["rapport_database_up"][()] == 0
    assert "rapport_triage_seconds_count" in found


@pytest.mark.parametrize(
    "client,headers",
    [
        ("203.0.113.7", {}),
        ("127.0.0.1", {"x_forwarded_for": "203.0.113.7"}),  # a proxy on this machine whose addresses are not believed
        ("127.0.0.1", {"forwarded": "for=203.0.113.7"}),
        ("nobody", {}),
        ("203.0.113.7", {"authorization": "Bearer rpt_made-up"}),
        ("203.0.113.7", {"authorization": "Basic rpt_made-up"}),
    ],
)
async def test_a_stranger_is_told_nothing(client, headers):
    answer = await ask(client, **headers)

    assert answer["status"] == 401
    assert b"rapport_" not in answer["body"]


async def test_a_token_that_may_manage_reads_them_from_afar():
    key = await in_thread(make_key, "manage")

    assert (await ask("203.0.113.7", authorization=f"Bearer {key}"))["status"] == 200


@pytest.mark.parametrize("scopes,role", [(("read", "reply"), Role.ADMIN), (("manage",), Role.AGENT)])
async def test_a_token_that_may_less_does_not(scopes, role):
    key = await in_thread(lambda: make_key(*scopes, role=role))

    assert (await ask("203.0.113.7", authorization=f"Bearer {key}"))["status"] == 401


async def test_a_process_without_pages_has_nothing_else():
    answer = await HttpCommunicator(watching, "GET", "/inbox/").get_response(timeout=10)

    assert answer["status"] == 404
