"""Signing in and out, the frame of every page, and our nouns in the trade's words."""

import pytest
from django.template import Context, Template
from django.test import Client

from crm.models import Workspace
from project import views
from project.templatetags import rapport
from tests.factories import PASSWORD, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_has_tried_yet():
    views._rates.forget()
    yield
    views._rates.forget()


def test_an_agent_signs_in_with_any_spelling_of_the_address(client: Client):
    make_member(email="marek@example.org")

    answer = client.post("/sign-in/", {"username": " Marek@Example.org", "password": PASSWORD})

    assert answer.status_code == 302
    assert answer["Location"] == "/inbox/"


def test_a_wrong_password_is_refused(client: Client):
    make_member(email="marek@example.org")

    answer = client.post("/sign-in/", {"username": "marek@example.org", "password": "wrong"})

    assert "do not match" in answer.content.decode()
    assert client.get("/inbox/").status_code == 302


def test_signing_out_is_a_form_and_not_a_link(client: Client):
    client.force_login(make_member().agent)

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/inbox/").status_code == 302


def test_an_agent_of_no_workspace_is_told_so(client: Client):
    member = make_member()
    client.force_login(member.agent)
    member.delete()

    answer = client.get("/inbox/", follow=True)

    assert "nobody has added you to a workspace" in answer.content.decode()


def test_a_wrong_address_is_answered_in_the_product_s_look(client: Client):
    client.force_login(make_member().agent)

    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()


def rendered(text: str, workspace: Workspace | None = None, **context: object) -> str:
    member = make_member(workspace) if workspace else None
    return Template(text).render(Context({"membership": member, **context}))


def test_our_nouns_are_said_in_the_trade_s_words():
    clinic = make_workspace(vocabulary={"customer": "patient"})

    assert (
        rendered('{% term "customer" %} {% term "Customer" %} {% term "ticket" %}', clinic) == "patient Patient ticket"
    )
    assert rendered('{% term "customer" %}') == "customer"


def test_a_trade_s_word_is_escaped():
    joker = make_workspace(vocabulary={"customer": "<b>x</b>"})

    assert rendered('{% term "customer" %}', joker) == "&lt;b&gt;x&lt;/b&gt;"


def test_a_link_to_a_page_that_nobody_built_is_empty():
    assert rendered('{% url_if "no-such-page" 3 %}') == ""


@pytest.mark.parametrize(
    "name, letters",
    [("Lucía Ortega", "LO"), ("@jonasfink", "JO"), ("王小明", "王小"), ("🙂", "?"), ("", "?"), ("a b c", "AC")],
)
def test_initials_of_any_name(name: str, letters: str):
    assert rapport.initials(name) == letters


def test_a_mood_has_words_and_not_only_a_colour():
    assert 'aria-label="Feels negative"' in rendered("{% mood value %}", value=-0.7)
    assert rendered("{% mood value %}", value=None) == ""


def test_an_unknown_channel_has_a_generic_icon():
    assert rapport.channel_icon("carrier-pigeon") == "message-square"
    assert rapport.channel_label("carrier-pigeon") == "Carrier-pigeon"


def test_every_channel_s_icon_exists():
    for icon, _label in rapport.CHANNELS.values():
        assert "<svg" in rendered("{% lucide icon %}", icon=icon)


def test_after_too_many_wrong_passwords_even_the_right_one_has_to_wait(client, db):
    member = make_member()
    for _ in range(8):
        client.post("/sign-in/", {"username": member.agent.email, "password": "wrong"})

    answer = client.post("/sign-in/", {"username": member.agent.email, "password": PASSWORD})

    assert answer.status_code != 302
    assert "wait five minutes" in answer.content.decode()


def wrong_passwords_from(address: str, count: int = 20, whose: str = "guess") -> None:
    browser = Client(REMOTE_ADDR=address)
    for number in range(count):
        browser.post("/sign-in/", {"username": f"{whose}{number}@example.org", "password": "wrong"})


def sign_in_from(address: str) -> int:
    member = make_member()
    return (
        Client(REMOTE_ADDR=address)
        .post("/sign-in/", {"username": member.agent.email, "password": PASSWORD})
        .status_code
    )


def test_who_tries_many_logins_from_one_address_has_to_wait_and_nobody_else():
    wrong_passwords_from("203.0.113.7")

    assert sign_in_from("203.0.113.7") == 200  # the form again
    assert sign_in_from("203.0.113.8") == 302


def test_a_few_wrong_passwords_in_one_office_lock_nobody_out():
    wrong_passwords_from("203.0.113.9", 19)

    assert sign_in_from("203.0.113.9") == 302


def test_one_person_s_many_addresses_of_the_new_kind_are_one_place():
    for number in range(20):
        wrong_passwords_from(f"2001:db8:1:2::{number:x}", 1, f"guess{number}-")

    assert sign_in_from("2001:db8:1:2:ffff::1") == 200
    assert sign_in_from("2001:db8:1:3::1") == 302
