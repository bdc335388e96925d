"""A workspace's own products in a text: one ruler for each list of names, kept while it is asked for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from spacy.language import Language
from spacy.pipeline import EntityRuler
from spacy.tokens import Doc, Span

from .words import blank_pipeline

PRODUCT = "product"
_MOST_NAMES = 2_000
_MOST_LISTS = 8  # each some 12 MB when it is that long, and 60 ms to build


def know_products(pipeline: Language) -> None:
    """The pipeline can name what a ruler finds. What it learns during a reading it forgets with it."""
    pipeline.vocab.strings.add(PRODUCT)


def products_in(doc: Doc, names: tuple[str, ...]) -> tuple[Span, ...]:
    """The names as they stand in the text, whatever their case; the longest where several fit."""
    ruler = _ruler(names[:_MOST_NAMES]) if names else None
    return tuple(ruler(doc).ents) if ruler else ()


@lru_cache(maxsize=_MOST_LISTS)
def _ruler(names: tuple[str, ...]) -> EntityRuler | None:
    """Has a vocabulary of its own: a list outlives the reading it was first needed for, and what is read must not."""
    named: list[dict[str, Any]] = [{"label": PRODUCT, "pattern": name} for name in names if name.strip()]
    if not named:
        return None
    ruler = EntityRuler(blank_pipeline(), phrase_matcher_attr="LOWER")
    ruler.add_patterns(named)
    return ruler
