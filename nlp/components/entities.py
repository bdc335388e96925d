"""Order numbers, mail addresses, phones, amounts, days and products in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ..catalogue import PRODUCT, know_products, products_in
from ..entity_patterns import ENTITIES

_FEWEST_PHONE_DIGITS, _MOST_PHONE_DIGITS = 7, 15
_PLAIN_NUMBER = re.compile(r"\d+")
_ONLY_IN = {
    "hier": "fr",
    "mon": "en",
    "sun": "en",
    "sat": "en",
    "demain": "fr",
    "mars": "fr",
}  # days that are words elsewhere
_READ = 5_000  # characters: what comes after is quoted history


class Found(NamedTuple):
    start: int
    end: int
    kind: str


class Entities:
    """Writes `doc._.found`: (type, text) in reading order; what stands first in ENTITIES wins an overlap."""

    def __init__(self, nlp: Language) -> None:
        know_products(nlp)

    def __call__(self, doc: Doc) -> Doc:
        text = doc.text[:_READ]
        taken: list[Found] = []
        named = products_in(doc, doc._.products)
        products = (Found(one.start_char, one.end_char, PRODUCT) for one in named if one.end_char <= len(text))
        for found in (*products, *_matches(text)):
            only_in = _ONLY_IN.get(text[found.start : found.end].lower(), doc._.language)
            if only_in == doc._.language and not any(
                found.start < other.end and other.start < found.end for other in taken
            ):
                taken.append(found)
        doc._.found = tuple((kind, text[start:end].strip()) for start, end, kind in sorted(taken))
        return doc


def _matches(text: str) -> Iterator[Found]:
    has_digit = _PLAIN_NUMBER.search(text) is not None
    for kind, pattern in ENTITIES:
        if kind in _NEED_DIGITS and not has_digit:
            continue
        for match in pattern.finditer(text):
            if kind != "phone" or _is_phone(match["found"]):
                yield Found(*match.span("found"), kind)


_NEED_DIGITS = {"order_number", "phone"}


def _is_phone(written: str) -> bool:
    """Enough digits, and written as phones are: a sign of country or area, or groups."""
    digits = sum(map(str.isdigit, written))
    grouped = not written.isdigit() or written[0] == "0"
    return _FEWEST_PHONE_DIGITS <= digits <= _MOST_PHONE_DIGITS and grouped


@Language.factory("crm_entities", assigns=["doc._.found"])
def make_entities(nlp: Language, name: str) -> Entities:
    return Entities(nlp)


for _name in ("found", "products"):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=())
