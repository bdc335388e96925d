"""The API against its own description: whatever may be sent, it answers as it says it does, and never falls over."""

from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from conversations import desk
from conversations.webhooks.subscribing import subscribe
from crm.api import access
from tests.api import Program
from tests.factories import a_triage, make_conversation, make_inbox, make_member

EXAMPLES = 10  # for each operation
calmly = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture(autouse=True)
def the_tests_connection_stays_open():
    """As Django's own test client does it: a request does not close the connection that the test's rows are on."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def program(db, monkeypatch):
    """A program of a workspace in which there is something to find."""
    monkeypatch.setattr(access, "_count", lambda token: None)  # the limit has its own test
    with scopes_disabled():
        owner = make_member(role="owner")
        conversation = make_conversation(make_inbox(owner.workspace), triage=a_triage())
        desk.write_note(conversation, owner, "VIP", client_id="n")
        subscribe("https://hooks.example.org/", [], by=owner)
    return Program(owner)


OPERATIONS: list[Any] = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]


def a_case(operation):
    """A request that fits the description, or one that does not."""
    ways = [operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    return one_of(*ways) if list(operation.iter_parameters()) or operation.body else ways[0]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_answers_as_it_is_described(operation, program):
    headers = {"Authorization": f"Bearer {program.key}", "Accept-Encoding": "identity"}  # this client does not unzip
    # a cursor, a file's token or a member's id may fit the description and still not be one of ours;
    # what a query holds besides the parameters we know is passed over
    passed_over = [positive_data_acceptance] + ([negative_data_rejection] if operation.method == "get" else [])

    @calmly
    @given(case=a_case(operation))
    def answers(case):
        case.call_and_validate(headers=headers, excluded_checks=passed_over)

    answers()
