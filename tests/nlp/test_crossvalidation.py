"""Measuring a training on what it does not see."""

from dataclasses import replace

import pytest

from nlp.measuring import Pair
from nlp.reading import Triage
from nlp.training import own_messages
from nlp.training.corpora import DEV, TURNS, Example, Written
from nlp.training.crossvalidation import Scored, Settings
from nlp.training.folds import parted, without_twins
from nlp.training.outcomes import outcomes

SURE = Triage(
    function="support", functions=(), intent="bug", confidence=0.9, sentiment=0, sentiment_score=0.0, urgency=1,
    language="en", entities=(), because=(), model_version="1",
    shares=(("marketing", 0.05), ("sales", 0.03), ("support", 0.9), ("none", 0.02)),
    asked=(("marketing", 0.1), ("sales", 0.4), ("support", 0.9)), urgency_shares=(0.1, 0.5, 0.3, 0.1),
)  # fmt: skip


def written(text, group="g", file=DEV, function="support", **labels):
    return Written(Example(text, "en", (function,) if function != "none" else (), **labels), file, group)


def scored(one, read=SURE, alone=None):
    return Scored(one, Pair(one.example, read), alone)


def test_each_message_is_scored_once_and_never_by_a_pipeline_that_saw_it():
    told = [written(f"text {place}", group=f"group {place // 3}") for place in range(60)]

    parts = list(parted(told, seed=1))

    assert sorted(one.example.text for _, part in parts for one in part) == sorted(one.example.text for one in told)
    for seen, part in parts:
        assert not {one.group for one in seen} & {one.group for one in part}


def test_copies_of_what_is_scored_are_not_learnt_from():
    examples = [Example("Thanks!!", "en"), Example("👍", "en"), Example("thanks a lot", "en"), Example("👎", "en")]

    kept = without_twins(examples, [written("thanks"), written("👍")])

    assert [one.text for one in kept] == ["thanks a lot", "👎"]


def test_confidence_sinks_to_what_was_right():
    half = [scored(written(f"t{place}", function=("support", "sales")[place % 2])) for place in range(40)]

    settings = Settings.of(half)

    assert settings.temperature > 1.5
    assert settings.applied(SURE).confidence < 0.7


def test_a_message_is_urgent_from_the_share_that_keeps_the_precision():
    late = replace(SURE, urgency_shares=(0.1, 0.2, 0.5, 0.2))
    told = [scored(written("late", urgency=2), late)] * 8 + [scored(written("calm", urgency=1))] * 8

    settings = Settings.of(told)

    assert settings.urgent_from == pytest.approx(0.7)
    assert (settings.applied(late).urgency, settings.applied(SURE).urgency) == (2, 1)


def test_a_second_function_is_named_only_where_it_was_mostly_right():
    asked = [scored(written(f"a{at}", file="triage_train_a.jsonl")) for at in range(10)]

    assert Settings.of(asked).applied(SURE).functions == (("support", pytest.approx(0.9, abs=0.1)),)


def test_a_turn_is_right_when_it_opens_what_people_said_or_nothing():
    def turn(group, opens):
        return scored(replace(written("x", group=group, file=TURNS), opens=opens))

    found = outcomes([turn("one", "ticket"), turn("one", "none"), turn("two", "none"), turn("three", "lead")])

    assert (found["turns"], found["turns_right"], found["turns_not_wrong"]) == (4, 0.5, 0.5)


def test_what_opens_nothing_is_never_wrong():
    calm = replace(SURE, function="none", shares=())

    found = outcomes([scored(replace(written("x", file=TURNS), opens="ticket"), calm)])

    assert (found["turns_right"], found["turns_not_wrong"]) == (0.0, 1.0)


@pytest.mark.parametrize("confidence, right", [(0.79, 0.5), (0.8, 1.0)])
def test_another_record_in_a_running_talk_has_to_be_surer(confidence, right):
    first = scored(replace(written("x", file=TURNS), opens="ticket"))
    second = scored(
        replace(written("y", file=TURNS), opens="lead"), replace(SURE, function="sales", confidence=confidence)
    )

    assert outcomes([first, second])["turns_right"] == right


def test_our_own_messages_have_labels_each():
    messages = own_messages.own_messages()

    assert len(messages) > 2_000
    assert {one.function for one in messages} == {"marketing", "sales", "support", "none"}


def test_messages_from_the_corners_teach_only_who_acts_and_count_less():
    corners = own_messages.corner_messages()

    assert len(corners) > 20_000
    assert {one.function for one in corners} == {"marketing", "sales", "support", "none"}
    assert {(one.sentiment, one.urgency) for one in corners} == {(None, None)}
    assert max(one.weight for one in corners) < min(one.weight for one in own_messages.own_messages())


def test_hardly_any_message_of_ours_stands_twice():
    texts = [one.text for one in (*own_messages.own_messages(), *own_messages.corner_messages())]

    assert len(texts) - len(set(texts)) < len(texts) / 100


def test_each_turn_of_our_own_talks_knows_what_was_said_before():
    talks = own_messages.own_talks()

    assert len(talks) > 300
    for talk in talks:
        said = [one.text for one in talk]
        assert [one.previous for one in talk] == [tuple(said[max(0, at - 3) : at]) for at in range(len(said))]


def test_a_mood_that_goes_unsaid_in_a_talk_is_unknown():
    turns = [turn for talk in own_messages.own_talks() for turn in talk]

    assert {turn.sentiment for turn in turns} == {None, -1, 1}


def test_a_turn_without_labels_is_refused(tmp_path, monkeypatch):
    (tmp_path / "new.txt").write_text("s|hello\n\nb|price?\nand the blue one\n", encoding="utf-8")
    monkeypatch.setattr(own_messages, "TALKS", tmp_path)

    with pytest.raises(ValueError, match="without labels"):
        own_messages.own_talks()


def test_a_message_without_labels_is_refused(tmp_path, monkeypatch):
    (tmp_path / "new.txt").write_text("hello there\n", encoding="utf-8")
    monkeypatch.setattr(own_messages, "FOLDER", tmp_path)

    with pytest.raises(ValueError, match="no labels"):
        own_messages.own_messages()
