"""Pictures of people: fetched once, shown when they are pictures, never fetched again and again."""

import base64
from datetime import timedelta

import pytest

from channels_adapters import connections
from channels_adapters.workers import pictures
from conversations.inbox.forms import ReplyForm
from conversations.models import File
from crm.models import Customer, Identity
from crm.workspace import clock
from tests.factories import a_sender, make_member, make_message

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def inbox(workspace, toy):
    return connections.connect(workspace, "toy", name="Toys", given={})


@pytest.fixture
def asked(monkeypatch):
    """The sources that would be fetched."""
    found: list[str] = []

    def start(self: object, work: object, adapter: object, identity: Identity) -> None:
        found.append(identity.picture_source)
        pictures._in_flight.discard(identity.pk)

    monkeypatch.setattr(pictures, "portal", lambda: type("Quiet", (), {"start_task_soon": start})())
    return found


def test_a_picture_a_channel_names_is_fetched_and_shown(inbox, asked, client, member):
    client.force_login(member.agent)
    message = make_message(inbox, sender=a_sender(picture="pic-1"))
    pictures.fetch_new()
    assert asked == ["pic-1"]

    assert pictures.keep(Identity.objects.select_related("workspace", "customer").get(), PNG)

    token = Customer.objects.get().picture
    page = client.get(f"/inbox/{message.conversation_id}/").content.decode()
    assert page.count(f'src="/files/{token}/"') == 3  # the row, the head, the panel
    picture = client.get(f"/files/{token}/")
    picture.close()
    assert picture.headers["Content-Type"] == "image/png"


def test_without_a_picture_initials_are_shown(inbox, asked, client, member):
    client.force_login(member.agent)
    message = make_message(inbox)

    pictures.fetch_new()

    assert asked == []
    assert "avatar__picture" not in client.get(f"/inbox/{message.conversation_id}/").content.decode()


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"%PDF-1.4", b"x" * 100], ids=repr)
def test_what_is_no_picture_is_not_shown_and_not_asked_for_again(inbox, asked, data):
    make_message(inbox, sender=a_sender(picture="pic-1"))

    assert pictures.keep(Identity.objects.select_related("workspace", "customer").get(), data) is False
    pictures.fetch_new()

    assert asked == []
    assert Customer.objects.get().picture == ""
    assert not File.objects.exists()


def test_a_new_picture_is_fetched_a_day_later_at_the_earliest(inbox, asked):
    make_message(inbox, sender=a_sender(picture="pic-1"))
    pictures.keep(Identity.objects.select_related("workspace", "customer").get(), PNG)
    make_message(inbox, sender=a_sender(picture="pic-2"))

    pictures.fetch_new()
    assert asked == []
    Identity.objects.update(picture_at=clock.now() - timedelta(days=2))
    pictures.fetch_new()

    assert asked == ["pic-2"]


def test_a_source_too_long_to_keep_is_left_out(inbox):
    make_message(inbox, sender=a_sender(picture="x" * 401))

    assert Identity.objects.get().picture_source == ""


def test_a_picture_is_not_seen_by_another_workspace(inbox, client):
    make_message(inbox, sender=a_sender(picture="pic-1"))
    pictures.keep(Identity.objects.select_related("workspace", "customer").get(), PNG)
    client.force_login(make_member().agent)

    assert client.get(f"/files/{Customer.objects.get().picture}/").status_code == 404


def test_a_picture_cannot_be_sent_as_if_it_had_been_uploaded(inbox):
    make_message(inbox, sender=a_sender(picture="pic-1"))
    pictures.keep(Identity.objects.select_related("workspace", "customer").get(), PNG)
    form = ReplyForm(type("Data", (dict,), {"getlist": lambda self, name: [File.objects.get().token]})())

    assert form.uploaded() == []
