"""Cutting a text where the platform does not count characters but what readers see as one, with links at a price."""

import re
from bisect import bisect_right
from collections.abc import Callable

import regex

LINK = re.compile(r"https?://[^\s<>\"']+")
_SEEN_AS_ONE = regex.compile(r"\X")


def graphemes(text: str) -> int:
    """How many characters a reader sees: an emoji with its skin tone, a letter with its accents are one."""
    return sum(1 for _ in _SEEN_AS_ONE.finditer(text))


def cut(text: str, limit: int, length: Callable[[str], int]) -> list[str]:
    """Pieces of at most `limit` by `length`: cut between lines, else words, else never inside what is seen as one."""
    pieces, rest = [], text.strip()
    while rest and length(rest) > limit:
        at = _gap(rest, _longest(rest, limit, length))
        pieces.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*pieces, rest] if rest else pieces


def _longest(text: str, limit: int, length: Callable[[str], int]) -> int:
    """How many characters of the beginning fit; at least what is seen as one."""
    ends = [seen.end() for seen in _SEEN_AS_ONE.finditer(text[: limit * 20])]
    fitting = bisect_right(ends, limit, key=lambda end: length(text[:end]))
    return ends[max(fitting, 1) - 1]


def _gap(text: str, longest: int) -> int:
    line_end = text.rfind("\n", longest // 2, longest + 1)
    if line_end > 0:
        return line_end
    blanks = [at for at in range(1, min(longest + 1, len(text))) if text[at].isspace()]
    return blanks[-1] if blanks else longest
