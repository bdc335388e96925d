"""From text to words: one normal form per token, so that spelling habits do not hide a word."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import compile_infix_regex

LONGEST_TEXT = 20_000  # characters that are read
BREAK = "¶"  # between sentences: no phrase reaches over it
_ELISION = r"(?<=[^\W\d_])['’](?=[^\W\d_]{3,})"  # l'article, dell'ordine: two words; don't, j'ai: one
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_REPEATED = re.compile(r"(\D)\1{2,}")
_SHADES = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u200d]")  # emoji variants
_DIGIT = re.compile(r"\d")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def readable(text: str) -> str:
    """The part of a text that is read: cut, without control signs and lone surrogates, line feeds kept."""
    return _CONTROLS.sub(" ", text[:LONGEST_TEXT])


def blank_pipeline() -> Language:
    """An empty multi-language pipeline whose tokenizer parts elided articles from their noun."""
    nlp = spacy.blank("xx")
    infixes = [*(nlp.Defaults.infixes or []), _ELISION]
    nlp.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer  # type: ignore[union-attr]  # a tokenizer is more than a callable
    return nlp


@lru_cache(maxsize=50_000)
def normal_form(token: str) -> str:
    """Lower case, no accents or apostrophes, digits as 0, drawn-out letters once; "" for what carries nothing."""
    if _LINK.match(token):
        return "_link"
    if "@" in token[1:] and "." in token:
        return "_mail"
    if token.startswith("@") and len(token) > 1:
        return "_at"
    if "\n" in token or token[0] in ".;:…":
        return BREAK
    return _folded(token)


def _folded(token: str) -> str:
    plain = unicodedata.normalize("NFKD", _SHADES.sub("", token.lower())).replace("ß", "ss")
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign) and sign not in "'’`´")
    if kept in {"?", "!"}:
        return kept
    kept = _REPEATED.sub(r"\1", kept).strip('-_,."()[]{}<>«»“”„‘*~=|/\\¿¡') if kept else ""
    return _DIGIT.sub("0", kept)[:40] if kept.strip() else ""


def words_of(doc: Doc) -> tuple[list[str], list[int]]:
    """The normal forms of a text's tokens and, beside each, the token it came from."""
    forms: list[str] = []
    places: list[int] = []
    for place, token in enumerate(tokens_of(doc)):
        form = normal_form(token)
        if form == "s" and forms and token[0] in "'’":
            forms[-1] += "s"  # where's: one word, as for those who leave the apostrophe out
        elif form and not (form == BREAK and (not forms or forms[-1] == BREAK)):
            forms.append(form)
            places.append(place)
    return forms, places


def tokens_of(doc: Doc) -> list[str]:
    """The tokens' texts. By their hashes: a Token object for each would cost more than all the rest of a reading."""
    named = doc.vocab.strings
    return [named[key] for key in doc.to_array("ORTH").tolist()]


@Language.component("crm_words", assigns=["doc._.words", "doc._.places"])
def mark_words(doc: Doc) -> Doc:
    """The doc knows its words in normal form."""
    doc._.words, doc._.places = words_of(doc)
    return doc


for _name in ("words", "places"):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=None)
