"""From a delivery's row to what its adapter gets: with whom it is for, what it answers, its file's bytes."""

from collections.abc import Mapping
from typing import Any

from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart, TemplateUse
from channels_adapters.public_files import address_of
from conversations import files, gate
from conversations.models import Delivery, File, Message, Reaction


def part(delivery: Delivery) -> OutboundPart:
    """The part as its adapter sends it. Call it in the workspace's scope."""
    message, thread, details = delivery.message, delivery.thread, delivery.details
    heard = gate.last_heard(thread)
    file = delivery.file
    along = message.files.all() if message and thread.inbox.capabilities.get("whole") else ()
    return OutboundPart(
        delivery_id=delivery.pk,
        thread_id=thread.external_id,
        text=delivery.text,
        file=_file(file) if file is not None else None,
        reply_to=message.reply_to_external_id if message and delivery.part == 0 else "",
        wanted_at=delivery.created_at,
        address=message.identity.address if message and message.identity else "",
        is_public=thread.is_public,
        buttons=tuple(Button(**button) for button in details.get("buttons", ())),
        template=_template(details.get("template")),
        late=message is not None and gate.is_late(thread, heard, message.author_kind),
        answers=heard.details if heard is not None else {},
        copy_to=tuple(map(str, message.details.get("copied") or ())) if message else (),
        files=tuple(map(_file, along)),
        purpose=message.purpose if message else Message.Purpose.REPLY,
        by_machine=message is not None and message.author_kind != Message.Author.AGENT,
    )


def _file(file: File) -> OutboundFile:
    alt = str(file.details.get("alt", ""))
    return OutboundFile(file.name, file.mime, files.read(file), address_of(file), alt)


def _template(said: Mapping[str, Any] | None) -> TemplateUse | None:
    return TemplateUse(said["name"], said["language"], tuple(said["values"])) if said else None


def act(delivery: Delivery) -> OutboundAct:
    """The act as its adapter does it. Call it in the workspace's scope."""
    message = delivery.message
    ours = Reaction.objects.filter(message=message, identity=None).values_list("emoji", flat=True).first()
    return OutboundAct(
        delivery_id=delivery.pk,
        kind=delivery.kind,
        thread_id=delivery.thread.external_id,
        target=delivery.target,
        text=delivery.text,
        answers=message.details if message is not None else {},
        before=ours or "" if delivery.kind == Delivery.Kind.REACT else "",
    )
