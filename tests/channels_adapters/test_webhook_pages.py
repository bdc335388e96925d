import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from conversations.models import WebhookDelivery, WebhookSubscription
from conversations.webhooks.planning import plan
from conversations.webhooks.subscribing import subscribe
from crm.models import Event
from crm.workspace import clock
from crm.workspace.models import Role
from tests.factories import make_member, make_workspace

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/rapport"
LIST = "/settings/webhooks/"


@pytest.fixture
def owner():
    return make_member(role=Role.OWNER)


@pytest.fixture
def browser(owner):
    client = Client()
    client.force_login(owner.agent)
    return client


@pytest.fixture
def told(owner):
    with scope(workspace=owner.workspace):
        return subscribe(URL, ["message.received"], by=owner)


@pytest.fixture
def delivery(told, browser):
    """A test that waits to be sent."""
    browser.post(reverse("webhook-test", args=[told.pk]))
    plan()
    with scopes_disabled():
        return WebhookDelivery.objects.get()


def now(told) -> WebhookSubscription:
    with scopes_disabled():
        return WebhookSubscription.objects.get(pk=told.pk)


def test_a_webhook_is_added_and_its_secret_shown_once(browser):
    page = browser.post(LIST, {"url": URL, "verbs": ["message.received", "ticket.opened"]})

    with scopes_disabled():
        made = WebhookSubscription.objects.get()
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert re.search(r"whsec_[\w+/=]{32}", page.content.decode())[0] == made.secret
    assert made.verbs == ["message.received", "ticket.opened"]
    assert "whsec_" not in browser.get(LIST).content.decode()
    assert "whsec_" not in browser.get(reverse("webhook", args=[made.pk])).content.decode()


@pytest.mark.parametrize(
    "given,words",
    [
        ({"url": "ftp://example.org"}, "https://"),
        ({"url": ""}, "required"),
        ({"url": "https://u:p@example.org/"}, "login"),
        ({"url": URL, "verbs": ["made.up"]}, "made.up"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_what_was_written_is_kept(browser, given, words):
    answer = browser.post(LIST, given)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert given["url"] in answer.content.decode()
    with scopes_disabled():
        assert not WebhookSubscription.objects.exists()


def test_address_and_kinds_are_changed(browser, told):
    browser.post(reverse("webhook", args=[told.pk]), {"url": "https://new.example.org/", "verbs": ["lead.opened"]})

    assert (now(told).url, now(told).verbs) == ("https://new.example.org/", ["lead.opened"])


def test_a_kind_that_only_a_program_knows_stays_ticked(browser, told, owner):
    with scope(workspace=owner.workspace):
        WebhookSubscription.objects.update(verbs=["token.made"])

    page = browser.get(reverse("webhook", args=[told.pk])).content.decode()

    assert re.search(r'value="token.made"[^>]*checked', page)


def test_it_is_paused_and_resumed(browser, told):
    browser.post(reverse("webhook-pause", args=[told.pk]))
    assert now(told).paused_at is not None

    browser.post(reverse("webhook-resume", args=[told.pk]))
    assert now(told).paused_at is None


def test_a_new_secret_is_shown_once(browser, told):
    page = browser.post(reverse("webhook-secret", args=[told.pk]))

    assert now(told).secret != told.secret
    assert now(told).secret in page.content.decode().replace("&#x2B;", "+")


def test_a_test_is_told_to_this_webhook_and_stands_in_its_log(browser, told, delivery):
    page = browser.get(reverse("webhook", args=[told.pk])).content.decode()

    assert delivery.verb == "webhook.pinged"
    assert f'id="delivery-{delivery.pk}"' in page


def test_a_delivery_is_told_again(browser, told, delivery):
    with scopes_disabled():
        WebhookDelivery.objects.update(state="dead", attempts=8, reason="It answered 500.")

    browser.post(reverse("webhook-replay", args=[delivery.pk]))

    with scopes_disabled():
        assert WebhookDelivery.objects.get().state == "queued"


def test_what_a_subscriber_answered_is_shown_as_text(browser, told, delivery):
    with scopes_disabled():
        WebhookDelivery.objects.update(response_text="<script>alert(1)</script>", response_status=500)

    page = browser.get(reverse("webhook", args=[told.pk])).content.decode()

    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page


def test_the_log_is_read_a_page_at_a_time(browser, told, delivery, owner):
    with scopes_disabled():
        rows = [
            WebhookDelivery(workspace=owner.workspace, subscription=told, event_number=n, verb="x.y")
            for n in range(1000, 1060)
        ]
        WebhookDelivery.objects.bulk_create(rows)
    address = reverse("webhook", args=[told.pk])

    first = browser.get(address).content.decode()
    older = re.search(r'href="(\?before=\d+)"', first)[1]
    second = browser.get(address + older).content.decode()

    assert (first.count('id="delivery-'), second.count('id="delivery-')) == (50, 11)
    assert "?before=" not in second


def test_a_paused_one_is_neither_tested_nor_told_again(browser, told, delivery):
    browser.post(reverse("webhook-pause", args=[told.pk]))
    with scopes_disabled():
        before = Event.objects.count()
        WebhookDelivery.objects.update(state="dead")

    browser.post(reverse("webhook-test", args=[told.pk]))
    browser.post(reverse("webhook-replay", args=[delivery.pk]))

    with scopes_disabled():
        assert Event.objects.count() == before
        assert WebhookDelivery.objects.get().state == "dead"


def test_it_is_removed_with_its_log(browser, told, delivery):
    assert browser.post(reverse("webhook-remove", args=[told.pk])).headers["Location"] == LIST
    with scopes_disabled():
        assert not WebhookDelivery.objects.exists()


ACTIONS = ["webhook-pause", "webhook-resume", "webhook-secret", "webhook-test", "webhook-remove"]


@pytest.mark.parametrize("role", [Role.AGENT, Role.MANAGER, Role.ANALYST, Role.COMMUNITY_MANAGER])
def test_who_may_not_change_settings_may_nothing_here(owner, told, delivery, role):
    client = Client()
    client.force_login(make_member(owner.workspace, role=role).agent)

    assert client.get(LIST).status_code == 403
    assert client.post(LIST, {"url": URL}).status_code == 403
    assert client.get(reverse("webhook", args=[told.pk])).status_code == 403
    assert {client.post(reverse(action, args=[told.pk])).status_code for action in ACTIONS} == {403}
    assert client.post(reverse("webhook-replay", args=[delivery.pk])).status_code == 403


def test_another_workspace_s_webhook_is_not_there(told, delivery):
    client = Client()
    client.force_login(make_member(make_workspace(name="Other"), role=Role.OWNER).agent)

    assert client.get(reverse("webhook", args=[told.pk])).status_code == 404
    assert {client.post(reverse(action, args=[told.pk])).status_code for action in ACTIONS} == {404}
    assert client.post(reverse("webhook-replay", args=[delivery.pk])).status_code == 404


@pytest.mark.parametrize("action", ACTIONS)
def test_looking_at_an_address_changes_nothing(browser, told, action):
    assert browser.get(reverse(action, args=[told.pk])).status_code == 405


def test_a_pause_that_it_asked_for_is_shown(browser, told, owner):
    with scope(workspace=owner.workspace):
        WebhookSubscription.objects.update(quiet_until=clock.now() + timedelta(hours=1))

    assert "asked for a pause" in browser.get(LIST).content.decode()
