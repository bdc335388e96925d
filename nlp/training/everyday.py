"""Reads `everyday/`: the words and phrases that stand in every second short message, one file per language.

The public sentences are news and literature; what people type to a shop ("cadê meu pedido", "doet het niet") is rare
in them, and a message of three words has nothing else to be known by.
"""

from __future__ import annotations

from pathlib import Path

from .corpora import Example

FOLDER = Path(__file__).parent / "everyday"


def everyday_phrases() -> list[Example]:
    """Each phrase of the folder with the language its file is named for."""
    return [
        Example(phrase, path.stem)
        for path in sorted(FOLDER.glob("*.txt"))
        for phrase in map(str.strip, path.read_text(encoding="utf-8").split(","))
        if phrase
    ]
