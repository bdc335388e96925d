"""The body of a mail: its text, its files, and what kind of mail it is."""

import contextlib
import mimetypes
import re
from collections.abc import Iterator
from email.message import Message

import lxml.html

from channels_adapters.mailreading import headers
from channels_adapters.mailreading.charsets import decode
from channels_adapters.mailreading.letter import Part
from conversations.text import clean
from crm.web import sanitizer

PARTS = 250  # more are not looked at
TEXT = 200_000  # characters
HTML = 2_000_000
_QUOTATIONS = 100
_QUOTES = (
    "//blockquote[@type='cite'] | //blockquote[contains(@class,'gmail_quote')] | //*[@class='yahoo_quoted']"
    " | //blockquote[contains(@class,'protonmail_quote')] | //blockquote[contains(@class,'zmail')]"
)
_ORIGINAL_BELOW = "//*[@id='divRplyFwdMsg' or @id='appendonsend' or contains(@id,'x_divRplyFwdMsg')]"
_PATHLIKE = re.compile(r"[/\\]")

Leaf = tuple[str, Message, tuple[str, ...]]  # its path, itself, the types that it lies in


def leaves(mail: Message) -> Iterator[Leaf]:
    """Every part that is no container, in order, without walking on the interpreter's stack."""
    waiting: list[Leaf] = [("0", mail, ())]
    seen = 0
    while waiting and seen < PARTS:
        path, part, within = waiting.pop()
        content = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(content, list):
            kind = part.get_content_type()
            children = [(f"{path}.{n}", child, (*within, kind)) for n, child in enumerate(content[:PARTS])]
            waiting += reversed([child for child in children if isinstance(child[1], Message)])
        else:
            seen += 1
            yield path, part, within


def data_of(part: Message) -> bytes:
    """The bytes of a part, decoded; an enclosed mail as it came."""
    content = part.get_payload()
    if isinstance(content, list):
        return b"\r\n".join(_bytes(each) for each in content if isinstance(each, Message))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _bytes(mail: Message) -> bytes:
    with contextlib.suppress(Exception):  # the generator stumbles over headers that cannot be written
        return mail.as_bytes()
    head = "\r\n".join(f"{key}: {value}" for key, value in mail.raw_items())
    return f"{head}\r\n\r\n".encode("utf-8", "surrogateescape") + data_of(mail)


def text_and_parts(mail: Message) -> tuple[str, tuple[Part, ...]]:
    """The text that a reader would see, and the files beside it."""
    texts: list[tuple[str, Message, tuple[str, ...]]] = []
    files: list[Leaf] = []
    for leaf in leaves(mail):
        (texts if _is_text(leaf[1]) else files).append(leaf)
    plain = [leaf for leaf in texts if leaf[1].get_content_type() != "text/html"]
    rich = [leaf for leaf in texts if leaf[1].get_content_type() == "text/html"]
    said = [text for leaf in plain if (text := _text(leaf[1])).strip()]
    if not said:
        said = [text for leaf in rich if (text := _from_html(_text(leaf[1], HTML))).strip()]
    else:
        said += [_from_html(_text(leaf[1], HTML)) for leaf in rich if "multipart/alternative" not in leaf[2]]
    html = " ".join(_text(leaf[1], HTML) for leaf in rich)
    text = headers.unturned("\n\n".join(each.strip("\n") for each in said if each.strip()))[:TEXT]
    return text, tuple(_file(path, part, within, html) for path, part, within in files)


def _is_text(part: Message) -> bool:
    kind = part.get_content_type()
    if kind not in ("text/plain", "text/html", "text/enriched") or part.is_multipart():
        return False
    return part.get_content_disposition() != "attachment" and not part.get_filename()


def _text(part: Message, limit: int = TEXT) -> str:
    return clean(decode(data_of(part)[: limit * 4], _charset(part)))[:limit]


def _charset(part: Message) -> str:
    with contextlib.suppress(Exception):  # RFC 2231 gone wrong
        return str(part.get_content_charset() or "")
    return ""


def _from_html(html: str) -> str:
    """The text of a page; what it quotes is marked as quoted in a text."""
    root = sanitizer.tree_of(html)
    for _ in range(_QUOTATIONS):
        element = next(iter(root.xpath(_QUOTES)), None)  # the outermost come first, and take the inner ones along
        if element is None:
            break
        quoted = sanitizer.text_of(element)
        _replace(element, "\n".join(f"> {line}" for line in quoted.split("\n")))
    for element in root.xpath(_ORIGINAL_BELOW)[:1]:
        mark = lxml.html.Element("p")
        mark.text = "-----Original Message-----"
        element.addprevious(mark)
    for picture in root.iter("img"):
        source = picture.get("src", "")
        if source.lower().startswith("cid:"):
            mark = lxml.html.Element("span")
            mark.text, mark.tail = f"[{source[:200]}]", picture.tail
            picture.getparent().replace(picture, mark)
    return sanitizer.text_of(root)


def _replace(element: lxml.html.HtmlElement, text: str) -> None:
    block = lxml.html.Element("pre")
    block.text, block.tail = text, element.tail
    element.getparent().replace(element, block)  # `body` is above it at least


def _file(path: str, part: Message, within: tuple[str, ...], html: str) -> Part:
    kind = part.get_content_type()
    cid = next(iter(headers.ids(part, "Content-ID")), "") or headers.first(part, "Content-ID").strip("<> ")[:250]
    is_shown = part.get_content_disposition() == "inline" or "multipart/related" in within
    inline = bool(cid) and kind.startswith("image/") and (is_shown or f"cid:{cid}" in html)
    return Part(path, kind, _name(part, kind), len(data_of(part)), headers.line(cid, 250), inline)


def _name(part: Message, kind: str) -> str:
    """A name to show: without folders, and not one that reads otherwise than it is."""
    given = ""
    for field in ("Content-Disposition", "Content-Type"):  # raw bytes in it are text, in whatever letters
        for value in headers.raw(part, field)[:1]:
            part.replace_header(field, decode(value.encode("utf-8", "surrogateescape"), "utf-8"))
    with contextlib.suppress(Exception):  # RFC 2231 gone wrong
        given = part.get_filename() or ""
    name = headers.line(_PATHLIKE.split(headers.words(given))[-1], 200).strip(". ")
    if name:
        return name
    if kind == "message/rfc822":
        enclosed = part.get_payload()
        inner = enclosed[0] if isinstance(enclosed, list) and enclosed else None
        subject = headers.line(headers.first(inner, "Subject"), 80) if isinstance(inner, Message) else ""
        return f"{_PATHLIKE.sub(' ', subject) or 'message'}.eml"
    return {"text/calendar": "invite.ics", "application/ms-tnef": "winmail.dat"}.get(kind) or (
        f"{kind.split('/')[0]}{mimetypes.guess_extension(kind) or ''}"
    )
