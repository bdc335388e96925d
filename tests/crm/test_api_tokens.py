from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from crm.models import ApiToken, Event
from crm.workspace import clock, tokens
from tests.api import Program
from tests.factories import make_conversation, make_inbox, make_member, make_workspace


def test_the_command_prints_a_token_alone_and_it_opens_the_api(workspace, member):
    out = StringIO()
    call_command("api_token", member.agent.email.upper(), stdout=out)
    key = out.getvalue().removesuffix("\n")

    assert key.startswith("rpt_")
    assert not set(key) & set(" \n")
    assert Client().get("/api/v1/conversations", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_the_command_refuses_an_unknown_email(workspace):
    with pytest.raises(CommandError, match="create_agent"):
        call_command("api_token", "nobody@example.org")


def test_a_token_is_kept_as_its_hash_only(member):
    row, key = tokens.make(member, name="till")

    kept = " ".join(str(value) for value in ApiToken.objects.filter(pk=row.pk).values_list()[0])
    assert key not in kept
    assert row.beginning == key[:8]
    assert Event.objects.filter(verb="token.made", subject_id=row.pk).exists()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer rpt_wrong", "Basic abc", "bearer\trpt_x"])
def test_without_a_known_token_there_is_nothing_but_words(workspace, header):
    headers = {} if header is None else {"Authorization": header}

    response = Client().get("/api/v1/customers", headers=headers)

    assert response.status_code == 401
    assert "api_token" in response.json()["error"]
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_signed_in_browser_is_not_let_in(member):
    browser = Client()
    browser.force_login(member.agent)

    assert browser.get("/api/v1/customers").status_code == 401


def test_a_token_that_is_revoked_or_expired_opens_nothing(member):
    revoked, expired = Program(member), Program(member)
    tokens.revoke(revoked.token, by=member)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=clock.now() - timedelta(seconds=1))

    assert revoked.get("customers").status_code == 401
    assert expired.get("customers").status_code == 401


def test_a_token_of_a_member_who_left_or_was_switched_off_opens_nothing(workspace):
    left, off = Program(make_member(workspace)), Program(make_member(workspace))
    left.token.membership.left_at = clock.now()
    left.token.membership.save()
    off.token.membership.agent.is_active = False
    off.token.membership.agent.save()

    assert left.get("customers").status_code == 401
    assert off.get("customers").status_code == 401


def test_a_token_does_what_its_scopes_say_and_no_more(workspace, member):
    conversation = make_conversation(make_inbox(workspace))
    reader = Program(member, "read")

    refused = reader.post(f"conversations/{conversation.pk}/messages", {"text": "Hello"})

    assert reader.get("conversations").status_code == 200
    assert refused.status_code == 403
    assert "reply" in refused.json()["error"]
    assert conversation.messages.count() == 1


def test_a_token_does_what_its_members_role_says_and_no_more(workspace):
    conversation = make_conversation(make_inbox(workspace))
    analyst = Program(make_member(workspace, role="analyst"))

    assert analyst.get("conversations").status_code == 200
    assert analyst.post(f"conversations/{conversation.pk}/messages", {"text": "Hello"}).status_code == 403
    assert analyst.get("webhooks").status_code == 403


def test_use_is_noted_at_most_once_a_minute(member):
    program = Program(member)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        program.get("customers")
        first = ApiToken.objects.get().last_used_at
        traveller.shift(30)
        program.get("customers")
        assert ApiToken.objects.get().last_used_at == first
        traveller.shift(31)
        program.get("customers")
        assert ApiToken.objects.get().last_used_at > first


def test_a_token_that_asks_too_often_is_told_to_wait(member, monkeypatch):
    from limits import RateLimitItemPerMinute

    from crm.api import access

    monkeypatch.setattr(access, "A_MINUTE", RateLimitItemPerMinute(2))
    program = Program(member)
    answers = [program.get("customers") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 61


def test_another_workspaces_things_are_as_if_they_were_not(workspace, member):
    theirs = make_conversation(make_inbox(make_workspace(name="Other")))
    program = Program(member)
    paths = [f"conversations/{theirs.pk}", f"conversations/{theirs.pk}/messages", f"customers/{theirs.customer_id}"]

    for path in paths:
        hidden, missing = program.get(path), program.get(path.replace(str(theirs.pk), "987654"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
    assert program.post(f"conversations/{theirs.pk}/messages", {"text": "Hi"}).status_code == 404
    assert program.get("conversations").json()["items"] == []


def test_an_address_that_is_not_there_says_where_the_description_is(db):
    response = Client().get("/api/v1/nothing")

    assert response.status_code == 404
    assert "openapi.json" in response.json()["error"]
