"""Who wrote: the customer behind an address, made when it is new. Claims never join two profiles."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from crm.people.models import Customer, Identity, Origin
from crm.workspace.models import Workspace


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a channel gives it, with what it says about the person."""

    kind: str
    scope: str
    address: str
    name: str = ""
    handle: str = ""
    language: str = ""
    is_verified: bool = True


def recognise(workspace: Workspace, address: Address, at: datetime) -> tuple[Identity, bool]:
    """The identity of the address with its customer, and whether it is new. Name and handle are kept fresh.

    Call it inside a `change`. Two at once make one identity: the database's key decides.
    """
    key = {"kind": address.kind, "scope": address.scope, "address": address.address}
    known = Identity.objects.select_related("customer").filter(**key).first()
    if known is not None:
        _freshen(known, address)
        return known, False
    customer = Customer(workspace=workspace, name=address.name or gettext("Visitor"), created_at=at)
    customer.language = address.language
    customer.save()
    identity = Identity(workspace=workspace, customer=customer, handle=address.handle, known_at=at, **key)
    identity.known_by = Identity.KnownBy.CHANNEL if address.is_verified else Identity.KnownBy.CUSTOMER
    identity.verified_at = at if address.is_verified else None
    Identity.objects.bulk_create([identity], ignore_conflicts=True)
    stored: Identity = Identity.objects.select_related("customer").get(**key)
    if stored.customer_id != customer.pk:  # another transaction was first
        customer.delete()
        return stored, False
    return stored, True


def _freshen(identity: Identity, address: Address) -> None:
    customer = identity.customer
    if address.handle and identity.handle != address.handle:
        identity.handle = address.handle
        identity.save(update_fields=["handle"])
    if address.name and address.is_verified and customer.name != address.name:
        customer.name = address.name
        customer.save(update_fields=["name"])


def note_origin(customer: Customer, origin: Origin) -> None:
    """Keep how the customer first came; a second origin changes nothing."""
    origin.workspace, origin.customer = customer.workspace, customer
    Origin.objects.bulk_create([origin], ignore_conflicts=True)
