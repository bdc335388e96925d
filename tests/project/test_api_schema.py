"""The API against its own description: whatever may be sent, it answers as it says it does, and never falls over."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from conversations import desk
from conversations.webhooks.subscribing import subscribe
from crm.api import access
from tests.api import Program
from tests.factories import a_triage, make_conversation, make_inbox, make_member

EXAMPLES = 6  # for each operation


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


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_it_is_described(case, program):
    # a cursor, a file's token or a member's id may fit the description and still not be one of ours
    headers = {"Authorization": f"Bearer {program.key}", "Accept-Encoding": "identity"}  # this client does not unzip
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
