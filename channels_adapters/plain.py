"""Normalized events as plain JSON, for `manage.py parse` and for people who look at a parked delivery."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any

from conversations.normalized import (
    Attachment,
    Blocked,
    ConnectionLost,
    Deletion,
    Edit,
    IdentityMoved,
    Inbound,
    InboundMessage,
    OptedOut,
    PersonChanged,
    Reacted,
    ReadUpTo,
    Receipt,
    Sender,
    ThreadMoved,
    Writing,
)


def events(inbounds: Iterable[Inbound]) -> list[dict[str, Any]]:
    """What a delivery says. What a message does besides stands with it, under `effects`."""
    said: list[dict[str, Any]] = []
    for inbound in inbounds:
        told = said[-1] if said and said[-1]["kind"] == "message" else None
        if isinstance(inbound, OptedOut) and told and told["sender"]["id"] == inbound.sender.address:
            told["effects"] = {"opt_out": inbound.is_out, "auto_respond": False}
        else:
            said.append(event(inbound))
    return said


@singledispatch
def event(inbound: Inbound) -> dict[str, Any]:
    """One normalized event: `kind` and what that kind says."""
    raise TypeError(f"no plain form of a {type(inbound).__name__}")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _sender(sender: Sender) -> dict[str, Any]:
    return {
        "id": sender.address,
        "name": sender.name,
        "username": sender.username,
        "locale": sender.language,
        "phone": sender.phone,
        "email": sender.email,
    }


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "type": attachment.kind,
        "id": attachment.external_id,
        "name": attachment.name,
        "mime": attachment.mime,
        "size": attachment.size,
        **({"url": attachment.external_id} if attachment.external_id.startswith(("https://", "http://")) else {}),
        **attachment.details,
    }


@event.register
def _message(inbound: InboundMessage) -> dict[str, Any]:
    conversation_type = "comment" if inbound.is_public else "group" if inbound.is_group else "dm"
    is_button = inbound.external_id.startswith("callback:")
    return {
        "kind": "postback" if is_button else "message",
        "message_id": inbound.external_id.removeprefix("callback:"),
        "conversation": inbound.thread_id,
        "conversation_type": conversation_type,
        "sender": _sender(inbound.sender),
        "text": inbound.text,
        "attachments": [_attachment(attachment) for attachment in inbound.attachments],
        "reply_to": inbound.reply_to,
        "payload": inbound.payload,
        "flags": list(inbound.flags),
        "timestamp": _time(inbound.at),
        "effects": {"auto_respond": False} if "auto_reply" in inbound.flags else {},
        **inbound.details,
    }


@event.register
def _edit(inbound: Edit) -> dict[str, Any]:
    return {
        "kind": "edit",
        "conversation": inbound.thread_id,
        "target": inbound.target,
        "text": inbound.text,
        "timestamp": _time(inbound.at),
    }


@event.register
def _deletion(inbound: Deletion) -> dict[str, Any]:
    return {"kind": "delete", "conversation": inbound.thread_id, "target": inbound.target}


@event.register
def _reacted(inbound: Reacted) -> dict[str, Any]:
    added = [emoji for emoji in inbound.emojis if emoji not in inbound.before]
    removed = [emoji for emoji in inbound.before if emoji not in inbound.emojis]
    return {
        "kind": "reaction",
        "conversation": inbound.thread_id,
        "target": inbound.target,
        "sender": _sender(inbound.sender),
        "emoji": (added or removed or [""])[0],
        "action": "add" if added else "remove",
        "timestamp": _time(inbound.at),
    }


@event.register
def _receipt(inbound: Receipt) -> dict[str, Any]:
    return {
        "kind": "bounce" if inbound.bounced else "status",
        "conversation": inbound.thread_id,
        "target": inbound.target,
        "status": inbound.status,
        "error_code": inbound.code,
        "timestamp": _time(inbound.at),
    }


@event.register
def _read_up_to(inbound: ReadUpTo) -> dict[str, Any]:
    kind = "read" if inbound.status == "read" else "delivery"
    return {
        "kind": kind,
        "conversation": inbound.thread_id,
        "target": inbound.target,
        "status": inbound.status,
        "watermark": _time(inbound.at),
    }


@event.register
def _blocked(inbound: Blocked) -> dict[str, Any]:
    return {
        "kind": "membership",
        "conversation": inbound.thread_id,
        "sender": _sender(inbound.sender),
        "status": "blocked" if inbound.is_blocked else "member",
        "effects": {"contact_blocked": inbound.is_blocked},
    }


@event.register
def _thread_moved(inbound: ThreadMoved) -> dict[str, Any]:
    return {"kind": "migration", "conversation": inbound.thread_id, "target": inbound.new_thread_id}


@event.register
def _identity_moved(inbound: IdentityMoved) -> dict[str, Any]:
    return {
        "kind": "identity_moved",
        "sender": _sender(inbound.sender),
        "target": inbound.old_address,
        "effects": {"identity_moved": True},
    }


@event.register
def _person_changed(inbound: PersonChanged) -> dict[str, Any]:
    return {"kind": "contact", "sender": _sender(inbound.sender)}


@event.register
def _opted_out(inbound: OptedOut) -> dict[str, Any]:
    kind, effects = "opt_out" if inbound.is_out else "opt_in", {"opt_out": inbound.is_out}
    return {"kind": kind, "sender": _sender(inbound.sender), "effects": effects}


@event.register
def _writing(inbound: Writing) -> dict[str, Any]:
    return {"kind": "typing", "conversation": inbound.thread_id, "sender": _sender(inbound.sender)}


@event.register
def _connection_lost(inbound: ConnectionLost) -> dict[str, Any]:
    return {"kind": "channel_disabled", "text": inbound.reason, "effects": {"channel_disabled": True}}
