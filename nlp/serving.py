"""Loads the shipped pipeline once and reads messages with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .fragments import earlier
from .reading import Reading, Triage

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_BATCH = 128  # messages read before other threads get their turn
_lock = threading.Lock()  # a pipeline's memory zone belongs to one thread at a time
_pipelines: dict[Path | None, Language] = {}  # None is the shipped one; of the others the one used last stands last
_MOST_OWN = 3  # pipelines of workspaces in memory, some 40 MB each


def load(model: Path | None = None) -> None:
    """The pipeline of a folder, or the shipped one, is in memory. Raises OSError when it is not there."""
    with _lock:
        _loaded(model)


def ready() -> bool:
    """Whether reading with the shipped pipeline starts at once."""
    return None in _pipelines


def triage(readings: Sequence[Reading], *, model: Path | None = None) -> list[Triage]:
    """What each message asks for, in the same order, read by the pipeline of a folder or the shipped one.

    Loads it if nobody has. Raises OSError when the folder holds none.
    """
    remaining, read = iter(readings), []
    while batch := list(islice(remaining, _BATCH)):
        with _lock:
            read += read_with(_loaded(model), batch)
    return read


def _loaded(model: Path | None) -> Language:
    found = _pipelines.pop(model, None)
    if found is None:
        # spaCy takes a second to import, and who only wants `redact` must not wait for it.
        from .assembly import SHIPPED, loaded

        found = loaded(model or SHIPPED)
    _pipelines[model] = found
    own = [one for one in _pipelines if one is not None]
    for longest_unused in own[:-_MOST_OWN]:
        del _pipelines[longest_unused]
    return found


def read_with(pipeline: Language, readings: Sequence[Reading]) -> list[Triage]:
    """Reads with a given pipeline, all in one memory zone. Only plain values leave it: what spaCy holds dies there."""
    with pipeline.memory_zone():
        docs = pipeline.pipe(_docs(pipeline, readings))
        return [_triage(doc, _version(pipeline)) for doc in docs]


def _docs(pipeline: Language, readings: Sequence[Reading]) -> Iterator[Doc]:
    for reading in readings:
        before = _features_of(pipeline, reading)
        yield _doc(pipeline, reading, reading.text, before)


def _features_of(pipeline: Language, reading: Reading) -> Any:
    """The features of what was said before, for a fragment; else None."""
    said = earlier(reading.text, reading.previous)
    if not said:
        return None
    from .assembly import BEFORE_FEATURES, part  # see _loaded
    from .components.features import FeaturesOfText

    doc = _doc(pipeline, reading, said, None)
    for name in BEFORE_FEATURES:
        doc = pipeline.get_pipe(name)(doc)
    return part(pipeline, FeaturesOfText).of(doc)


def _doc(pipeline: Language, reading: Reading, text: str, before: Any) -> Doc:
    from .words import readable  # see _loaded

    doc = pipeline.make_doc(readable(text))
    doc._.languages, doc._.products, doc._.before = reading.languages, reading.products, before
    return doc


def _version(pipeline: Language) -> str:
    return str(pipeline.meta["version"])


def _triage(doc: Doc, version: str) -> Triage:
    marks = doc._
    function, share = max(marks.function_shares.items(), key=lambda item: item[1])
    return Triage(
        function=function,
        functions=marks.functions,
        intent=marks.intent,
        confidence=share,
        sentiment=marks.sentiment,
        sentiment_score=marks.sentiment_score,
        urgency=marks.urgency,
        language=marks.language,
        entities=marks.found,
        because=marks.because,
        model_version=version,
        shares=tuple(marks.function_shares.items()),
        asked=marks.asked_shares,
        urgency_shares=marks.urgency_shares,
    )
