"""Text as the hub keeps it. Markup is kept as written and escaped when shown."""

import math
import re
from typing import Any

ID_LIMIT = 1_000  # characters of a platform's id of a message: Instagram's are long, and begin alike
TEXT_LIMIT = 100_000  # characters of one message that are kept; what is over stays in the raw delivery

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes neither NUL nor a lone surrogate


def clean(text: str) -> str:
    """The text without what a database refuses, with plain line ends. Nothing else is changed."""
    return _UNSTORABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters, for names, handles and ids."""
    return " ".join(clean(text[: limit * 4]).split())[:limit]


def snippet(text: str, limit: int = 200) -> str:
    """The beginning of a message, on one line."""
    line = clean_line(text, limit + 1)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def clean_json(value: Any) -> Any:
    """A value for a JSON column without what a database refuses, its texts within TEXT_LIMIT."""
    if isinstance(value, str):
        return clean(value[:TEXT_LIMIT])
    if isinstance(value, dict):
        return {clean(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
