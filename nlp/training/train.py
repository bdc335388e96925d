"""One command from the corpora to a pipeline on disk. The same data and seed give the same pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language

from ..measuring import Figures, Pair, figures, mood_recall
from ..reading import Reading
from ..serving import read_with
from ..standing import write_answers
from . import corpora
from .card import card, dev_pairs
from .crossvalidation import Scored, crossvalidated, settle
from .material import material_of
from .outcomes import outcomes
from .teaching import VERSION, Reader, Say, learn, learn_language, started


def train(folder: Path, out: Path, say: Say) -> None:
    """The pipeline, taught by every hand-written message, is in `out` with its card and the answers of its curve.

    Figures, answers, temperature and thresholds come from messages read by pipelines that never saw them.
    """
    material = material_of(folder)
    pipeline = started(material, say)
    scored = crossvalidated(pipeline, material, say)
    say("all five parts together")
    messages = [*(one.example for one in material.written), *material.own]
    learn_language(pipeline, material, messages, say)
    learn(Reader(pipeline), pipeline, material, messages, say)
    settle(pipeline, scored)
    posts = _posts(pipeline, corpora.tweets(folder))
    pipeline.meta["performance"] = _performance(scored, posts)
    pipeline.to_disk(out, exclude=["vocab"])  # its strings are the texts that were read: nobody else's business
    write_answers(out, [(pair.read.confidence, pair.is_acceptable) for pair in dev_pairs(scored)])
    written = card(scored, posts, VERSION)
    (out / "MODEL_CARD.md").write_text(written, encoding="utf-8")
    say(written)


def crossvalidate(folder: Path, say: Say) -> str:
    """The card of a pipeline that is not kept."""
    material = material_of(folder)
    pipeline = started(material, say)
    scored = crossvalidated(pipeline, material, say)
    return card(scored, _posts(pipeline, corpora.tweets(folder)), VERSION)


def _performance(scored: Sequence[Scored], posts: Sequence[Pair]) -> dict[str, Figures]:
    """The card's figures, for programs: of the messages like real traffic, of all, of conversations and of posts."""
    return {
        "dev": figures(dev_pairs(scored)),
        "all": figures([one.pair for one in scored]),
        "conversations": outcomes(scored),
        "posts": {"mood_recall": mood_recall(posts)},
    }


def _posts(pipeline: Language, tweets: list[corpora.Example]) -> list[Pair]:
    readings = [Reading(one.text) for one in tweets]
    return [Pair(one, read) for one, read in zip(tweets, read_with(pipeline, readings), strict=True)]
