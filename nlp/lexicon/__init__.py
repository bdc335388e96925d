"""The hand-written cues, one file per language: what people say when they mean one thing and not another."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "nl")
Lexicon = dict[str, dict[str, list[str]]]  # language -> group -> patterns
_HERE = Path(__file__).parent
_ELIDED = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_]{3,})")


def read_lexicon() -> Lexicon:
    """Every language's groups with their patterns, as written. A group named twice in one file is an error."""
    return {language: _groups(language) for language in LANGUAGES}


def read_sections(language: str) -> dict[str, dict[str, list[str]]]:
    """A language's sections with their groups. Four sections are named for the function their groups speak for."""
    sections = tomllib.loads((_HERE / f"{language}.toml").read_text(encoding="utf-8"))
    return {
        section: {
            group: [phrase.strip() for phrase in phrases.split(",") if phrase.strip()] for group, phrases in named
        }
        for section, named in ((section, groups.items()) for section, groups in sections.items())
    }


def read_feelings() -> dict[str, list[str]]:
    """The words of good and of bad feeling, and those that turn a feeling round."""
    named = tomllib.loads((_HERE / "feelings.toml").read_text(encoding="utf-8"))
    return {name: [word.strip() for word in words.split(",") if word.strip()] for name, words in named.items()}


def _groups(language: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for section in read_sections(language).values():
        for group, phrases in section.items():
            if group in groups:
                raise ValueError(f"{language}.toml: {group} stands in two sections")
            groups[group] = phrases
    return groups


def pattern_words(pattern: str) -> list[str]:
    """A pattern's words in the normal form that texts have, its signs kept."""
    plain = unicodedata.normalize("NFKD", _ELIDED.sub(" ", pattern.lower()).replace("ß", "ss"))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign) and sign not in "'’")
    return re.sub(r"\d", "0", kept.replace("-", " ")).split()
