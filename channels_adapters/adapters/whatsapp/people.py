"""Who wrote, by phone number and by the id that WhatsApp gives a person for one business.

People with a user name may hide their number: then the id is all there is. Where one delivery shows both, both are
addresses of the same person.
"""

import re
from collections.abc import Iterable

from channels_adapters.meta.readers import name_of
from channels_adapters.reading import Broken, Fields
from conversations.normalized import Sender

USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
NUMBER = re.compile(r"[0-9]{7,15}")


def sender_of(message: Fields, contacts: Iterable[Fields]) -> Sender:
    """Raises Broken when nothing says who it is."""
    known = list(contacts)
    ids = {name_of(message, key) for key in ("from", "from_user_id", "wa_id", "user_id")} - {""}
    if ids:
        known = [contact for contact in known if ids & {name_of(contact, "wa_id"), name_of(contact, "user_id")}]
    elif len(known) != 1:
        raise Broken("nothing says who wrote")
    contact = known[0] if known else Fields({})
    number = name_of(message, "from") or name_of(message, "wa_id") or name_of(contact, "wa_id")
    user_id = name_of(message, "from_user_id") or name_of(message, "user_id") or name_of(contact, "user_id")
    return person(number, user_id, contact.one("profile"))


def thread_of(sender: Sender) -> str:
    """A person's thread is named by their id where we know it, which stays when they hide their number."""
    names = (sender.address, *sender.also)
    return next(filter(USER_ID.fullmatch, names), sender.address)


def person(number: str, user_id: str, profile: Fields | None = None) -> Sender:
    """The person with their number first, which old messages know them by. `number` may hold the id instead."""
    found = list(dict.fromkeys(each for each in (number, user_id) if each))
    if not found:
        raise Broken("nothing says who wrote")
    profile = profile or Fields({})
    return Sender(
        address=found[0],
        also=tuple(found[1:]),
        name=" ".join(profile.text("name").split()),
        username=profile.text("username").lstrip("@"),
        phone=f"+{number}" if NUMBER.fullmatch(number) else "",
    )
