"""What the shipped pipeline learns from a workspace, and when the result may take its place."""

from dataclasses import replace

import pytest

import nlp
from nlp import Example, OwnIntent, Reading
from nlp.assembly import SHIPPED, loaded
from nlp.lessons import lesson_key
from nlp.measuring import Pair
from nlp.retraining import STEPS, Teacher, compared, keep, retrained
from nlp.serving import read_with

LEARNT = (  # ten examples of an intent the shipped pipeline has no name for
    "my hive arrived without a queen", "the queen in my nucleus is dead", "no brood after two weeks, is she a dud",
    "queen not laying", "bees balled the queen on day one", "the colony rejected the queen you sent",
    "our queen was unmarked although I paid for marked", "found the queen dead in the cage",
    "second queen this spring that does not lay", "workers killed her, can you send another queen",
)  # fmt: skip
UNSEEN = (
    "hi, the queen was dead on arrival", "my queen stopped laying", "the bees won't accept their queen",
    "queen cage was empty", "is it normal that the new queen does not lay",
)  # fmt: skip
OTHERS = ("where is my parcel?", "how much is the large tent?", "please unsubscribe me", "thank you so much")


@pytest.fixture(scope="module")
def taught():
    teacher = Teacher(loaded(), (), [OwnIntent("queen_trouble", "support", examples=LEARNT)])
    teacher.teach(())
    return teacher.pipeline


def read(pipeline, texts):
    return read_with(pipeline, [Reading(text) for text in texts])


def test_ten_examples_teach_an_intent_of_ones_own(taught):
    after = read(taught, UNSEEN)

    named = [one.intent for one in after]
    assert named.count("queen_trouble") >= 4, named


def test_what_was_known_before_is_not_forgotten(taught):
    before, after = read(loaded(), OTHERS), read(taught, OTHERS)

    assert [(one.function, one.intent) for one in after] == [(one.function, one.intent) for one in before]


def test_the_reasons_still_add_up_after_retraining(taught):
    features = taught(UNSEEN[0])._.features
    model = taught.get_pipe("crm_function").main

    logits = model.logits(features)
    bias = (model.bias[2] - model.bias.mean()) / model.temperature
    assert model.contributions(features, 2).sum() + bias == pytest.approx(logits[2] - logits.mean(), abs=1e-3)


def test_an_own_phrase_is_found_as_a_reason():
    teacher = Teacher(loaded(), (), [OwnIntent("varroa", "support", phrases=("varroa mite*",))])
    teacher.teach(())

    one = read(teacher.pipeline, ["there are varroa mites under the lid"])[0]

    assert one.intent == "varroa"
    assert any("varroa" in reason for reason in one.because)


def test_corrections_win_over_what_was_thought_before_and_survive_the_folder(tmp_path):
    odd = [f"{word} slot please" for word in "red blue green white black pink grey gold".split()]
    corrections = [Example(text, "en", ("marketing",), ("marketing",), intent="event") for text in odd]

    candidate, comparison = retrained(corrections)
    keep(candidate, tmp_path / "own", version="2.1.0+1")

    one = nlp.triage([Reading("silver slot please")], model=tmp_path / "own")[0]
    assert (one.function, one.model_version) == ("marketing", "2.1.0+1")
    assert comparison.candidate["corrections"] > comparison.current["corrections"]
    assert comparison.is_better, comparison.why_not


def test_labels_without_sense_do_not_make_a_better_pipeline():
    texts = [f"where is my parcel number {word}" for word in "one two three four five six".split()]
    functions = ("sales", "marketing")
    corrections = [Example(text, "en", (functions[at % 2],), intent=None) for at, text in enumerate(texts)]

    _, comparison = retrained(corrections)

    assert not comparison.is_better
    assert comparison.why_not


def test_a_function_that_falls_by_over_a_point_keeps_the_old_pipeline():
    told = [Example("a", "en", ("sales",)), Example("b", "en", ("support",)), Example("c", "en", ("support",))]
    right = [replace(read(loaded(), ["x"])[0], function=one.function) for one in told]
    before = [
        Pair(one, found) for one, found in zip(told, [replace(right[0], function="none"), *right[1:]], strict=True)
    ]
    after = [
        Pair(one, found) for one, found in zip(told, [*right[:2], replace(right[2], function="none")], strict=True)
    ]

    comparison = compared(before, after, corrections=1)

    assert comparison.candidate["corrections"] > comparison.current["corrections"]
    assert not comparison.is_better
    assert any("support" in why for why in comparison.why_not)


def test_an_own_intent_is_learnt_from_ten_examples_alone_and_scored_on_those_it_did_not_see():
    steps = []
    candidate, comparison = retrained((), [OwnIntent("queen_trouble", "support", examples=LEARNT)], say=steps.append)

    assert comparison.lessons == len(LEARNT)
    assert comparison.current["corrections"] == 0.0
    assert comparison.candidate["corrections"] >= 0.6, comparison
    assert [one.intent for one in read(candidate, UNSEEN)].count("queen_trouble") >= 4
    assert comparison.is_better, comparison.why_not
    assert steps == list(range(1, STEPS + 1))


def test_what_the_current_pipeline_was_taught_already_is_nothing_new():
    lessons = [Example(f"{word} slot please", "en", ("marketing",), intent="event") for word in ("red", "blue")]

    with pytest.raises(nlp.BadLesson, match="nothing new"):
        retrained(lessons, known={lesson_key(one) for one in lessons})


def test_a_folder_without_a_pipeline_is_refused(tmp_path):
    with pytest.raises(OSError, match="E05"):
        nlp.triage([Reading("hello")], model=tmp_path)


def test_the_shipped_pipeline_is_untouched_by_lessons(taught):
    assert "queen_trouble" not in {one.intent for one in read(loaded(SHIPPED), UNSEEN)}
