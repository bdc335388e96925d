"""How many words of good and of bad feeling a text has, where they stand, and which of them are turned round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import srsly

from .lexicon import read_feelings
from .words import BREAK

_REACH = 3  # words that a "not" turns round
_MOST = 3  # words of one feeling are counted up to here
_REMEMBERED = 30_000
_GOOD, _BAD = 1, -1
_NAMES = ((_GOOD, "good"), (_BAD, "bad"))
_NAME = dict(_NAMES)
FACTS = (
    *(f"{name}>={least}" for _, name in _NAMES for least in range(1, _MOST + 1)),
    *(f"{how} {name}" for _, name in _NAMES for how in ("only", "turned")),
    *(f"{name} at last" for _, name in _NAMES),
    "no feeling",
)


class Feelings:
    """Knows which words feel good or bad. Words it does not know feel nothing."""

    def __init__(self, words: dict[str, list[str]] | None = None) -> None:
        self.words = read_feelings() if words is None else words
        self._turns = frozenset(self.words["turns"])
        self._whole = {sign: frozenset(word for word in self.words[name] if word[-1] != "*") for sign, name in _NAMES}
        self._begun = {sign: tuple(word[:-1] for word in self.words[name] if word[-1] == "*") for sign, name in _NAMES}
        self._known: dict[str, int] = {}

    def of(self, words: Sequence[str]) -> list[str]:
        """What the words show: names of facts, such as "good>=2", "only bad", "bad at last"."""
        felt = list(self._felt(words))
        plain = [sign for sign, turned in felt if not turned]
        good, bad = plain.count(_GOOD), plain.count(_BAD)
        facts = [f"{name}>={least}" for name, count in (("good", good), ("bad", bad)) for least in _up_to(count)]
        facts += [f"turned {_NAME[sign]}" for sign in sorted({sign for sign, turned in felt if turned})]
        if good and bad:
            return [*facts, f"{_NAME[plain[-1]]} at last"]
        return [*facts, f"only {_NAME[plain[-1]]}" if plain else "no feeling"]

    def _felt(self, words: Sequence[str]) -> Iterator[tuple[int, bool]]:
        """The feeling of each word that has one, and whether a word before turns it round."""
        reach = 0
        for word in words:
            if word in self._turns:
                reach = _REACH
            elif word in {"?", "!", BREAK}:
                reach = 0
            else:
                sign = self._sign(word)
                if sign:
                    yield sign, reach > 0
                reach -= 1

    def _sign(self, word: str) -> int:
        """1 for good, -1 for bad; 0 for neither, or for both."""
        sign = self._known.get(word)
        if sign is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            plain = word.lstrip("#")
            sign = sum(one for one, _ in _NAMES if plain in self._whole[one] or plain.startswith(self._begun[one]))
            self._known[word] = sign
        return sign

    def save(self, path: Path) -> None:
        srsly.write_json(path, self.words, indent=0)

    @classmethod
    def load(cls, path: Path) -> Feelings:
        return cls(srsly.read_json(path))


def _up_to(count: int) -> range:
    return range(1, min(count, _MOST) + 1)
