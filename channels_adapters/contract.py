"""The contract of a channel: one class per platform, and nothing else in the product knows the platform.

    ChannelError
    ├── WebhookRejected(status, reason)      the request is not theirs, or not readable: nothing is kept
    ├── Unreadable(reason)                   stored, but it cannot be parsed: it will be parked
    └── SendFailed
        ├── Retryable(reason, retry_after)   not sent; try again, after so many seconds when the platform says so
        ├── Refused(reason)                  not sent and never will be; the reason is shown to the agent
        └── Uncertain(reason)                it may have arrived; never sent again without a person's word

Vendor exceptions stop in the adapter. `parse` is pure; `send`, `fetch`, `typing`, `check` and `listen` run on the
process's one event loop for platform clients.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from conversations.normalized import Inbound, Sender


class ChannelError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookRejected(ChannelError):
    def __init__(self, reason: str, status: int = 403, *, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after  # seconds, where coming again helps


class Unreadable(ChannelError):
    pass


class SendFailed(ChannelError):
    pass


class Retryable(SendFailed):
    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refused(SendFailed):
    pass


class Uncertain(SendFailed):
    pass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the platform can do, for the composer and `docs/channels.md`."""

    text_limit: int  # characters in one part
    takes_in: tuple[str, ...] = ()  # what comes in, of the words in `TAKES_IN`
    files: bool = False
    file_limit: int = 0  # bytes
    media: tuple[str, ...] = ()  # MIME types that may leave, "image/*" for all of a kind; none named: all
    caption_limit: int = 0
    replies: bool = False  # an answer may name the message it answers
    buttons: int = 0  # the most that stand under a message; 0: none
    button_limit: int = 0  # characters on one
    templates: bool = False  # texts the platform approved beforehand, which open a closed window
    window_hours: int = 0  # how long after the customer's last message we may write; 0: always
    window_on: str = ""  # only threads whose id begins with this have that window
    tag_hours: int = 0  # how long when an agent, not a machine, writes and says so; 0: no such thing
    typing: bool = False
    read_marks: bool = False  # we can tell the customer that we read
    receipts: tuple[str, ...] = ()  # of delivered, read: what the platform tells us
    edits: bool = False
    deletes: bool = False
    reactions: bool = False
    emojis: tuple[str, ...] = ()  # the only ones it takes as reactions; none named: all
    public_posts: bool = False
    private_answers: bool = False  # who wrote in public can be answered in private
    only_public: tuple[str, ...] = ()  # which of these words hold for posts only: "deletes"
    only_private: tuple[str, ...] = ()  # and which hold everywhere else: "reactions"
    hides: bool = False  # we may hide a public post under ours
    likes: bool = False
    profiles: bool = False  # messages come without a name, and the platform can be asked for it
    starts: bool = False  # we may write first, to an address
    per_second: float = 0  # parts that the platform takes from one account in a second; 0: not known
    per_thread_second: float = 0  # and into one thread
    whole: bool = False  # text and files leave together, as one part
    repeatable: bool = False  # sending a part twice does no harm, so a crash leaves nothing uncertain
    looks_up: bool = False  # the platform can be asked whether a part arrived: see `look_up`

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


TAKES_IN = (
    *("text", "image", "video", "audio", "voice", "file", "sticker", "location", "contact", "album", "button"),
    *("reply", "forward", "reaction", "edit", "delete", "receipt", "typing", "group", "public"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a connection's form."""

    key: str
    label: str
    help: str  # where the value is found
    secret: bool = False
    required: bool = True
    default: str = ""
    by_hand: bool = True  # False: filled in by the test, or given on the command line only
    unless: str = ""  # the setting that, when given, makes this one optional
    made: bool = False  # a secret of our own, made up when none is given
    choices: tuple[str, ...] = ()  # what it may be, where that is all; the form then offers them


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request as it came. Header names are lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HookAnswer:
    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    retry_after: int | None = None  # seconds


@dataclass(frozen=True, slots=True)
class OutboundFile:
    name: str
    mime: str
    data: bytes
    url: str = ""  # where anyone who has it finds the file for a month: for platforms that fetch what they deliver
    alt: str = ""  # what it shows, for those who do not see it


@dataclass(frozen=True, slots=True)
class Button:
    """Under a message: the customer presses it, and `payload` comes back. With `url` it opens a page instead."""

    label: str
    payload: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text that the platform approved beforehand, as it lists it."""

    name: str
    language: str  # as the platform writes it: "pt_BR"
    text: str  # with {{1}} or {{name}} where a value goes
    variables: tuple[str, ...] = ()  # the names of its values, in order: "1", "name"
    status: str = "approved"  # approved, pending, rejected, paused
    category: str = ""  # marketing, utility, authentication
    reason: str = ""  # why it was rejected or paused


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """One template filled in."""

    name: str
    language: str
    values: tuple[str, ...] = ()  # as many as it has variables, in their order


@dataclass(frozen=True, slots=True)
class OutboundPart:
    """One part of a message on its way out. `delivery_id` is ours and stays the same over retries."""

    delivery_id: int
    thread_id: str
    text: str = ""
    file: OutboundFile | None = None
    reply_to: str = ""
    wanted_at: datetime | None = None  # no try of it was made before; for `look_up`
    address: str = ""  # whom it is for, as the channel knows them
    is_public: bool = False
    buttons: tuple[Button, ...] = ()
    template: TemplateUse | None = None  # then `text` is what it reads as, and is not sent
    late: bool = False  # the window is shut, and an agent writes within `tag_hours`
    answers: Mapping[str, Any] = field(default_factory=dict)  # `details` of their last message here
    copy_to: tuple[str, ...] = ()  # who gets it too, where the answered message's details have `copied`
    files: tuple[OutboundFile, ...] = ()  # of a message that leaves whole; then `file` is None
    purpose: str = "reply"  # reply, service, marketing
    by_machine: bool = False  # no person wrote it


@dataclass(frozen=True, slots=True)
class OutboundAct:
    """Something done to a message that exists: edit, delete, react, read, hide, unhide, like, unlike."""

    delivery_id: int
    kind: str
    thread_id: str
    target: str  # the platform's id of the message
    text: str = ""  # the new text; the emoji of a reaction, '' to take it back
    answers: Mapping[str, Any] = field(default_factory=dict)  # the `details` of the target
    before: str = ""  # of a reaction: the emoji of ours that stands there now


@dataclass(frozen=True, slots=True)
class SendReceipt:
    external_id: str
    details: Mapping[str, Any] = field(default_factory=dict)  # kept with the message: its own id of a mail, a root post


@dataclass(frozen=True, slots=True)
class Check:
    """What a live test of the connection found. No problems: it works.

    `facts` are shown beside the connection (the bot's name, the account); those whose key is one of the settings are
    kept there too. `token_expires_at`, in ISO 8601, is when the token ends.
    """

    problems: tuple[str, ...] = ()
    facts: Mapping[str, str] | None = None


# Stores updates (delivery id, raw bytes) and moves the poll cursor in one transaction; returns when it is committed.
Store = Callable[[list[tuple[str, bytes]], str], Awaitable[None]]


class ChannelAdapter(ABC):
    """One connected account. Built from its connection's settings; cheap to build, and keeps no state in between."""

    channel: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    settings_form: ClassVar[tuple[Setting, ...]] = ()
    body_limit: ClassVar[int] = 1024 * 1024  # bytes of one webhook request
    calls_per_second: ClassVar[int] = 0  # of the other side, over five seconds; 0: any number
    answer_within: ClassVar[float] = 20.0  # seconds that the platform waits for our answer, and a little less
    call_seconds: ClassVar[float] = 20.0  # until a call of the platform without an answer is given up
    carries_files: ClassVar[bool] = False  # files lie within their delivery: `unpack` has them instead of `fetch`
    reads_slowly: ClassVar[bool] = False  # `parse` may take seconds: it is done beside the other channels'
    accepted: ClassVar[HookAnswer] = HookAnswer(200, b'{"ok": true}', "application/json")  # said to a stored delivery

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings

    def _setting(self, key: str) -> str:
        """What was entered under this name; '' for nothing."""
        return str(self.settings.get(key) or "").strip()

    def identity_scope(self) -> str:
        """What this account's addresses are unique within; '' when they are unique in the whole world."""
        return ""

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        """Where people find this inbox or how it is put there: labels with an address or a line to copy."""
        return ()

    def answer(self, request: HookRequest) -> HookAnswer | None:
        """The reply to a handshake, or None when the request is a delivery."""
        return None

    @abstractmethod
    def authenticate(self, request: HookRequest) -> None:
        """Return when the raw bytes are the platform's own; raise WebhookRejected otherwise."""

    def keep(self, request: HookRequest) -> bytes:
        """The bytes of a delivery: what `delivery_id` and `parse` get. The body, unless more of the request matters."""
        return request.body

    def delivery_id(self, body: bytes) -> str:
        """The platform's id of this delivery: a repeat has the same. Raises WebhookRejected(status=400) when the
        body is not what the platform sends."""
        return hashlib.sha256(body).hexdigest()

    def acknowledge(self, delivery_id: str) -> HookAnswer:
        """What is said to a delivery that is stored, or was before."""
        return self.accepted

    @abstractmethod
    def parse(self, body: bytes) -> list[Inbound]:
        """What the delivery says. Unknown kinds give an empty list; raises Unreadable when it cannot be read."""

    @abstractmethod
    async def send(self, part: OutboundPart) -> SendReceipt:
        """Send one part; raises Retryable, Refused or Uncertain."""

    async def act(self, act: OutboundAct) -> None:
        """Do something to a message that exists, where the capabilities say so; raises as `send`.

        An act that ended uncertain is done again: a second time must do no harm.
        """
        raise Refused(f"{self.label} cannot do this")

    async def templates(self) -> list[Template]:
        """The templates of the account with their states; raises Retryable or Refused."""
        return []

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        """Whether a part arrived of which nobody knows: its receipt, or None when it surely did not and will not.

        Only called when `capabilities.looks_up`. Raises SendFailed when that cannot be told.
        """
        raise Uncertain(f"{self.label} cannot be asked")

    async def fetch(self, external_id: str, limit: int) -> bytes:
        """A file's bytes, at most `limit`; raises Retryable or Refused."""
        raise Refused(f"{self.label} files cannot be fetched")

    async def profile(self, address: str) -> Sender | None:
        """What the platform tells of a person whose messages come without a name; None where it tells nothing.

        Only called when `capabilities.profiles`. Raises Retryable or Refused.
        """
        return None

    def unpack(self, body: bytes, external_id: str, limit: int) -> bytes:
        """As `fetch`, from the delivery that the file came in: see `carries_files`. May take a while; not on a loop."""
        raise Refused(f"{self.label} deliveries hold no files")

    def carries(self, external_id: str) -> bool:
        """Whether this file lies within its delivery, where only some do."""
        return self.carries_files

    async def typing(self, thread_id: str) -> None:
        """Show the customer that we write. Failures do not matter and raise SendFailed."""

    async def typing_under(self, thread_id: str, message_id: str) -> None:
        """As `typing`, with the id of their newest message there, which some platforms want; '' when there is none."""
        await self.typing(thread_id)

    async def listen(self, cursor: str, store: Store) -> None:
        """Take updates from the platform until cancelled, storing each batch before confirming it.

        `cursor` is what was last stored with a batch, '' at first: the adapter's own words for where it is.
        Only called when `listens` is True. Raises ChannelError when it cannot go on; the caller waits and calls again.
        """

    def listens(self) -> bool:
        """Whether this connection is served by `listen` instead of a webhook."""
        return False

    async def check(self, hook_url: str) -> Check:
        """Test the connection live and register what the platform needs (its webhook). Never raises ChannelError."""
        return Check()

    async def close(self) -> None:
        """Let go of clients; the adapter is not used afterwards."""
