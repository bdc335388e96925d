"""The one sanitizer: HTML from outside becomes plain text, and is never shown as HTML.

What a browser would not show is not in the text: scripts, styles, comments, and what is hidden from the eye.
"""

import re
from html import unescape

import lxml.etree
import lxml.html
from inscriptis import Inscriptis
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.html import HtmlElement

_CONFIG = ParserConfig(css=CSS_PROFILES["strict"], display_images=False, display_links=False)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(px|pt|em|%)?\s*(;|!|$)|opacity\s*:\s*0\s*(;|!|$)",
    re.IGNORECASE,
)
_NEVER_SHOWN = ("script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "head", "title")
_FILLER = re.compile("(?:[\u00ad\u034f\u200b\u200c\u2007\ufeff] *){2,}")
_CODE = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,2000}>?")
_MOST = 15_000  # elements
_DEEPEST = 150  # elements within one another


def tree_of(html: str) -> HtmlElement:
    """The document, without what is never shown. A text that is no HTML is one paragraph."""
    parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True, encoding="utf-8", huge_tree=True)
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8", "replace") or b"<p></p>", parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError):
        return lxml.html.document_fromstring("<p></p>")
    for element in [each for each in root.iter() if _is_unseen(each)]:
        _drop(element)
    if any("depth" in fault.message for fault in parser.error_log):  # the reader gave up in the middle
        root.append(_paragraph(_bare_text(html)))
    return root


def _paragraph(text: str) -> HtmlElement:
    element = lxml.html.Element("p")
    element.text = text
    return element


def text_of(root: HtmlElement) -> str:
    """The text as it would be read: paragraphs, lists and tables keep their lines."""
    if _is_too_much(root):
        return _tidy(_rough_text(root))
    return _tidy(Inscriptis(root, _CONFIG).get_text())


def plain_text(html: str) -> str:
    """The text of a piece of HTML."""
    return text_of(tree_of(html))


def _bare_text(html: str) -> str:
    """What is left of HTML when its tags are taken away."""
    return _tidy(unescape(_TAG.sub(" ", _CODE.sub(" ", html)))).strip()


def _is_unseen(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str):
        return True
    hidden = element.get("hidden") is not None or _HIDDEN.search(element.get("style", ""))
    return element.tag in _NEVER_SHOWN or bool(hidden)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _is_too_much(root: HtmlElement) -> bool:
    """Whether laying the page out would take seconds."""
    if sum(1 for _ in root.iter()) > _MOST:
        return True
    level = [root]
    for _ in range(_DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def _rough_text(root: HtmlElement) -> str:
    """The text with a line end after whatever ends one, and no lists or tables."""
    for element in root.iter("p", "div", "tr", "li", "br", "h1", "h2", "h3", "blockquote", "pre"):
        element.tail = f"\n{element.tail or ''}"
    return str(root.text_content())


def _gap(filler: re.Match[str]) -> str:
    return " " if " " in filler[0] else ""


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in _FILLER.sub(_gap, text.replace("\u00a0", " ")).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
