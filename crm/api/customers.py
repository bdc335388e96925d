"""Customers in the API."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from crm.api.access import Token, new_router
from crm.api.lists import Id, PageOf, clean, page
from crm.api.problems import refusals
from crm.people.models import Customer

router = new_router("customers")
READ = Token("read", "customer.view")


class Person(Schema):
    """A customer where they are mentioned."""

    id: int
    name: str


class IdentityOut(Schema):
    kind: str = Field(description="The kind of channel, as `telegram`")
    address: str
    handle: str
    is_verified: bool
    is_blocked: bool


class CustomerOut(Schema):
    id: int
    name: str
    language: str
    company: str | None
    mood: float | None = Field(description="-1 to 1; the newest messages weigh most")
    created_at: datetime
    last_contact_at: datetime | None
    waiting_since: datetime | None
    identities: list[IdentityOut]


class CustomerList(Schema):
    items: list[CustomerOut]
    next: str | None


class CustomerFilter(PageOf):
    q: str = Field("", max_length=200, description="Words in the name or in an address")


def person(customer: Customer) -> Person:
    return Person(id=customer.pk, name=customer.name)


@router.get("", auth=READ, response={200: CustomerList, **refusals()}, operation_id="list_customers")
def customers(request: HttpRequest, asked: Query[CustomerFilter]) -> CustomerList:
    """Customers, those in touch last first."""
    rows, after = page(_found(clean(asked.q)), asked, by="last_contact_at")
    return CustomerList(items=[_shown(row) for row in rows], next=after)


@router.get("/{customer_id}", auth=READ, response={200: CustomerOut, **refusals(404)}, operation_id="get_customer")
def customer(request: HttpRequest, customer_id: Id) -> CustomerOut:
    """One customer."""
    return _shown(get_object_or_404(_found(""), pk=customer_id))


def _found(words: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = Customer.objects.select_related("company").prefetch_related("identities")
    if not words:
        return rows
    known = Q(identities__address__icontains=words) | Q(identities__handle__icontains=words)
    return rows.filter(pk__in=Customer.objects.filter(Q(name__icontains=words) | known).values("pk"))


def _shown(row: Customer) -> CustomerOut:
    return CustomerOut(
        id=row.pk,
        name=row.name,
        language=row.language,
        company=row.company.name if row.company else None,
        mood=row.mood,
        created_at=row.created_at,
        last_contact_at=row.last_contact_at,
        waiting_since=row.waiting_since,
        identities=[
            IdentityOut(
                kind=known.kind,
                address=known.address,
                handle=known.handle,
                is_verified=known.verified_at is not None,
                is_blocked=known.blocked_at is not None,
            )
            for known in row.identities.all()
        ],
    )
