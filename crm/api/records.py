"""What every kind of record has in the API: its filter, and its common facts."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from ninja import Field, Schema

from crm.api.access import Token
from crm.api.customers import Person, person
from crm.api.lists import Id, PageOf
from crm.records import Record

READ = Token("read", "record.view")


class RecordFilter(PageOf):
    customer: Id | None = Field(None, description="The id of a customer")


class RecordOut(Schema):
    """The facts that every record has."""

    id: int
    number: int = Field(description="As people say it: #12")
    title: str
    status: str
    customer: Person
    owner: str | None = Field(description="The name of the agent who has it")
    opened_at: datetime


def narrowed(rows: QuerySet[Any], asked: RecordFilter) -> QuerySet[Any]:
    return rows if asked.customer is None else rows.filter(customer=asked.customer)


def common(row: Record) -> dict[str, Any]:
    """The values of `RecordOut`."""
    owner = getattr(row, "owner", None)
    facts = {"id": row.pk, "number": row.number, "title": row.title, "status": row.status, "opened_at": row.opened_at}
    return {**facts, "customer": person(row.customer), "owner": owner.name if owner else None}
