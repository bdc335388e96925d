"""Texts that WhatsApp approved beforehand: read from the account's list, and filled in.

The values of a header's words are named `header_<name>`, the address of its picture `image_link`, that in a button
`button_<place>`; those of the body have the names that the template gives them: "1", "2", or words.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from channels_adapters.contract import Refused, Template, TemplateUse
from channels_adapters.meta.readers import name_of
from channels_adapters.reading import Fields
from conversations.text import clean

FIELDS = "name,language,status,category,components,rejected_reason,parameter_format"
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,60})\s*\}\}")
_LINKS = {"image_link": "image", "video_link": "video", "document_link": "document"}
_NOT_OF_THE_BODY = re.compile("header_.+|button_[0-9]+|(image|video|document)_link")
_STATUSES = {
    "APPROVED": "approved",
    "PENDING": "pending",
    "IN_APPEAL": "pending",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "DISABLED": "paused",
    "LIMIT_EXCEEDED": "paused",
}


def read_template(listed: Fields) -> Template | None:
    """A template of the account's list; None for one that is deleted, or that we cannot fill in."""
    status, name = _STATUSES.get(listed.text("status")), listed.text("name")
    shown = [_shown(component) for component in listed.many("components")]
    if status is None or not name or None in shown:
        return None
    text = "\n".join(line for line in shown if line)
    reason = listed.text("rejected_reason")
    return Template(
        name=name,
        language=listed.text("language"),
        text=text,
        variables=tuple(dict.fromkeys(_VARIABLE.findall(text))),
        status=status,
        category=listed.text("category").lower(),
        reason="" if reason in ("", "NONE") else reason.replace("_", " ").lower(),
    )


def _shown(component: Fields) -> str | None:
    """What a component reads as, its variables named; None for one that takes more than texts."""
    text = component.text("text")
    match component.text("type").upper():
        case "HEADER":
            return _header_text(component.text("format").lower(), text)
        case "BODY" | "FOOTER":
            is_clear = not any(map(_NOT_OF_THE_BODY.fullmatch, _VARIABLE.findall(text)))
            return _VARIABLE.sub(r"{{\1}}", text) if is_clear else None
        case "BUTTONS":
            lines = [_button(number, button) for number, button in enumerate(component.many("buttons"))]
            return None if None in lines else "\n".join(filter(None, lines))
        case _:
            return None


def _header_text(form: str, text: str) -> str | None:
    if f"{form}_link" in _LINKS:
        return f"{{{{{form}_link}}}}"
    return _VARIABLE.sub(r"{{header_\1}}", text) if form in ("", "text") else None


def _button(number: int, button: Fields) -> str | None:
    label = f"[{button.text('text')}]"
    match button.text("type").upper():
        case "URL" if _VARIABLE.search(button.text("url")):
            return f"{label} {_VARIABLE.sub(f'{{{{button_{number}}}}}', button.text('url'))}"
        case "URL":
            return f"{label} {button.text('url')}"
        case "QUICK_REPLY" | "PHONE_NUMBER":
            return label
        case _:
            return None


def find(listed: Iterable[Template], use: TemplateUse) -> Template | None:
    """The listed template that is meant, or None."""
    wanted = (use.name, use.language)
    return next((template for template in listed if (template.name, template.language) == wanted), None)


def components(use: TemplateUse, template: Template | None) -> dict[str, Any]:
    """The template with its values, as the Graph API takes it. Raises Refused when they do not fit."""
    if template is None:
        raise Refused(f"there is no template “{use.name}” in {use.language}")
    if template.status != "approved":
        raise Refused(f"WhatsApp does not let the template “{use.name}” out: it is {template.status}")
    if len(use.values) != len(template.variables):
        raise Refused(f"the template “{use.name}” takes {len(template.variables)} values, not {len(use.values)}")
    if not all(value.strip() for value in use.values):
        raise Refused(f"a value of the template “{use.name}” is empty")
    filled = dict(zip(template.variables, (clean(value) for value in use.values), strict=True))
    said: dict[str, Any] = {"name": use.name, "language": {"code": use.language}}
    if found := list(_components(filled)):
        said["components"] = found
    return said


def _components(filled: dict[str, str]) -> Iterator[dict[str, Any]]:
    header = [_in_header(name, value) for name, value in filled.items() if name.startswith("header_") or name in _LINKS]
    body = [_text(name, value) for name, value in filled.items() if not _NOT_OF_THE_BODY.fullmatch(name)]
    if header:
        yield {"type": "header", "parameters": header}
    if body:
        yield {"type": "body", "parameters": body}
    for name, value in filled.items():
        if re.fullmatch("button_[0-9]+", name):
            index, parameters = name.removeprefix("button_"), [{"type": "text", "text": value}]
            yield {"type": "button", "sub_type": "url", "index": index, "parameters": parameters}


def _in_header(name: str, value: str) -> dict[str, Any]:
    if name not in _LINKS:
        return _text(name.removeprefix("header_"), value)
    if not value.startswith("https://"):
        raise Refused("what stands above this template is given by an address that begins with https://")
    return {"type": _LINKS[name], _LINKS[name]: {"link": value}}


def _text(name: str, value: str) -> dict[str, str]:
    named = {} if name.isdigit() else {"parameter_name": name}
    return {"type": "text", **named, "text": value}


def page_of(told: Fields) -> tuple[list[Template], str]:
    """One page of the account's list, and the cursor of the next; '' after the last."""
    found = [template for listed in told.many("data") if (template := read_template(listed)) is not None]
    paging = told.one("paging")
    return found, name_of(paging.one("cursors"), "after") if paging.has("next") else ""
