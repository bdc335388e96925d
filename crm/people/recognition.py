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
    also: tuple[str, ...] = ()  # the same person's other addresses of this kind
    name: str = ""
    handle: str = ""
    language: str = ""
    is_verified: bool = True
    picture: str = ""  # what the channel fetches it by

    @property
    def all(self) -> tuple[str, ...]:
        return (self.address, *(other for other in self.also if other != self.address))


def recognise(workspace: Workspace, address: Address, at: datetime) -> tuple[Identity, bool]:
    """The identity of the address with its customer, and whether the customer is new. Name and handle are kept fresh.

    Call it inside a `change`. Two at once make one identity: the database's key decides.
    """
    key = {"kind": address.kind, "scope": address.scope}
    found = Identity.objects.select_related("customer").filter(**key, address__in=address.all)
    known = {identity.address: identity for identity in found}
    if known:
        customer = next(known[each] for each in address.all if each in known).customer
        missing = [each for each in address.all if each not in known]
        known |= {each: _add(customer, address, each, at)[0] for each in missing}
        _freshen(known[address.address], address)
        return known[address.address], False
    customer = Customer(workspace=workspace, name=address.name or gettext("Visitor"), created_at=at)
    customer.language = address.language
    customer.save()
    identity, is_new = _add(customer, address, address.address, at)
    if not is_new:  # another transaction was first
        customer.delete()
        return identity, False
    for other in address.all[1:]:
        _add(customer, address, other, at)
    return identity, True


def _add(customer: Customer, address: Address, value: str, at: datetime) -> tuple[Identity, bool]:
    """The address as the customer's, and whether it is theirs: another may have it since."""
    key = {"kind": address.kind, "scope": address.scope, "address": value}
    identity = Identity(workspace=customer.workspace, customer=customer, handle=address.handle, known_at=at, **key)
    identity.picture_source = address.picture
    identity.known_by = Identity.KnownBy.CHANNEL if address.is_verified else Identity.KnownBy.CUSTOMER
    identity.verified_at = at if address.is_verified else None
    Identity.objects.bulk_create([identity], ignore_conflicts=True)
    stored: Identity = Identity.objects.select_related("customer").get(**key)
    return stored, stored.customer_id == customer.pk


def _freshen(identity: Identity, address: Address) -> None:
    customer = identity.customer
    fresh = {"handle": address.handle, "picture_source": address.picture}
    changed = [name for name, value in fresh.items() if value and getattr(identity, name) != value]
    for name in changed:
        setattr(identity, name, fresh[name])
    if changed:
        identity.save(update_fields=changed)
    if address.name and address.is_verified and customer.name != address.name:
        customer.name = address.name
        customer.save(update_fields=["name"])


def note_origin(customer: Customer, origin: Origin) -> None:
    """Keep how the customer first came; a second origin changes nothing."""
    origin.workspace, origin.customer = customer.workspace, customer
    Origin.objects.bulk_create([origin], ignore_conflicts=True)
