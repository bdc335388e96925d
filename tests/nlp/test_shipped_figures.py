"""What the shipped pipeline's own training measured, each message read by a pipeline that did not see it.

A pipeline whose training fell below what is asked of it is not shipped: these tests say so.
"""

import json

import pytest

import nlp
from nlp.assembly import SHIPPED

PERFORMANCE = json.loads((SHIPPED / "meta.json").read_text(encoding="utf-8"))["performance"]
AT_LEAST = {
    "dev": {
        "function_macro_f1": 0.85,
        "function_acceptable": 0.88,
        "alone_at_95": 0.70,
        "not_english_acceptable": 0.88,
        "short_acceptable": 0.80,
        "sentiment_macro_f1": 0.80,
        "language": 0.99,
        "short_language": 0.93,
        "entities_f1": 0.85,
        "urgent_precision": 0.60,
        "urgent_recall": 0.75,
    },
    "all": {"level_3_called_urgent": 0.95},
    "posts": {"mood_recall": 0.63},
    "conversations": {"turns_right": 0.82, "turns_not_wrong": 0.90, "records_opened": 0.60},
}
AT_MOST = {"function_ece": 0.05, "sentiment_polar_errors": 0.02}


@pytest.mark.parametrize(
    "part, name, least",
    [(part, name, least) for part, named in AT_LEAST.items() for name, least in named.items()],
)
def test_what_is_shipped_was_measured_at_least_this_good(part, name, least):
    assert PERFORMANCE[part][name] >= least


@pytest.mark.parametrize("name, most", AT_MOST.items())
def test_what_is_shipped_was_measured_at_most_this_wrong(name, most):
    assert PERFORMANCE["dev"][name] <= most


def test_fragments_are_read_better_with_what_was_said_before():
    talk = PERFORMANCE["conversations"]

    assert talk["fragments"] > 100
    assert talk["fragments_with_context"] > talk["fragments_alone"] + 0.1


def test_the_curve_that_is_shown_is_of_the_pipeline_that_is_shipped():
    answers = nlp.standing_answers()

    assert len(answers) == PERFORMANCE["dev"]["messages"]
    assert sum(right for _, right in answers) / len(answers) == pytest.approx(PERFORMANCE["dev"]["function_acceptable"])


def test_the_shipped_pipeline_is_small():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 25e6
