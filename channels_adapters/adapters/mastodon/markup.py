"""The HTML of a post as plain text: paragraphs and breaks are lines, links are whole, mentions stay as written."""

import re
from html.parser import HTMLParser

_OURS = "\ue000"  # stands for a mention of ourselves until its place is known
_LEADING = re.compile(rf"^((?:@\S+\s+)*?){_OURS}[ \t]*\n?")
_BLANKS = re.compile(r"[ \t]+\n")
_LINES = re.compile(r"\n{3,}")


def plain(html: str, our_url: str = "", our_name: str = "") -> str:
    """The text of a post. A mention of us among those it begins with goes; elsewhere it stays."""
    reader = _Reader(our_url)
    reader.feed(html.replace(_OURS, "").replace("<!", "&lt;!"))  # the reader fails on strange declarations
    reader.close()
    text = _LEADING.sub(r"\1", "".join(reader.said).strip())
    text = _LINES.sub("\n\n", _BLANKS.sub("\n", text.replace(_OURS, f"@{our_name}")))
    return text.strip()


class _Reader(HTMLParser):
    def __init__(self, our_url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.our_url, self.said = our_url, list[str]()
        self._is_ours, self._hidden = False, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        match tag:
            case "br":
                self.said.append("\n")
            case "li":
                self.said.append("\n• ")
            case "a" if "mention" in classes and self.our_url and given.get("href") == self.our_url:
                self._is_ours = True
                self.said.append(_OURS)
            case "p" if "quote-inline" in classes:  # says again in words which post is quoted
                self._hidden += 1
            case "script" | "style":
                self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "p":
                self._end_of_paragraph()
            case "blockquote" | "pre" | "ul" | "ol":
                self.said.append("\n")
            case "a":
                self._is_ours = False
            case "script" | "style":
                self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        if not (self._is_ours or self._hidden):
            self.said.append(data)

    def _end_of_paragraph(self) -> None:
        if self._hidden:
            self._hidden -= 1
        else:
            self.said.append("\n\n")
