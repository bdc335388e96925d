"""What a workspace may teach, and what it is asked to label."""

import pytest

import nlp
from nlp import OwnIntent
from nlp.reading import Triage


def read(first=0.5, second=0.3, asked=0.5):
    rest = (1 - first - second) / 2
    return Triage(
        function="support", functions=(), intent="bug", confidence=first, sentiment=0, sentiment_score=0.0, urgency=1,
        language="en", entities=(), because=(), model_version="1",
        shares=(("marketing", rest), ("sales", second), ("support", first), ("none", rest)),
        asked=(("marketing", 0.0), ("sales", 0.2), ("support", asked)),
    )  # fmt: skip


def test_the_messages_that_teach_most_are_the_least_clear_ones():
    sure = [(f"clear message number {place} of words{place}", read(0.97, 0.01)) for place in range(60)]
    unsure = [(f"odd {place} text{place}", read(0.41, 0.4)) for place in range(10)]

    chosen = nlp.most_teaching([*sure, *unsure], count=20)

    assert len(chosen) == len(set(chosen)) == 20
    assert set(range(60, 70)) <= set(chosen)


def test_two_messages_that_say_the_same_are_not_both_asked_about():
    twins = [("where is my parcel please", read()), ("where is my parcel", read())]

    assert len(nlp.most_teaching(twins)) == 1


def test_a_reading_torn_between_two_functions_is_asked_about():
    texts = [(f"quite clear {place} w{place}", read(0.9, 0.05, asked=0.9)) for place in range(40)]
    texts[17] = (texts[17][0], read(0.9, 0.05, asked=0.0))

    assert 17 in nlp.most_teaching(texts, count=8)


def test_nothing_to_label_is_no_queue():
    assert nlp.most_teaching([]) == []


@pytest.mark.parametrize(
    "intent, wrong",
    [
        (OwnIntent("tuning", "music", ("tune",)), "function"),
        (OwnIntent("bug", "support", ("tune",)), "name"),
        (OwnIntent(" ", "support", ("tune",)), "name"),
        (OwnIntent("tuning", "support"), "example"),
        (OwnIntent("tuning", "support", ("a b c d e f g h i",)), "words"),
        (OwnIntent("tuning", "support", ("..",)), "word"),
    ],
)
def test_an_intent_nobody_can_learn_is_refused_with_what_to_change(intent, wrong):
    with pytest.raises(nlp.BadLesson, match=wrong):
        intent.checked()
