"""Training, on a tiny sample: what it learns, and that it learns the same twice."""

import numpy as np
import pytest

from nlp import Reading
from nlp.assembly import assembled, loaded
from nlp.serving import read_with
from nlp.training import fitting
from nlp.training.corpora import Example
from nlp.training.logistic import Sparse, fit
from nlp.training.teaching import taught

_ASKED = {
    "sales": "how much is the {}?",
    "support": "my {} arrived broken",
    "marketing": "newsletter about the {} please",
}
_INTENTS = {"sales": "pricing", "support": "damaged_or_wrong", "marketing": "subscribe"}
_THINGS = ("tent", "lamp", "chair", "kettle", "bike", "phone")


def examples():
    asked = [
        Example(text.format(thing), "en", (name,), intent=_INTENTS[name], sentiment=0, urgency=1)
        for name, text in _ASKED.items()
        for thing in _THINGS
    ]
    return asked + [
        Example(f"thanks for the {thing}", "en", intent="thanks", sentiment=1, urgency=0) for thing in _THINGS
    ]


def small_pipeline():
    pipeline = assembled()
    fitting.learn_language(
        pipeline, [Example("where is the tent and the lamp", "en"), Example("wo ist das zelt", "de")] * 3
    )
    fitting.learn_mood(pipeline, [Example("good good", "en", sentiment=1), Example("bad bad", "en", sentiment=-1)] * 5)
    return taught(pipeline, examples())


def test_a_pipeline_learns_what_its_examples_show_and_survives_its_folder(tmp_path):
    pipeline = small_pipeline()
    texts = [Reading("how much is the rug?"), Reading("my rug arrived broken"), Reading("thanks for the rug")]

    pipeline.to_disk(tmp_path / "pipeline", exclude=["vocab"])
    told, again = read_with(pipeline, texts), read_with(loaded(tmp_path / "pipeline"), texts)

    assert [one.function for one in told] == ["sales", "support", "none"]
    assert [(one.function, one.intent, one.language) for one in told] == [
        (one.function, one.intent, one.language) for one in again
    ]


def test_the_same_examples_give_the_same_weights():
    one, other = (small_pipeline().get_pipe("crm_function").main for _ in range(2))

    assert np.array_equal(one.weights, other.weights)


def test_the_reasons_add_up_to_the_score_exactly():
    pipeline = small_pipeline()
    model = pipeline.get_pipe("crm_function").main

    features = pipeline("how much is the tent?")._.features

    logits = model.logits(features)
    bias = (model.bias[1] - model.bias.mean()) / model.temperature
    told = model.contributions(features, 1).sum() + bias
    assert told == pytest.approx(logits[1] - logits.mean(), abs=1e-4)


def test_a_folder_without_a_pipeline_is_refused(tmp_path):
    with pytest.raises(OSError, match="E05"):
        loaded(tmp_path)


def test_a_regression_finds_the_line_between_two_kinds():
    rows = Sparse.of([(np.array([at % 2], np.int32), np.ones(1, np.float32)) for at in range(20)], 2)
    targets = np.eye(2, dtype=np.float32)[np.arange(20) % 2]

    found = fit(rows, targets, strength=10.0)

    assert (found.weights.argmax(axis=1) == [0, 1]).all()
