"""What a visitor's page posts, read with suspicion: one JSON object, each field of the type it should have."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conversations.normalized import Attachment, FirstTouch, InboundMessage, ReadUpTo, Sender

TEXT_LIMIT = 10_000  # characters
FILES_LIMIT = 10
LATEST = 4_102_444_800_000  # milliseconds: the year 2100
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the hub takes its own instead
_CID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")


class BrokenBody(Exception):
    """It is not what our page posts; the words say what is wrong."""


class TooLong(BrokenBody):
    pass


class Body:
    """One posted object. Raises BrokenBody when it is none."""

    def __init__(self, raw: bytes) -> None:
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise BrokenBody("The body is not JSON.") from error
        if not isinstance(fields, dict):
            raise BrokenBody("The body is not a JSON object.")
        self._fields: dict[str, Any] = fields

    def line(self, name: str) -> str:
        """A field's text; '' when it is missing or of another type."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def visitor(self) -> str:
        return self.line("visitor")

    @property
    def is_read_mark(self) -> bool:
        return self._fields.get("read") is True or self._fields.get("kind") == "read"

    @property
    def cid(self) -> str:
        cid = self.line("cid")
        if not _CID.fullmatch(cid):
            raise BrokenBody("`cid` must be 1 to 64 letters, digits, - or _.")
        return cid

    @property
    def text(self) -> str:
        text = self._fields.get("text", "")
        if not isinstance(text, str):
            raise BrokenBody("`text` must be a string.")
        if len(text) > TEXT_LIMIT:
            raise TooLong(f"A message can have {TEXT_LIMIT:,} characters; this one has {len(text):,}.")
        return text

    @property
    def files(self) -> tuple[str, ...]:
        files = self._fields.get("files") or []
        if not isinstance(files, list) or not all(isinstance(token, str) and _CID.fullmatch(token) for token in files):
            raise BrokenBody("`files` must be a list of the tokens that uploads gave.")
        if len(files) > FILES_LIMIT:
            raise BrokenBody(f"A message can have {FILES_LIMIT} files.")
        return tuple(files)

    @property
    def at(self) -> datetime:
        """The page's own time, or UNKNOWN_TIME."""
        given = self._fields.get("at")
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < LATEST:
            return UNKNOWN_TIME
        return datetime.fromtimestamp(given / 1000, UTC)

    def check(self) -> None:
        """Raises BrokenBody unless it is a whole message or a read mark."""
        if not self.visitor:
            raise BrokenBody("`visitor` is missing.")
        if self.is_read_mark:
            return
        parts = (self.cid, self.text.strip(), self.files)  # each raises when it is broken
        if not any(parts[1:]):
            raise BrokenBody("There is nothing in this message.")

    def as_inbound(self) -> InboundMessage | ReadUpTo:
        """What the page says. Raises BrokenBody."""
        self.check()
        if self.is_read_mark:
            return ReadUpTo(thread_id=self.visitor, at=self.at)
        return InboundMessage(
            external_id=self.cid,
            thread_id=self.visitor,
            sender=self._sender(),
            text=self.text,
            at=self.at,
            attachments=tuple(Attachment(kind="file", token=token) for token in self.files),
            first_touch=self._first_touch(),
        )

    def _sender(self) -> Sender:
        language = self.line("language").lower()
        language = language if _LANGUAGE.fullmatch(language) else ""
        return Sender(address=self.visitor, name=self.line("name").strip(), language=language, verified=False)

    def _first_touch(self) -> FirstTouch:
        page = _web_address(self.line("page"))
        told = _query(page)
        source, medium, campaign = (
            self.line(name) or told.get(name, [""])[0] for name in ("utm_source", "utm_medium", "utm_campaign")
        )
        return FirstTouch(page, _web_address(self.line("referrer")), source, medium, campaign)


def _web_address(text: str) -> str:
    """Only what an agent may be shown as a link."""
    return text if text.lower().startswith(("http://", "https://")) else ""


def _query(page: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(page).query, max_num_fields=100)
    except ValueError:
        return {}
