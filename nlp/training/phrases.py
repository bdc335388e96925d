"""The lexicon's own phrases as easy examples: the hand-written messages are hard, real traffic is mostly plain."""

from __future__ import annotations

from ..labels import FUNCTIONS, NONE
from ..lexicon import LANGUAGES, read_sections
from .corpora import Example

_WEIGHT = 0.05  # of a message: louder, they drown what short messages really look like
_SIGNS = {"^", "$", ".."}


def phrases() -> list[Example]:
    """Each phrase of a group that belongs to a function, as a text that asks for it."""
    return [
        Example(text, language, (section,) if section != NONE else (), weight=_WEIGHT)
        for language in LANGUAGES
        for section, groups in read_sections(language).items()
        if section in FUNCTIONS
        for patterns in groups.values()
        for text in map(spoken, patterns)
        if text
    ]


def spoken(pattern: str) -> str:
    """A pattern as somebody would say it."""
    return " ".join(word.split("|")[0].rstrip("*") for word in pattern.split() if word not in _SIGNS)
