"""From the sender of a message, as an adapter names them, to their address in the customer profiles."""

from conversations.models import Inbox
from conversations.normalized import Sender
from conversations.text import clean, clean_line
from crm.people.models import Identity
from crm.people.recognition import Address

ADDRESS = 255  # characters
PICTURE = 400  # characters; a longer source cannot be kept, and half of one fetches nothing


def address_of(inbox: Inbox, sender: Sender) -> Address:
    """Where they are reached, and what the message says about them."""
    name = clean_line(sender.name, 160)
    username = clean_line(sender.username, 150)
    return Address(
        kind=sender.kind or inbox.channel,
        scope="" if sender.kind else inbox.identity_scope,
        address=clean_line(sender.address, ADDRESS),
        also=tuple(clean_line(address, ADDRESS) for address in sender.also if address),
        name=name or (f"@{username}" if username else ""),
        handle=f"@{username}" if username else clean_line(sender.phone or sender.email, 160),
        language=clean_line(sender.language, 12),
        is_verified=sender.verified,
        picture=clean(sender.picture) if len(sender.picture) <= PICTURE else "",
    )


def known_identity(inbox: Inbox, sender: Sender) -> Identity | None:
    """The identity of a sender who has written before, by any of their addresses."""
    address = address_of(inbox, sender)
    known = Identity.objects.select_related("customer").filter(kind=address.kind, scope=address.scope)
    found = {identity.address: identity for identity in known.filter(address__in=address.all)}
    return next((found[each] for each in address.all if each in found), None)
