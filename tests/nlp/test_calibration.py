"""What a threshold is worth, by hand-counted cases."""

import pytest

import nlp

ANSWERS = [(0.9, True), (0.8, True), (0.7, False), (0.6, True)]


def test_a_threshold_lets_go_what_is_at_least_that_sure():
    point = nlp.at_threshold(ANSWERS, 0.7)

    assert (point.coverage, point.precision) == (0.75, pytest.approx(2 / 3))


def test_a_threshold_above_everything_lets_nothing_go_and_makes_no_mistake():
    assert nlp.at_threshold(ANSWERS, 0.95) == nlp.Point(0.95, 0.0, 1.0)


def test_the_curve_never_covers_more_at_a_higher_threshold():
    curve = nlp.coverage_curve(ANSWERS)

    assert len(curve) == 101
    assert [point.coverage for point in curve] == sorted((point.coverage for point in curve), reverse=True)
    assert nlp.coverage_curve([]) == []


def test_the_lowest_threshold_that_keeps_its_word_is_found():
    assert nlp.threshold_for(ANSWERS, 1.0) == 0.8
    assert nlp.threshold_for(ANSWERS, 0.75) == 0.6


def test_equally_sure_answers_go_together():
    assert nlp.threshold_for([(0.9, True), (0.9, False)], 0.95) is None


def test_no_threshold_is_named_that_would_not_keep_its_word():
    assert nlp.threshold_for([(0.9, False)], 0.5) is None
    assert nlp.threshold_for([], 0.5) is None


def test_confidence_becomes_the_share_that_was_right():
    answers = [(0.9, place % 2 == 0) for place in range(10)] + [(0.5, place < 2) for place in range(10)]

    assert nlp.calibrated([0.9, 0.5, 0.7, 0.1, 1.0], answers) == pytest.approx([0.5, 0.2, 0.35, 0.2, 0.5])


def test_calibration_never_puts_a_surer_answer_below_a_less_sure_one():
    answers = [(0.9, False), (0.8, True), (0.7, True), (0.3, False)]

    shares = nlp.calibrated([0.3, 0.7, 0.8, 0.9], answers)

    assert shares == sorted(shares)


def test_without_answers_confidence_stays():
    assert nlp.calibrated([0.3], []) == [0.3]
