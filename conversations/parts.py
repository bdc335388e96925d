"""Cutting a text into the parts that a platform takes."""

import re
import unicodedata

_JOINER = "\u200d"
_GAP = re.compile(r"\s+")


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` characters: cut between lines or words, else never inside an emoji or an accent."""
    parts = []
    rest = text.strip()
    while len(rest) > limit:
        cut = _last_gap(rest, limit) or _safe_cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _last_gap(text: str, limit: int) -> int:
    """Where the last line end, else the last blank, of the allowed stretch is; 0 when its second half has none."""
    line_end = text.rfind("\n", limit // 2, limit + 1)
    if line_end > 0:
        return line_end
    gaps = [gap.start() for gap in _GAP.finditer(text, limit // 2, limit + 1)]
    return gaps[-1] if gaps else 0


def _safe_cut(text: str, limit: int) -> int:
    cut = limit
    while cut > limit // 2 and (_continues(text[cut]) or text[cut - 1] == _JOINER):
        cut -= 1
    return cut


def _continues(character: str) -> bool:
    """Whether the character belongs to the one before it: accents, variation selectors, skin tones, joiners."""
    return (
        character == _JOINER
        or unicodedata.combining(character) > 0
        or unicodedata.category(character) in ("Mn", "Me", "Cf")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )
