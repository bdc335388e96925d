"""Slack's mrkdwn and blocks as plain text, and plain text as mrkdwn that says the same."""

import re
from collections.abc import Iterator

from channels_adapters.reading import Fields

_TAG = re.compile(r"<([^<>\n]{1,4000})>")
_EMOJI_CODE = re.compile(r"[0-9a-f]{1,6}(?:-[0-9a-f]{1,6}){0,9}")


def plain(text: str) -> str:
    """mrkdwn as people read it: <@U1> is @U1, <https://a.b|here> is here (https://a.b)."""
    return _unescape(_TAG.sub(lambda tag: _tag(tag[1]), text))


def escaped(text: str) -> str:
    """Plain text as mrkdwn: nobody is called, nothing becomes a link that was none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def words_of(message: Fields) -> str:
    """A message's text; read out of its blocks, or of what it forwards, when it has none of its own."""
    text = plain(message.text("text"))
    if text.strip():
        return text
    lines = [line for block in message.many("blocks") for line in _block(block)]
    lines = lines or [plain(shared.text("text") or shared.text("fallback")) for shared in message.many("attachments")]
    return "\n".join(line for line in lines if line.strip())


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _tag(inside: str) -> str:
    target, _, label = inside.partition("|")
    match target[:1]:
        case "@":
            return f"@{label.removeprefix('@')}" if label else target
        case "#":
            return f"#{label.removeprefix('#')}" if label else target
        case "!":
            return _command(target[1:], label)
        case _:
            return _link(target, label)


def _command(name: str, label: str) -> str:
    if name.startswith(("subteam^", "date^")):
        return label or name.partition("^")[2].partition("^")[0]
    return f"@{name.partition('^')[0]}"


def _link(address: str, label: str) -> str:
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    if not label or bare.endswith(label):
        return label or bare
    return f"{label} ({bare})"


def _block(block: Fields) -> Iterator[str]:
    match block.text("type"):
        case "rich_text":
            for part in block.many("elements"):
                yield from _rich(part)
        case "section" | "header":
            yield plain(block.one("text").text("text"))
            yield from (plain(field.text("text")) for field in block.many("fields"))
        case "context":
            yield " ".join(plain(element.text("text")) for element in block.many("elements"))
        case "image" | "video":
            yield block.text("alt_text")


def _rich(part: Fields) -> Iterator[str]:
    if part.text("type") == "rich_text_list":
        yield from (f"• {_line(item)}" for item in part.many("elements"))
    else:
        yield _line(part)


def _line(section: Fields) -> str:
    return "".join(_element(element) for element in section.many("elements"))


def _element(element: Fields) -> str:
    match element.text("type"):
        case "link":
            return _link(element.text("url"), element.text("text"))
        case "user":
            return f"@{element.text('user_id')}"
        case "usergroup":
            return f"@{element.text('usergroup_id')}"
        case "channel":
            return f"#{element.text('channel_id')}"
        case "broadcast":
            return f"@{element.text('range')}"
        case "date":
            return element.text("fallback")
        case "emoji":
            return _emoji(element)
        case _:
            return element.text("text")


def _emoji(element: Fields) -> str:
    code = element.text("unicode")
    points = [int(point, 16) for point in code.split("-")] if _EMOJI_CODE.fullmatch(code) else []
    is_text = points and all(point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF and point for point in points)
    return "".join(map(chr, points)) if is_text else f":{element.text('name')}:"
