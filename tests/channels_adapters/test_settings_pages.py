import json

import pytest
from django.urls import reverse

from channels_adapters import connections
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.settings_pages import views
from channels_adapters.workers.intake import Arrival, store
from channels_adapters.workers.taking_in import take_in_waiting
from conversations.models import Inbox
from crm.workspace.models import Role
from tests.factories import make_member, make_workspace


@pytest.fixture
def admin(client, workspace, monkeypatch):
    quiet = type("Quiet", (), {"look": lambda self: None, "wake": lambda self: None})()
    still = type("Still", (), {"look_at_connections": lambda self: None, "intake": quiet})()
    monkeypatch.setattr(views, "workers", lambda: still)
    client.force_login(make_member(workspace, role=Role.ADMIN).agent)
    return client


@pytest.fixture
def inbox(workspace, toy):
    return connections.connect(workspace, "toy", name="Toys", given={})


@pytest.fixture
def parked(inbox):
    store([Arrival(inbox, "7", json.dumps({"id": 7, "note": "<script>alert(1)</script>"}).encode())])
    take_in_waiting()
    return RawDelivery.objects.get(state="parked")


def test_an_admin_sees_inboxes_and_what_could_not_be_read(admin, parked):
    page = admin.get("/settings/").content.decode()

    assert "Toys" in page
    assert "it has no text" in page


@pytest.mark.parametrize("role", [Role.AGENT, Role.MANAGER, Role.ANALYST, Role.COMMUNITY_MANAGER])
def test_others_may_not(client, workspace, role):
    client.force_login(make_member(workspace, role=role).agent)

    assert client.get("/settings/").status_code == 403


def test_a_stranger_signs_in_first(client, db):
    assert client.get("/settings/").status_code == 302


def test_a_parked_delivery_is_shown_as_text(admin, parked):
    page = admin.get(reverse("parked-delivery", args=[parked.pk])).content.decode()

    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_parked_delivery_waits_again_when_asked(admin, parked):
    admin.post(reverse("parked-retry", args=[parked.pk]))

    parked.refresh_from_db()
    assert parked.state == "waiting"


def test_another_workspace_s_delivery_is_not_there(client, parked, monkeypatch):
    client.force_login(make_member(make_workspace(name="Other"), role=Role.OWNER).agent)

    assert client.get(reverse("parked-delivery", args=[parked.pk])).status_code == 404
    assert client.post(reverse("parked-retry", args=[parked.pk])).status_code == 404


def test_a_channel_is_connected_from_its_form(admin, toy):
    answer = admin.post("/settings/connect/toy/", {"name": "New toys", "secret": "word"})

    made = Inbox.objects.get(name="New toys")
    assert answer.headers["Location"] == reverse("inbox-settings", args=[made.pk])
    assert Connection.objects.get(inbox=made).settings == {"secret": "word"}


def test_a_form_that_lacks_something_comes_back_with_what_was_written(admin):
    answer = admin.post("/settings/connect/telegram/", {"name": "My bot"})

    assert answer.status_code == 422
    assert "My bot" in answer.content.decode()
    assert Inbox.objects.count() == 0


def test_an_address_of_another_server_cannot_be_given_on_the_page(admin):
    admin.post("/settings/connect/telegram/", {"name": "x", "bot_token": "1:x", "api_url": "http://169.254.169.254"})

    assert all(not row.settings.get("api_url") for row in Connection.objects.all())


def test_an_inbox_is_paused_and_resumed(admin, inbox):
    admin.post(reverse("inbox-pause", args=[inbox.pk]))
    assert Inbox.objects.get(pk=inbox.pk).state == "paused"

    admin.post(reverse("inbox-resume", args=[inbox.pk]))
    assert Inbox.objects.get(pk=inbox.pk).state == "live"


def test_a_demo_inbox_cannot_be_made_live(admin, workspace):
    demo = Inbox(workspace=workspace, channel="telegram", name="Demo", state="demo")
    demo.save()

    assert admin.post(reverse("inbox-resume", args=[demo.pk])).status_code == 404


def test_a_web_chat_shows_its_page_and_the_line_for_a_site(admin, workspace):
    chat = connections.connect(workspace, "webchat", name="Chat", given={})

    page = admin.get(reverse("inbox-settings", args=[chat.pk])).content.decode()

    assert f"/chat/{chat.key}/" in page
    assert f"data-inbox=&quot;{chat.key}&quot;" in page


def test_an_inbox_that_was_shut_out_is_live_again_once_its_test_works(admin, inbox):
    Inbox.objects.filter(pk=inbox.pk).update(state="lost", lost_reason="The token was taken back.")

    admin.post(reverse("inbox-test", args=[inbox.pk]))

    assert Inbox.objects.get(pk=inbox.pk).state == "live"
