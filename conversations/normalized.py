"""What an adapter hands to the hub: the same few shapes for every platform. Ids are text, times are aware datetimes.

`InboundMessage.details` and `SendReceipt.details` are kept on the message and given back with the next answer. The
pages show these keys; any other is the adapter's own and is shown nowhere:

    subject     of a mail
    copied      ["ada@example.org"]: who got it too; an answer goes to them as well unless the agent says otherwise.
                Of ours: who gets the answer too, written here by the hub
    folded      what was cut off below the text: the quoted mail and the signature, as plain text
    checks      {"spf": "pass", "dkim": "fail", "dmarc": "none"}: what the receiving server found, one word each
    invite      {"title", "starts", "ends", "place", "method"}: a calendar invitation. `starts` and `ends` are ISO 8601
                with an offset, or a bare date for a whole day; `method` is request, cancel, reply or publish
    referral    {"source", "headline", "url", "ad_id", "ref"}: the advertisement or link they came by
    flags       as `InboundMessage.flags`, written here by the hub
    private_thread  as `InboundMessage.private_thread`, written here by the hub
    buttons     of ours: [{"label", "payload", "url"}], written here by the hub
    template    of ours: {"name", "language", "values"}, written here by the hub
    permalink   where the message can be looked at on the platform: an https address

`Attachment.details` of an inline image has `cid`, the id by which the text names it as `[cid:ID]`, and `inline`: true.
"""

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
    kind: str = ""  # of the address where it is not the channel's own: "phone", "email"; such are unique in the world
    also: tuple[str, ...] = ()  # other addresses of the same person on this channel: a number beside a user id
    picture: str = ""  # what the adapter's `fetch` needs


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. `external_id` is what the adapter's `fetch` needs; `token` names a file stored already."""

    kind: str  # image, video, audio, file, sticker, location, contact
    external_id: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None  # bytes, as claimed
    token: str = ""
    details: dict[str, Any] = field(default_factory=dict)  # lat and lon, a contact's phone, an inline image's id


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
    flags: tuple[str, ...] = ()  # "forwarded"; "auto_reply": never answered by a machine
    first_touch: FirstTouch | None = None
    refers_to: tuple[str, ...] = ()  # ids of earlier messages, nearest first: the thread of one we know is its thread
    private_thread: str = ""  # of a public message: the thread id by which its author is answered in private
    details: dict[str, Any] = field(default_factory=dict)  # kept with it, and given back when it is answered: a subject


@dataclass(frozen=True, slots=True)
class Edit:
    """The newest text of a message. One older than what is stored changes nothing."""

    thread_id: str  # '' where the platform names none, and its ids are the only ones on the inbox
    target: str
    text: str
    at: datetime
    within: str = ""  # where the platform names no thread: what the message's thread id begins with


@dataclass(frozen=True, slots=True)
class Deletion:
    thread_id: str
    target: str
    at: datetime
    within: str = ""  # as of an `Edit`


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

    thread_id: str  # '' where the platform names none
    target: str
    status: str  # delivered, read, failed
    at: datetime
    reason: str = ""
    code: str = ""  # the platform's number of the failure
    part: int | None = None  # our own number of it, where the platform gives it back: then an uncertain part is known
    bounced: bool = False  # it was sent, and came back


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """The customer has seen, or their device has, everything we sent on the thread up to a moment."""

    thread_id: str
    at: datetime
    target: str = ""  # the newest of it, where the platform names that
    status: str = "read"  # delivered, read


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


@dataclass(frozen=True, slots=True)
class IdentityMoved:
    """The platform gave a person another address: a changed phone number. The profile stays the same.

    A thread that was named by the old address is moved by a `ThreadMoved` of its own.
    """

    sender: Sender  # by the new address
    old_address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """What the channel says anew of a person who has written before: a name, a handle, a picture."""

    sender: Sender
    at: datetime


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The customer wants no more messages here that they did not ask for (`is_out`), or wants them again.

    `everything`: the platform lets nothing through to them until they opt in again, not even an answer: STOP by SMS.
    """

    sender: Sender
    is_out: bool
    at: datetime
    everything: bool = False
    wording: str = ""  # what they wrote or pressed


@dataclass(frozen=True, slots=True)
class Writing:
    """The customer is typing. Shown for a moment, never stored."""

    thread_id: str
    sender: Sender


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The platform shut us out: the app was removed or its token taken back. Nothing comes or goes until mended."""

    reason: str
    at: datetime


Inbound = (
    InboundMessage
    | Edit
    | Deletion
    | Reacted
    | Receipt
    | ReadUpTo
    | Blocked
    | ThreadMoved
    | IdentityMoved
    | PersonChanged
    | OptedOut
    | Writing
    | ConnectionLost
)
