import re

import pytest
from django.test import Client
from django_scopes import scope, scopes_disabled

from crm.models import ApiToken
from crm.workspace import tokens
from tests.factories import make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_member(role="owner")


@pytest.fixture
def browser(owner):
    client = Client()
    client.force_login(owner.agent)
    return client


def test_a_token_is_made_on_its_page_shown_once_and_opens_the_api(browser):
    page = browser.post("/settings/tokens/", {"name": "Till", "scopes": ["read"]})
    key = re.search(r"rpt_[\w-]{32}", page.content.decode())[0]

    assert "no-store" in page["Cache-Control"]
    assert key not in browser.get("/settings/tokens/").content.decode()
    assert "Till" in browser.get("/settings/tokens/").content.decode()
    assert Client().get("/api/v1/tickets", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    with scopes_disabled():
        assert ApiToken.objects.get().scopes == ["read"]


def test_a_token_without_a_name_or_scope_is_not_made(browser):
    for given in ({"name": "", "scopes": ["read"]}, {"name": "x"}, {"name": "x", "scopes": ["all"]}):
        assert browser.post("/settings/tokens/", given).status_code == 422
    with scopes_disabled():
        assert not ApiToken.objects.exists()


def test_a_token_is_revoked(owner, browser):
    with scope(workspace=owner.workspace):
        token, key = tokens.make(owner, name="Till")

    browser.post(f"/settings/tokens/{token.pk}/revoke/")

    assert Client().get("/api/v1/tickets", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_another_workspaces_token_cannot_be_revoked(browser):
    stranger = make_member(make_workspace(name="Other"))
    with scope(workspace=stranger.workspace):
        token, _key = tokens.make(stranger, name="Theirs")

    assert browser.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    with scopes_disabled():
        assert ApiToken.objects.get(pk=token.pk).revoked_at is None


def test_tokens_are_for_those_who_may_change_settings():
    client = Client()
    client.force_login(make_member().agent)

    assert client.get("/settings/tokens/").status_code == 403
