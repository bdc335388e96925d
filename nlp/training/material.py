"""Everything there is to learn from, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import corpora
from .everyday import everyday_phrases
from .own_messages import corner_messages, own_messages, own_talks
from .phrases import phrases

SEED = 20_260
_SOME = 4_000  # posts


@dataclass(frozen=True, slots=True)
class Material:
    """The corpora, each for what it can teach."""

    written: list[corpora.Written]  # labelled messages that are learnt from and, by parts, scored
    own: list[corpora.Example]  # our own messages and talks: learnt from, never scored
    beside: list[corpora.Example]  # the lexicon's phrases and public texts nobody has to act on
    sentences: list[corpora.Example]  # of known language, and everyday phrases of each
    posts: list[corpora.Example]  # of known mood

    @property
    def some_posts(self) -> list[corpora.Example]:
        """Enough posts to know what posts look like, always the same."""
        return self.posts[:: max(1, len(self.posts) // _SOME)]


def material_of(folder: Path) -> Material:
    """The material of a data folder. Raises OSError when a file is missing."""
    return Material(
        written=corpora.hand_written(folder),
        own=[*own_messages(), *corner_messages(), *(turn for talk in own_talks() for turn in talk)],
        beside=[*corpora.nothing_asked(folder, SEED), *phrases()],
        sentences=[*corpora.in_languages(folder), *everyday_phrases()],
        posts=corpora.rated(folder),
    )
