"""Finds the lexicon's phrases in a text's words, all groups and languages in one walk.

A pattern is a few words in normal form: `refund*` any word that starts so, `a|b` either, `..` up to three words of
anything, `^` at the start of the message, `$` at its end. Phrases do not reach over the end of a sentence.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .words import BREAK

GAP = ".."
_LONGEST_GAP = 3
_END = 0  # a key no word can be
_REMEMBERED = 50_000
Node = dict[Any, Any]  # word -> Node, and _END -> list of (group, language): one kind of dict keeps the walk short


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of the lexicon found in a text: words `start` up to, not including, `end`."""

    group: str
    language: str
    start: int
    end: int


class CueTrie:
    """Every pattern of every language, joined at their common beginnings."""

    def __init__(self) -> None:
        self.root: Node = {}
        self.exact: set[str] = set()
        self.stems: set[str] = set()
        self._known: dict[str, tuple[str, ...]] = {}

    def add(self, words: list[str], group: str, language: str) -> None:
        """The pattern is found from now on. Raises ValueError for one that would match everywhere."""
        if not [word for word in words if word.strip("^$.*|")]:
            raise ValueError(f"empty pattern in {group} ({language})")
        for choice in itertools.product(*(word.split("|") for word in words)):
            node = self.root
            for word in choice:
                node = node.setdefault(word, {})
                self._remember(word)
            node.setdefault(_END, []).append((group, language))

    def _remember(self, word: str) -> None:
        if word.endswith("*"):
            self.stems.add(word[:-1])
        else:
            self.exact.add(word)

    def hits(self, words: list[str]) -> Iterator[Hit]:
        """Every phrase found, also those within one another."""
        keys = [self._keys(word) for word in words]
        last = max((at for at, word in enumerate(words) if word not in {"?", "!", BREAK}), default=-1) + 1
        yield from self._walk(self.root.get("^", {}), keys, 0, 0, last)
        for start, options in enumerate(keys):
            for key in options:
                if key in self.root:
                    yield from self._walk(self.root[key], keys, start, start + 1, last)

    def _walk(self, node: Node, keys: list[tuple[str, ...]], start: int, at: int, last: int) -> Iterator[Hit]:
        yield from (Hit(group, language, start, at) for group, language in node.get(_END, ()))
        if "$" in node and at >= last:
            yield from self._walk(node["$"], keys, start, at, last)
        if at < len(keys):
            for key in keys[at]:
                if key in node:
                    yield from self._walk(node[key], keys, start, at + 1, last)
        if GAP in node:
            yield from self._after_gap(node[GAP], keys, start, at, last)

    def _after_gap(self, node: Node, keys: list[tuple[str, ...]], start: int, at: int, last: int) -> Iterator[Hit]:
        for place in range(at, min(at + _LONGEST_GAP + 1, len(keys))):
            if keys[place] == (BREAK,):
                return
            for key in keys[place]:
                if key in node:
                    yield from self._walk(node[key], keys, start, place + 1, last)

    def _keys(self, word: str) -> tuple[str, ...]:
        found = self._known.get(word)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            stems = (f"{word[:end]}*" for end in range(2, len(word) + 1) if word[:end] in self.stems)
            exact = (word,) if word in self.exact or word == BREAK else ()
            found = self._known[word] = (*exact, *stems)
        return found
