"""Who wrote: the customer behind an address, made when it is new. Claims never join two profiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from crm.people.models import Customer, Identity, Origin
from crm.workspace.events import Change


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


class People:
    """The customers behind a few addresses, read at once. Each is one object, however many addresses lead to it.

    Call it inside a `change`. Of two who make the same identity at once the database refuses the second, whose
    change is then made again.
    """

    def __init__(self, addresses: Iterable[Address]) -> None:
        self._customers: dict[int, Customer] = {}
        self._known: dict[tuple[str, str, str], Identity] = {}
        wanted: dict[tuple[str, str], set[str]] = {}
        for address in addresses:
            wanted.setdefault((address.kind, address.scope), set()).update(address.all)
        for (kind, scope), values in wanted.items():
            found = Identity.objects.select_related("customer").filter(kind=kind, scope=scope, address__in=values)
            for identity in found:
                self._known[kind, scope, identity.address] = identity

    def meet(self, customer: Customer) -> Customer:
        """The one object of this customer: the first that was met."""
        return self._customers.setdefault(customer.pk, customer)

    def recognise(self, event: Change, address: Address, at: datetime) -> tuple[Identity, bool]:
        """The identity of the address with its customer, and whether they are new. Name and handle are kept fresh."""
        known = [found for value in address.all if (found := self._of(address, value))]
        if known:
            customer = known[0].customer
        else:
            customer = Customer(workspace=event.workspace, name=address.name or gettext("Visitor"), created_at=at)
            customer.language = address.language
            event.add(customer)
        for value in address.all:
            if self._of(address, value) is None:
                self._add(event, customer, address, value, at)
        identity = self._known[address.kind, address.scope, address.address]
        _freshen(event, identity, address)
        return identity, not known

    def _of(self, address: Address, value: str) -> Identity | None:
        identity = self._known.get((address.kind, address.scope, value))
        if identity is not None and identity.customer.pk is not None:
            identity.customer = self.meet(identity.customer)
        return identity

    def _add(self, event: Change, customer: Customer, address: Address, value: str, at: datetime) -> None:
        identity = Identity(workspace=event.workspace, customer=customer, handle=address.handle, known_at=at)
        identity.kind, identity.scope, identity.address = address.kind, address.scope, value
        identity.picture_source = address.picture
        identity.known_by = Identity.KnownBy.CHANNEL if address.is_verified else Identity.KnownBy.CUSTOMER
        identity.verified_at = at if address.is_verified else None
        self._known[address.kind, address.scope, value] = identity
        event.add(identity)


def _freshen(event: Change, identity: Identity, address: Address) -> None:
    customer = identity.customer
    fresh = {"handle": address.handle, "picture_source": address.picture}
    changed = [name for name, value in fresh.items() if value and getattr(identity, name) != value]
    for name in changed:
        setattr(identity, name, fresh[name])
    if changed:
        event.touch(identity, *changed)
    if address.name and address.is_verified and customer.name != address.name:
        customer.name = address.name
        event.touch(customer, "name")


def note_origin(event: Change, customer: Customer, origin: Origin) -> None:
    """Keep how a new customer first came."""
    origin.workspace, origin.customer = event.workspace, customer
    event.add(origin)
