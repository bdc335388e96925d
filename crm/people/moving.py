"""A person whose address moved. The platform vouches for it, so two profiles may become one: by a claim never."""

from django.db import IntegrityError, models, transaction

from crm.people.models import Customer, Identity, Origin
from crm.people.recognition import Address


def move(identity: Identity, address: Address, *, taken_by: Identity | None) -> None:
    """The identity has the new address. Call it inside a `change`.

    `taken_by` is the identity that has that address already, because they wrote from it before the platform told us:
    it becomes a part of the older one, and its profile too when it has nothing else.
    """
    if taken_by is not None:
        younger = taken_by.customer
        _hand_over(Identity, taken_by, identity)
        taken_by.delete()
        if younger.pk != identity.customer_id and not Identity.objects.filter(customer=younger).exists():
            _absorb(identity.customer, younger)
    repeats_old = identity.address.lstrip("+") in identity.handle
    identity.handle = address.handle or ("" if repeats_old else identity.handle)
    identity.address = address.address
    identity.save(update_fields=["address", "handle"])


def _absorb(older: Customer, younger: Customer) -> None:
    """All that hangs on the younger profile hangs on the older one; the younger is gone."""
    if Origin.objects.filter(customer=older).exists():
        Origin.objects.filter(customer=younger).delete()
    _hand_over(Customer, younger, older)
    younger.delete()


def _hand_over(model: type[models.Model], old: models.Model, new: models.Model) -> None:
    """Every row that points at `old` points at `new`. One that `new` has already goes: the same reaction twice."""
    for relation in model._meta.related_objects:
        name = relation.field.name
        for row in relation.related_model._default_manager.filter(**{name: old}):
            try:
                with transaction.atomic():
                    setattr(row, name, new)
                    row.save(update_fields=[name])
            except IntegrityError:
                row.delete()
