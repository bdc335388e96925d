from datetime import timedelta
from decimal import Decimal

import pytest

from crm.models import Campaign, Company, Customer, Identity, Lead, Opportunity, Ticket
from crm.workspace import clock
from tests.api import Program


@pytest.fixture
def program(member):
    return Program(member, "read")


def make_customers(workspace, count):
    now = clock.now()
    for number in range(count):
        at = now - timedelta(hours=number // 2) if number % 5 else None  # pairs share a time; some have none
        Customer.objects.create(workspace=workspace, name=f"C{number}", last_contact_at=at)


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_hold_every_row_once_in_the_same_order(workspace, program, limit):
    make_customers(workspace, 12)
    whole = [row["id"] for row in program.get("customers?limit=200").json()["items"]]

    seen, cursor = [], ""
    while cursor is not None:
        page = program.get(f"customers?limit={limit}&cursor={cursor}").json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]

    assert seen == whole
    assert len(set(seen)) == 12


@pytest.mark.parametrize(
    "asked",
    ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=abc", "cursor=LjA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"],
)
def test_a_page_that_cannot_be_is_refused_in_words(program, asked):
    response = program.get(f"customers?{asked}")

    assert response.status_code == 422
    assert response.json()["error"]


def test_customers_are_found_by_name_and_by_address(workspace, program):
    company = Company.objects.create(workspace=workspace, name="Lind AB", domain="lind.example")
    ada = Customer.objects.create(workspace=workspace, name="Ada Lind", company=company)
    Customer.objects.create(workspace=workspace, name="Bo")
    Identity.objects.create(
        workspace=workspace, customer=ada, kind="telegram", address="77", handle="@adalind", known_by="channel"
    )

    for words in ("lind", "@ADA", "77"):
        assert [row["name"] for row in program.get(f"customers?q={words}").json()["items"]] == ["Ada Lind"]
    shown = program.get(f"customers/{ada.pk}").json()
    assert shown["company"] == "Lind AB"
    assert shown["identities"][0] == {
        "kind": "telegram",
        "address": "77",
        "handle": "@adalind",
        "is_verified": False,
        "is_blocked": False,
    }
    assert program.get("customers?q=%00").status_code == 200


def test_records_are_listed_by_status_and_customer(workspace, program):
    ada = Customer.objects.create(workspace=workspace, name="Ada")
    bo = Customer.objects.create(workspace=workspace, name="Bo")
    for number, (customer, status) in enumerate([(ada, "open"), (ada, "solved"), (bo, "open")], start=1):
        Ticket.objects.create(workspace=workspace, number=number, customer=customer, title="T", status=status)
        Lead.objects.create(workspace=workspace, number=number, customer=customer, title="L")

    def numbers(path):
        return sorted(row["number"] for row in program.get(path).json()["items"])

    assert numbers("tickets") == [1, 2, 3]
    assert numbers("tickets?status=open") == [1, 3]
    assert numbers(f"tickets?status=open&customer={ada.pk}") == [1]
    assert numbers(f"leads?customer={bo.pk}") == [3]
    assert program.get("tickets?status=lost").status_code == 422
    ticket = Ticket.objects.get(number=1)
    assert program.get(f"tickets/{ticket.pk}").json()["customer"] == {"id": ada.pk, "name": "Ada"}


def test_opportunities_are_listed_by_what_became_of_them(workspace, program):
    ada = Customer.objects.create(workspace=workspace, name="Ada")
    facts = {"workspace": workspace, "customer": ada, "title": "D"}
    Opportunity.objects.create(number=1, amount=Decimal("12.50"), currency="EUR", **facts)
    Opportunity.objects.create(number=2, won_at=clock.now(), **facts)

    assert [row["number"] for row in program.get("opportunities?status=won").json()["items"]] == [2]
    opened = program.get("opportunities?status=open").json()["items"]
    assert [(row["number"], row["amount"], row["currency"]) for row in opened] == [(1, "12.50", "EUR")]


def test_campaigns_say_whether_they_run(workspace, program):
    now, day = clock.now(), timedelta(days=1)
    Campaign.objects.create(workspace=workspace, name="Later", code="later", starts_at=now + day)
    Campaign.objects.create(workspace=workspace, name="Now", code="now", starts_at=now - day)
    Campaign.objects.create(workspace=workspace, name="Past", code="past", starts_at=now - 2 * day, ends_at=now - day)

    for status, name in [("planned", "Later"), ("running", "Now"), ("ended", "Past")]:
        rows = program.get(f"campaigns?status={status}").json()["items"]
        assert [(row["name"], row["status"]) for row in rows] == [(name, status)]
