"""What WhatsApp says of a message we sent. The order is not promised: the hub lets statuses only move forward."""

from channels_adapters.adapters.whatsapp.people import person
from channels_adapters.meta.errors import reason_of
from channels_adapters.meta.readers import moment, name_of
from channels_adapters.reading import Broken, Fields
from conversations.normalized import Inbound, OptedOut, Receipt

_STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}
_WANTS_NO_MARKETING = "131050"


def read(status: Fields) -> list[Inbound]:
    """A receipt; with a refusal because they stopped marketing messages, that too. Raises Broken."""
    target, said = name_of(status, "id"), _STATUSES.get(status.text("status"))
    if said is None:
        return []
    if not target:
        raise Broken("the status names no message")
    at, error = moment(status, "timestamp"), next(status.many("errors"), Fields({}))
    code = name_of(error, "code") if said == "failed" else ""
    reason = reason_of(error) if said == "failed" else ""
    found: list[Inbound] = [Receipt("", target, said, at, reason, code, _our_number(status))]
    number, user_id = name_of(status, "recipient_id"), name_of(status, "recipient_user_id")
    if code == _WANTS_NO_MARKETING and (number or user_id):
        found.append(OptedOut(person(number, user_id), is_out=True, at=at))
    return found


def _our_number(status: Fields) -> int | None:
    """What we put into the message comes back with its statuses: its delivery's number."""
    told = name_of(status, "biz_opaque_callback_data")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None
