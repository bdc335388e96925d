from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from crm.models import CampaignResponse, Event, Lead, Membership, Opportunity, Origin, Ticket, Workspace
from crm.workspace import clock
from crm.workspace.models import Role
from tests.crm.records import KINDS, PAGES, make_campaign, make_customer, make_record
from tests.factories import make_member, make_workspace

STEPS = [
    (Ticket, "ticket-solve"),
    (Lead, "lead-qualify"),
    (Lead, "lead-disqualify"),
    (Opportunity, "opportunity-win"),
    (Opportunity, "opportunity-price"),
    (CampaignResponse, "campaign-response-close"),
]


@pytest.fixture
def agent(client: Client, member: Membership) -> Client:
    client.force_login(member.agent)
    return client


def after(step: str, client: Client, record: Any) -> Any:
    client.post(reverse(step, args=[record.number]))
    record.refresh_from_db()
    return record


@pytest.mark.parametrize("model", KINDS)
def test_a_list_links_to_each_record(agent: Client, workspace: Workspace, model: Any) -> None:
    listing, page = PAGES[model]
    record = make_record(model, workspace)

    answer = agent.get(reverse(listing))

    assert reverse(page, args=[record.number]) in answer.content.decode()


@pytest.mark.parametrize("model", KINDS)
def test_an_empty_list_says_so(agent: Client, workspace: Workspace, model: Any) -> None:
    answer = agent.get(reverse(PAGES[model][0]))

    assert "<table" not in answer.content.decode()
    assert 'class="empty"' in answer.content.decode()


@pytest.mark.parametrize("model", KINDS)
def test_a_record_of_another_workspace_is_not_found(agent: Client, model: Any) -> None:
    other = make_workspace()
    with scope(workspace=other):
        record = make_record(model, other, title="Theirs")

    listing, page = PAGES[model]
    assert agent.get(reverse(page, args=[record.number])).status_code == 404
    assert "Theirs" not in agent.get(reverse(listing) + "?status=all").content.decode()


@pytest.mark.parametrize("model, step", STEPS)
def test_a_step_on_another_workspace_s_record_is_not_found(agent: Client, model: Any, step: str) -> None:
    other = make_workspace()
    with scope(workspace=other):
        record = make_record(model, other)

    assert agent.post(reverse(step, args=[record.number])).status_code == 404


@pytest.mark.parametrize("model, step", STEPS)
def test_an_analyst_reads_and_changes_nothing(client: Client, workspace: Workspace, model: Any, step: str) -> None:
    analyst = make_member(workspace, role=Role.ANALYST)
    client.force_login(analyst.agent)
    record = make_record(model, workspace)

    page = client.get(reverse(PAGES[model][1], args=[record.number]))

    assert page.status_code == 200
    assert "<form method" not in page.content.decode().split("<main")[1]
    assert client.post(reverse(step, args=[record.number])).status_code == 403


@pytest.mark.parametrize("model, step", STEPS)
def test_a_step_is_taken_by_post_only(agent: Client, workspace: Workspace, model: Any, step: str) -> None:
    record = make_record(model, workspace)

    assert agent.get(reverse(step, args=[record.number])).status_code == 405


@pytest.mark.parametrize("model", KINDS)
def test_markup_in_a_title_and_a_name_is_shown_as_written(agent: Client, workspace: Workspace, model: Any) -> None:
    customer = make_customer(workspace, "<b>Ada</b>")
    record = make_record(model, workspace, customer=customer, title="<script>alert(1)</script>")
    listing, page = PAGES[model]

    for address in (reverse(listing), reverse(page, args=[record.number])):
        shown = agent.get(address).content.decode()
        assert "<script>alert" not in shown
        assert "<b>Ada" not in shown


def test_nobody_sees_records_without_signing_in(client: Client, workspace: Workspace) -> None:
    assert client.get(reverse("support")).status_code == 302


def test_a_list_shows_the_status_that_was_asked_for(agent: Client, workspace: Workspace) -> None:
    make_record(Ticket, workspace, title="Still open")
    make_record(Ticket, workspace, title="Long done", status="solved")

    solved = agent.get(reverse("support") + "?status=solved").content.decode()
    unknown = agent.get(reverse("support") + "?status=nonsense").content.decode()

    assert "Long done" in solved
    assert "Still open" not in solved
    assert "Still open" in unknown


def test_pages_hold_every_record_once_even_when_one_is_added_between(agent: Client, workspace: Workspace) -> None:
    now, customer = clock.now(), make_customer(workspace)
    for number in range(120):  # many share a time: the key decides
        opened = now - timedelta(minutes=number // 10)
        make_record(Ticket, workspace, customer=customer, title=f"t{number:03}", opened_at=opened)
    seen: list[int] = []
    address = reverse("support")

    while address:
        listing = agent.get(address).context["listing"]
        seen += [ticket.number for ticket in listing.rows]
        make_record(Ticket, workspace, customer=customer, title="new", opened_at=now + timedelta(minutes=1))
        address = f"{reverse('support')}?after={listing.after}" if listing.after else ""

    assert len(seen) == len(set(seen)) == 120


def test_a_cursor_that_makes_no_sense_gives_the_first_page(agent: Client, workspace: Workspace) -> None:
    make_record(Ticket, workspace, title="Still open")

    for nonsense in ("x", "1.", "-3.4", "9" * 60 + ".1", "99999999999999999999999999.1", "1.²"):
        answer = agent.get(reverse("support"), {"after": nonsense})
        assert "Still open" in answer.content.decode()


def test_the_next_rows_come_as_rows_alone(agent: Client, workspace: Workspace) -> None:
    make_record(Ticket, workspace, title="Still open")

    rows = agent.get(reverse("support"), headers={"HX-Request": "true"}).content.decode()

    assert "Still open" in rows
    assert "<html" not in rows


def test_a_ticket_is_solved_and_opened_again(agent: Client, workspace: Workspace, member: Membership) -> None:
    ticket = make_record(Ticket, workspace)

    assert after("ticket-solve", agent, ticket).status == "solved"
    assert after("ticket-reopen", agent, ticket).status == "open"
    assert list(Event.objects.values_list("verb", "actor")) == [
        ("ticket.closed", member.pk),
        ("ticket.reopened", member.pk),
    ]


def test_a_step_taken_twice_is_one_event(agent: Client, workspace: Workspace) -> None:
    ticket = make_record(Ticket, workspace)

    after("ticket-solve", agent, ticket)
    after("ticket-solve", agent, ticket)

    assert Event.objects.filter(verb="ticket.closed").count() == 1


def test_qualifying_a_lead_opens_its_opportunity(agent: Client, workspace: Workspace, member: Membership) -> None:
    lead = make_record(Lead, workspace, title="Twelve lamps")

    answer = agent.post(reverse("lead-qualify", args=[lead.number]))

    opportunity = Opportunity.objects.get(lead=lead)
    assert answer.headers["Location"] == reverse("opportunity", args=[opportunity.number])
    assert (opportunity.title, opportunity.customer, opportunity.owner) == ("Twelve lamps", lead.customer, member)
    lead.refresh_from_db()
    assert lead.status == "qualified"


def test_a_lead_is_qualified_once(agent: Client, workspace: Workspace) -> None:
    lead = make_record(Lead, workspace)

    after("lead-qualify", agent, lead)
    after("lead-qualify", agent, lead)
    after("lead-reopen", agent, lead)

    assert lead.status == "qualified"
    assert Opportunity.objects.count() == 1


def test_a_disqualified_lead_can_be_opened_again(agent: Client, workspace: Workspace) -> None:
    lead = make_record(Lead, workspace)

    assert after("lead-disqualify", agent, lead).status == "disqualified"
    assert after("lead-reopen", agent, lead).status == "open"
    assert not Opportunity.objects.exists()


def test_a_deal_that_is_won_cannot_be_lost(agent: Client, workspace: Workspace) -> None:
    opportunity = make_record(Opportunity, workspace)

    after("opportunity-win", agent, opportunity)
    after("opportunity-lose", agent, opportunity)

    assert (opportunity.status, opportunity.lost_at) == ("won", None)
    assert after("opportunity-reopen", agent, opportunity).status == "open"


def test_a_deal_gets_a_price(agent: Client, workspace: Workspace) -> None:
    opportunity = make_record(Opportunity, workspace)

    agent.post(reverse("opportunity-price", args=[opportunity.number]), {"amount": "1140.5", "currency": "EUR"})

    opportunity.refresh_from_db()
    assert (opportunity.amount, opportunity.currency) == (Decimal("1140.50"), "EUR")


def test_a_price_that_is_none_is_refused_with_a_word_beside_it(agent: Client, workspace: Workspace) -> None:
    opportunity = make_record(Opportunity, workspace)

    answer = agent.post(reverse("opportunity-price", args=[opportunity.number]), {"amount": "-1", "currency": "eu"})

    assert answer.status_code == 422
    assert "Three capital letters" in answer.content.decode()
    opportunity.refresh_from_db()
    assert opportunity.amount is None


def test_a_campaign_shows_who_came_and_who_answered(agent: Client, workspace: Workspace) -> None:
    campaign, customer = make_campaign(workspace), make_customer(workspace, "Beth")
    Origin.objects.create(workspace=workspace, customer=customer, channel="webchat", campaign=campaign)
    make_record(CampaignResponse, workspace, customer=customer, campaign=campaign, title="Lovely window")

    listed = agent.get(reverse("campaigns")).context["listing"].rows[0]
    page = agent.get(reverse("campaign", args=[campaign.pk])).content.decode()

    assert (listed.came, listed.answered) == (1, 1)
    assert "Beth" in page
    assert "Lovely window" in page


def test_campaigns_are_running_to_come_or_over(agent: Client, workspace: Workspace) -> None:
    now, day = clock.now(), timedelta(days=1)
    make_campaign(workspace, name="Runs", code="a", starts_at=now - day)
    make_campaign(workspace, name="Comes", code="b", starts_at=now + day)
    make_campaign(workspace, name="Gone", code="c", starts_at=now - 2 * day, ends_at=now - day)

    def names(status: str) -> list[str]:
        listing = agent.get(reverse("campaigns"), {"status": status}).context["listing"]
        return [campaign.name for campaign in listing.rows]

    assert (names("running"), names("to_come"), names("over")) == (["Runs"], ["Comes"], ["Gone"])


def test_a_campaign_of_another_workspace_is_not_found(agent: Client) -> None:
    other = make_workspace()
    with scope(workspace=other):
        campaign = make_campaign(other)

    assert agent.get(reverse("campaign", args=[campaign.pk])).status_code == 404
