"""Texts that a platform approved beforehand: kept as it lists them, filled in by agents."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from conversations.errors import CannotReply
from conversations.models import Inbox, Template
from conversations.text import clean, clean_line
from crm.workspace import clock
from crm.workspace.events import change

VALUE_LIMIT = 1_000  # characters of one value
_PLACE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as the platform lists it now. Fields as in the table."""

    name: str
    language: str
    text: str
    variables: tuple[str, ...] = ()
    status: str = "approved"
    category: str = ""
    reason: str = ""


def keep(inbox: Inbox, listed: Sequence[Listed]) -> int:
    """The inbox's templates are exactly those listed. Returns how many there are."""
    now = clock.now()
    with change(inbox.workspace, cause="templates listed") as event:
        for one in listed:
            key = {"inbox": inbox, "name": clean_line(one.name, 255), "language": clean_line(one.language, 20)}
            facts = {
                "text": clean(one.text),
                "variables": [clean_line(name, 80) for name in one.variables],
                "status": one.status if one.status in Template.Status else Template.Status.PENDING,
                "category": clean_line(one.category.lower(), 40),
                "reason": clean_line(one.reason, 300),
                "listed_at": now,
            }
            new = {"workspace": inbox.workspace, **facts}
            Template.objects.update_or_create(**key, defaults=facts, create_defaults=new)
        Template.objects.filter(inbox=inbox).exclude(listed_at=now).delete()
        event.record("inbox.templates_listed", inbox)
    return len(listed)


def filled(template: Template, values: Sequence[str]) -> str:
    """What the template reads as; a value that is missing shows its place."""
    given = dict(zip(template.variables, values, strict=False))
    return _PLACE.sub(lambda place: given.get(place[1]) or place[0], template.text)


def checked(template: Template, values: Sequence[str]) -> list[str]:
    """The values, one line each, as many as there are places. Raises CannotReply and says what to do."""
    if not template.is_usable:
        why = {"name": template.name, "status": template.get_status_display()}
        raise CannotReply(_("The template “%(name)s” cannot be used: %(status)s.") % why)
    cleaned = [clean_line(value, VALUE_LIMIT) for value in values[: len(template.variables)]]
    missing = [name for name, value in zip(template.variables, cleaned, strict=False) if not value]
    missing += template.variables[len(cleaned) :]
    if missing:
        raise CannotReply(_("Fill in: %(names)s.") % {"names": ", ".join(missing)})
    return cleaned
