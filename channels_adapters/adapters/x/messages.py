"""Direct messages of X in both shapes that it has, v1.1 in deliveries and v2 elsewhere."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from channels_adapters.adapters.x.posts import expanded, file_of_v1, file_of_v2, moment_of, person_of_v1, person_of_v2
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Attachment, Inbound, InboundMessage

DIRECT, GROUP = "dm:", "group:"
_BETWEEN_TWO = re.compile(r"([0-9]+)-([0-9]+)")


def of_v1(event: Fields, users: Mapping[str, Fields], me: str) -> Iterator[Inbound]:
    if event.text("type") != "message_create":
        return
    created = event.one("message_create")
    sender_id, said = created.text("sender_id"), created.one("message_data")
    sender = person_of_v1(Fields({**users.get(sender_id, Fields({})).raw, "id_str": sender_id}), me)
    if sender is None:
        return
    attachment = said.one("attachment")
    media = attachment.one("media")
    files = (file_of_v1(media),) if media else _place(attachment.one("location"))
    yield InboundMessage(
        external_id=_id(event),
        thread_id=f"{DIRECT}{sender_id}",
        sender=sender,
        text=expanded(said.text("text"), [*said.one("entities").many("urls")], [media.text("url")]),
        at=milliseconds(event.raw.get("created_timestamp")),
        attachments=files,
        payload=said.one("quick_reply_response").text("metadata"),
    )


def of_v2(event: Fields, users: Mapping[str, Fields], media: Mapping[str, Fields], me: str) -> Iterator[Inbound]:
    if event.text("event_type") not in ("MessageCreate", ""):
        return  # somebody came or went
    sender_id, place = event.text("sender_id"), event.text("dm_conversation_id")
    sender = person_of_v2(users.get(sender_id, Fields({"id": sender_id})), me)
    if sender is None:
        return
    keys = event.one("attachments").raw.get("media_keys")
    files = [media[key] for key in keys if isinstance(key, str) and key in media] if isinstance(keys, list) else []
    entities = event.one("entities")
    own = [link.text("url") for link in entities.many("urls") if link.has("media_key")]
    is_group = bool(place) and not _BETWEEN_TWO.fullmatch(place)
    yield InboundMessage(
        external_id=_id(event),
        thread_id=f"{GROUP}{place}" if is_group else f"{DIRECT}{sender_id}",
        sender=sender,
        text=expanded(event.text("text"), [*entities.many("urls")], own),
        at=iso(event.text("created_at")) if event.has("created_at") else moment_of(event.text("id")),
        attachments=tuple(map(file_of_v2, files)),
        is_group=is_group,
    )


def encrypted(payload: Fields, me: str) -> Iterator[Inbound]:
    """There is a message, and only the person's own program can read it."""
    sender = person_of_v2(Fields({"id": payload.text("sender_id")}), me)
    if sender is not None:
        at, thread_id = iso(payload.text("created_at")), f"{DIRECT}{sender.address}"
        yield InboundMessage(_id(payload), thread_id, sender, "", at, flags=("unsupported:encrypted",))


def _place(location: Fields) -> tuple[Attachment, ...]:
    coordinates = location.one("shared_coordinate").one("coordinates").raw.get("coordinates")
    if not (isinstance(coordinates, list) and len(coordinates) == 2):
        return ()
    read = Fields({"lon": coordinates[0], "lat": coordinates[1]})
    lon, lat = read.degrees("lon", 180), read.degrees("lat", 90)
    return () if lon is None or lat is None else (Attachment("location", details={"lat": lat, "lon": lon}),)


def milliseconds(said: Any) -> datetime:
    """A moment in milliseconds since 1970, which X writes as text."""
    if isinstance(said, str) and said.isdecimal() and len(said) < 16:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int):
        return NO_TIME
    try:
        return datetime.fromtimestamp(said / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIME


def iso(said: str) -> datetime:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return NO_TIME
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _id(event: Fields) -> str:
    if not event.text("id"):
        raise Broken("there is no message")
    return event.text("id")
