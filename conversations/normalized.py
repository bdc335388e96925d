"""What an adapter hands to the hub: the same few shapes for every platform. Ids are text, times are aware datetimes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote. `address` is unique within the inbox's identity scope; the rest is as fresh as the message."""

    address: str
    name: str = ""
    username: str = ""  # without an @
    language: str = ""  # as the platform says it: "sv", "pt-br"
    phone: str = ""  # E.164, only where the platform vouches for it
    email: str = ""
    verified: bool = True  # False: anyone could have claimed this address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. `external_id` is what the adapter's `fetch` needs; `token` names a file stored already."""

    kind: str  # image, video, audio, file, sticker, location, contact
    external_id: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None  # bytes, as claimed
    token: str = ""
    details: dict[str, Any] = field(default_factory=dict)  # lat and lon of a location, phone of a contact


@dataclass(frozen=True, slots=True)
class FirstTouch:
    """How they came, where the channel can tell."""

    url: str = ""
    referrer: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    payload: str = ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    external_id: str  # unique within the thread
    thread_id: str
    sender: Sender
    text: str
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    reply_to: str = ""
    is_group: bool = False
    is_public: bool = False
    payload: str = ""  # of a button or a deep link
    flags: tuple[str, ...] = ()  # "forwarded"
    first_touch: FirstTouch | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The newest text of a message. One older than what is stored changes nothing."""

    thread_id: str
    target: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deletion:
    thread_id: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reacted:
    """The sender's reactions to a message are now exactly `emojis`. `others_stand`: only those of `before` are gone."""

    thread_id: str
    target: str
    sender: Sender
    emojis: tuple[str, ...]
    at: datetime
    before: tuple[str, ...] = ()
    others_stand: bool = False
    within: str = ""  # where the platform names no thread: what the message's thread id begins with


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform says that our part arrived, was read, or failed after all."""

    thread_id: str
    target: str
    status: str  # delivered, read, failed
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """The customer has seen everything we sent on the thread up to a moment."""

    thread_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Blocked:
    """The customer blocked us (`is_blocked`), or let us in again."""

    thread_id: str
    sender: Sender
    is_blocked: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class ThreadMoved:
    """The platform gave a thread another id."""

    thread_id: str
    new_thread_id: str
    at: datetime


Inbound = InboundMessage | Edit | Deletion | Reacted | Receipt | ReadUpTo | Blocked | ThreadMoved
