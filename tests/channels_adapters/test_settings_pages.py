import json
from datetime import timedelta

import pytest
from django.urls import reverse

from channels_adapters import connections, health
from channels_adapters.contract import Capabilities, Check
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.settings_pages import failures, inboxes, views
from channels_adapters.workers.intake import Arrival, store
from channels_adapters.workers.taking_in import take_in_waiting
from conversations import flow
from conversations.models import Delivery, Inbox
from conversations.outbound import queue_reply
from crm.workspace import clock
from crm.workspace.models import Role
from tests.factories import make_inbox, make_member, make_message, make_workspace


@pytest.fixture
def admin(client, workspace, monkeypatch):
    quiet = type("Quiet", (), {"look": lambda self: None, "wake": lambda self: None})()
    still = type("Still", (), {"look_at_connections": lambda self: None, "intake": quiet})()
    for module in (views, inboxes, failures):
        monkeypatch.setattr(module, "workers", lambda: still)
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


def test_the_page_of_a_channel_says_where_values_are_found_and_what_it_can_do(admin):
    page = admin.get("/settings/connect/telegram/").content.decode()

    assert "@BotFather" in page
    assert "What it can do" in page
    assert "4,096" in page


def page_of(admin, inbox):
    return admin.get(reverse("inbox-settings", args=[inbox.pk])).content.decode()


def test_a_lost_inbox_says_why_and_offers_to_reconnect(admin, inbox):
    Inbox.objects.filter(pk=inbox.pk).update(state="lost", lost_reason="The app was removed.")

    page = page_of(admin, inbox)

    assert "The platform shut us out: The app was removed." in page
    assert "Reconnect" in page
    assert admin.post(reverse("inbox-resume", args=[inbox.pk])).status_code == 404  # only by a test that works


def test_a_pause_after_failures_is_shown_with_its_reason(admin, inbox):
    for _failure in range(flow.BREAK_AFTER):
        flow.note_trouble(inbox, "The platform is down.", None)

    assert "Sending pauses: The platform is down." in page_of(admin, inbox)


@pytest.mark.parametrize("left, words", [(-1, "The token has ended."), (3, "The token ends soon."), (60, "It works.")])
def test_the_end_of_a_token_is_said_in_time(admin, inbox, left, words):
    ends = (clock.now() + timedelta(days=left)).isoformat()
    Connection.objects.filter(inbox=inbox).update(facts={"token_expires_at": ends})

    assert words in page_of(admin, inbox)


def test_an_error_that_was_overcome_is_no_problem_any_more(admin, inbox):
    now = clock.now()
    Connection.objects.update(last_error="no answer", last_error_at=now - timedelta(hours=1), last_out_at=now)

    assert health.of(Connection.objects.select_related("inbox").get()).is_well


def test_what_a_test_finds_is_shown_without_secrets(admin, inbox, toy, monkeypatch):
    async def check(self, hook_url):
        return Check(facts={"account": "Toys Ltd", "secret": "hidden-word"})

    monkeypatch.setattr(toy, "check", check)
    admin.post(reverse("inbox-test", args=[inbox.pk]))

    page = page_of(admin, inbox)
    assert "Toys Ltd" in page
    assert "hidden-word" not in page


def test_settings_are_changed_and_an_empty_secret_stays(admin, inbox):
    admin.post(reverse("inbox-change", args=[inbox.pk]), {"name": "Better toys", "secret": ""})
    assert Connection.objects.get().settings == {"secret": "s3cret"}

    admin.post(reverse("inbox-change", args=[inbox.pk]), {"name": "", "secret": "new-word"})

    assert Connection.objects.get().settings == {"secret": "new-word"}
    assert Inbox.objects.get(pk=inbox.pk).name == "Better toys"
    assert "new-word" not in page_of(admin, inbox)


def test_settings_that_do_not_fit_change_nothing(admin, workspace):
    bot = connections.connect(workspace, "telegram", name="Bot", given={"bot_token": "1:x"})
    before = Connection.objects.get().settings

    answer = admin.post(reverse("inbox-change", args=[bot.pk]), {"mode": "x" * 10, "api_url": "http://10.0.0.1"})

    assert answer.status_code == 422
    assert Connection.objects.get().settings == before


def test_what_has_few_values_is_chosen_and_anything_else_refused(admin, workspace):
    assert '<option value="webhook">' in admin.get(reverse("connect", args=["telegram"])).content.decode()
    with pytest.raises(connections.WrongSettings, match="mode is one of polling, webhook, not 'pigeon'"):
        connections.connect(workspace, "telegram", name="Bot", given={"bot_token": "1:x", "mode": "pigeon"})


def test_a_setting_that_is_no_secret_can_be_emptied(admin, workspace):
    given = {"account_sid": "AC" + "a" * 32, "auth_token": "word", "sms_number": "+46701234567"}
    given |= {"messaging_service_sid": "MG" + "b" * 32}
    box = connections.connect(workspace, "twilio", name="Texts", given=given)

    changed = given | {"name": "", "auth_token": "", "messaging_service_sid": ""}
    admin.post(reverse("inbox-change", args=[box.pk]), changed)

    settings = Connection.objects.get().settings
    assert (settings["messaging_service_sid"], settings["auth_token"]) == ("", "word")


def test_a_test_message_goes_into_a_conversation_of_one_s_own(admin, inbox):
    conversation = make_message(inbox).conversation

    answer = admin.post(reverse("inbox-try", args=[inbox.pk]), {"conversation": conversation.pk})

    assert answer.headers["Location"] == reverse("conversation", args=[conversation.pk])
    assert Delivery.objects.get().text == "This is a test message."


def test_a_test_message_goes_to_an_address_where_the_channel_may_start(admin, inbox, toy, monkeypatch):
    admin.post(reverse("inbox-try", args=[inbox.pk]), {"address": "+46700000000"})
    assert toy.sent == []  # this channel may not

    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100, starts=True))
    admin.post(reverse("inbox-try", args=[inbox.pk]), {"address": "+46700000000"})

    assert [(part.address, part.text) for part in toy.sent] == [("+46700000000", "This is a test message.")]


def test_a_test_message_needs_a_place(admin, inbox, toy):
    other = make_message(make_inbox(inbox.workspace)).conversation

    for given in ({}, {"conversation": other.pk}):
        assert admin.post(reverse("inbox-try", args=[inbox.pk]), given).status_code == 302

    assert not Delivery.objects.exists()


def test_removing_says_first_what_happens_and_wants_the_name(admin, inbox, member):
    conversation = make_message(inbox).conversation
    queue_reply(conversation, member, "Hello", client_id="c1")

    page = page_of(admin, inbox)
    admin.post(reverse("inbox-remove", args=[inbox.pk]), {"name": "toys?"})

    assert "1 open conversation stays" in page
    assert "1 message that waits will not be sent" in page
    assert Connection.objects.count() == 1


def test_a_removed_inbox_leaves_its_conversations_to_be_read(admin, inbox, member):
    conversation = make_message(inbox, "Where is my lamp?").conversation
    queue_reply(conversation, member, "Hello", client_id="c1")

    admin.post(reverse("inbox-remove", args=[inbox.pk]), {"name": "Toys"})

    assert not Connection.objects.exists()
    assert Inbox.objects.get(pk=inbox.pk).state == "removed"
    assert Delivery.objects.get().state == "refused"
    page = admin.get(reverse("conversation", args=[conversation.pk])).content.decode()
    assert "Where is my lamp?" in page
    assert "is not live" in page


@pytest.mark.parametrize("verb", ["change", "test", "try", "templates", "pause", "resume", "remove"])
def test_an_agent_changes_no_inbox(client, workspace, inbox, verb):
    client.force_login(make_member(workspace).agent)

    assert client.post(reverse(f"inbox-{verb}", args=[inbox.pk]), {"name": "Toys"}).status_code == 403
    assert Connection.objects.exists()
