"""A mail as it was read: what both sides of the pipe know. Text is clean, ids are without brackets."""

from dataclasses import asdict, dataclass, field
from typing import Any

CUT = "X-Rapport-Cut-Size"  # put on top by us, of a mail of which only the head was taken


@dataclass(frozen=True, slots=True)
class Person:
    name: str  # as shown, decoded and without what hides or turns letters
    address: str  # as written


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the mail; `path` finds it again."""

    path: str
    mime: str
    name: str
    size: int  # bytes, decoded
    cid: str = ""
    inline: bool = False  # shown in the text, not under it


@dataclass(frozen=True, slots=True)
class Report:
    """What a machine says about a mail: ours, when `target` is an id that we made."""

    kind: str  # failed, delayed, delivered, read, complaint
    target: str = ""
    recipient: str = ""
    code: str = ""  # 5.1.1
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    message_id: str = ""
    digest: str = ""  # of the whole mail, for one without an id worth the name
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()  # oldest first
    authors: tuple[Person, ...] = ()  # From
    sender: tuple[Person, ...] = ()
    reply_to: tuple[Person, ...] = ()
    to: tuple[Person, ...] = ()  # To and Cc
    arrived_at: tuple[str, ...] = ()  # the addresses that mail servers noted: Delivered-To and its kin
    return_path: str | None = None  # None: not noted; '': the null sender
    subject: str = ""
    date: str = ""  # ISO 8601
    language: str = ""
    text: str = ""
    folded: str = ""  # the quoted mail and the signature
    parts: tuple[Part, ...] = ()
    results: tuple[str, ...] = ()  # Authentication-Results, topmost first
    marks: tuple[str, ...] = ()  # auto, encrypted, signed, forwarded
    report: Report | None = None
    invite: dict[str, str] = field(default_factory=dict)
    cut_size: int = 0  # bytes of a mail that was too large to be taken in: only its head is here
    broken: bool = False  # only its head could be read

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Letter":
        people = {key: tuple(Person(**each) for each in said[key]) for key in ("authors", "sender", "reply_to", "to")}
        lists = ("in_reply_to", "references", "arrived_at", "results", "marks")
        rest: dict[str, Any] = {key: tuple(said[key]) for key in lists}
        rest["parts"] = tuple(Part(**each) for each in said["parts"])
        rest["report"] = Report(**said["report"]) if said["report"] else None
        return cls(**{**said, **people, **rest})
