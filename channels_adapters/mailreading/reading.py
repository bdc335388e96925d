"""From the bytes of a mail to a Letter, in the child."""

import email
import hashlib
import re
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any

from channels_adapters.mailreading import headers
from channels_adapters.mailreading.body import data_of, leaves, text_and_parts
from channels_adapters.mailreading.folding import fold
from channels_adapters.mailreading.invites import invite_of
from channels_adapters.mailreading.letter import CUT, Letter, Part
from channels_adapters.mailreading.reports import is_automatic, report_of

WHOLE = "whole"  # the path of the mail itself
_HEAD = 256_000  # bytes
_NOTED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "X-Forwarded-To")
_FORWARDED = re.compile(r"\s*(fwd?|vb|wg|tr|rv|enc|i|doorst|pd|转发|轉寄)\s*[:：]", re.IGNORECASE)
_PGP = "-----BEGIN PGP MESSAGE-----"


def read(raw: bytes) -> Letter:
    """Everything that the mail says."""
    mail = email.message_from_bytes(raw, policy=compat32)
    text, parts = text_and_parts(mail)
    kept, folded = fold(text)
    return Letter(
        **_head(mail, raw),
        text=kept,
        folded=folded,
        parts=parts,
        marks=_marks(mail, text),
        report=report_of(mail, _return_path(mail)),
        invite=invite_of(mail),
    )


def read_head(raw: bytes) -> Letter:
    """What its head says, for a mail that cannot be taken apart; the mail itself is its only file."""
    mail = BytesHeaderParser(policy=compat32).parsebytes(_head_of(raw))
    marks = ("auto",) if is_automatic(mail, _return_path(mail)) else ()
    whole = Part(WHOLE, "message/rfc822", "message.eml", len(raw))
    return Letter(**_head(mail, raw), parts=(whole,), marks=marks, broken=True)


def part(raw: bytes, path: str) -> bytes | None:
    """The bytes of one file of the mail; None when it has none there."""
    if path == WHOLE:
        return raw
    mail = email.message_from_bytes(raw, policy=compat32)
    return next((data_of(found) for place, found, _ in leaves(mail) if place == path), None)


def _head_of(raw: bytes) -> bytes:
    end = re.search(rb"\r?\n\r?\n", raw[:_HEAD])
    return raw[: end.end() if end else _HEAD]


def _head(mail: Message, raw: bytes) -> dict[str, Any]:
    cut = headers.first(mail, CUT)
    return {
        "message_id": next(iter(headers.ids(mail, "Message-ID")), ""),
        "digest": hashlib.sha256(raw).hexdigest(),
        "in_reply_to": headers.ids(mail, "In-Reply-To"),
        "references": headers.ids(mail, "References"),
        "authors": headers.people(mail, "From"),
        "sender": headers.people(mail, "Sender"),
        "reply_to": headers.people(mail, "Reply-To"),
        "to": headers.people(mail, "To", "Cc"),
        "arrived_at": tuple(person.address for person in headers.people(mail, *_NOTED)),
        "return_path": _return_path(mail),
        "subject": headers.line(headers.first(mail, "Subject"), headers.SUBJECT),
        "date": headers.date(mail),
        "language": headers.line(headers.first(mail, "Content-Language").split(",")[0], 12),
        "results": tuple(headers.raw(mail, "Authentication-Results")[:10]),
        "cut_size": int(cut) if cut.isdecimal() and len(cut) < 12 else 0,
    }


def _return_path(mail: Message) -> str | None:
    noted = headers.raw(mail, "Return-Path")
    return noted[0].strip("<> ") if noted else None


def _marks(mail: Message, text: str) -> tuple[str, ...]:
    kinds = {part.get_content_type() for part in mail.walk()} if mail.is_multipart() else {mail.get_content_type()}
    smime = str(mail.get_param("smime-type", "")).lower()
    subject = headers.words(headers.first(mail, "Subject"))
    envelope = bool(kinds & {"application/pkcs7-mime", "application/x-pkcs7-mime"})
    said = {
        "auto": is_automatic(mail, _return_path(mail)),
        "encrypted": "multipart/encrypted" in kinds or (envelope and smime != "signed-data") or _PGP in text,
        "signed": "multipart/signed" in kinds or smime == "signed-data" or "-----BEGIN PGP SIGNED" in text,
        "forwarded": bool(_FORWARDED.match(subject)),
    }
    return tuple(name for name, holds in said.items() if holds)
