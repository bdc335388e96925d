import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from crm.models import Consent, Identity, Membership, Ticket, Workspace
from crm.workspace import clock
from tests.crm.records import make_customer, make_record
from tests.factories import make_workspace


@pytest.fixture
def agent(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


def test_customers_are_found_by_a_part_of_their_name(agent: Client, workspace: Workspace) -> None:
    make_customer(workspace, "Lucía Ortega")
    make_customer(workspace, "Marek Dudek")

    found = agent.get(reverse("customers"), {"q": "orte"}).content.decode()

    assert "Lucía Ortega" in found
    assert "Marek Dudek" not in found


def test_a_search_by_htmx_gives_the_table_alone(agent: Client, workspace: Workspace) -> None:
    make_customer(workspace, "Lucía Ortega")

    found = agent.get(reverse("customers"), {"q": "orte"}, headers={"HX-Request": "true"}).content.decode()

    assert "<table" in found
    assert "<html" not in found


def test_a_search_that_finds_nobody_says_so(agent: Client, workspace: Workspace) -> None:
    assert "Nobody by that name" in agent.get(reverse("customers"), {"q": "zzz"}).content.decode()


def test_what_is_searched_for_goes_on_to_the_next_page_as_written(agent: Client, workspace: Workspace) -> None:
    for number in range(51):
        make_customer(workspace, f"a&b <i> {number}")

    page = agent.get(reverse("customers"), {"q": "a&b <i>"}).content.decode()

    assert "?q=a%26b%20%3Ci%3E&amp;after=" in page
    assert "<i>" not in page


def test_those_who_never_wrote_come_last_and_no_page_loses_one(agent: Client, workspace: Workspace) -> None:
    names = {f"heard {number}" for number in range(60)} | {f"silent {number}" for number in range(60)}
    for name in names:
        make_customer(workspace, name, last_contact_at=None if name.startswith("silent") else clock.now())
    seen: list[str] = []
    after = ""

    while after or not seen:
        page = agent.get(reverse("customers"), {"after": after}).context["page"]
        seen += [customer.name for customer in page.rows]
        after = page.after

    assert set(seen) == names
    assert len(seen) == 120
    assert [name.startswith("silent") for name in seen] == [False] * 60 + [True] * 60


def test_a_customer_of_another_workspace_is_not_found(agent: Client) -> None:
    other = make_workspace()
    with scope(workspace=other):
        theirs = make_customer(other, "Theirs")

    assert agent.get(reverse("customer", args=[theirs.pk])).status_code == 404
    assert "Theirs" not in agent.get(reverse("customers")).content.decode()


def test_a_profile_says_how_each_address_is_known(agent: Client, workspace: Workspace) -> None:
    customer, facts = make_customer(workspace), {"workspace": workspace, "known_by": "channel"}
    Identity.objects.create(customer=customer, kind="telegram", address="1", verified_at=clock.now(), **facts)
    Identity.objects.create(customer=customer, kind="webchat", address="2", blocked_at=clock.now(), **facts)

    page = agent.get(reverse("customer", args=[customer.pk])).content.decode()

    assert "✓ verified" in page
    assert "claimed, not verified" in page
    assert "blocked us" in page


def test_the_newest_word_on_consent_counts(agent: Client, workspace: Workspace) -> None:
    customer = make_customer(workspace)
    for given in (True, False):
        consent = Consent(workspace=workspace, customer=customer, purpose="marketing", kind="telegram", given=given)
        consent.source = "message 1"
        consent.save()

    profile = agent.get(reverse("customer", args=[customer.pk])).context["profile"]

    assert [consent.given for consent in profile.consents] == [False]


def test_open_records_stand_before_closed_ones(agent: Client, workspace: Workspace) -> None:
    customer = make_customer(workspace)
    make_record(Ticket, workspace, customer=customer, title="Older, open")
    make_record(Ticket, workspace, customer=customer, title="Newer, solved", status="solved")

    profile = agent.get(reverse("customer", args=[customer.pk])).context["profile"]

    assert [card.record.title for card in profile.records] == ["Older, open", "Newer, solved"]


def test_the_trade_s_own_word_stands_above_the_list(agent: Client, workspace: Workspace) -> None:
    workspace.vocabulary = {"customers": "patients"}
    workspace.save()

    assert "<h1>Patients</h1>" in agent.get(reverse("customers")).content.decode()
