"""The measures themselves: by hand-counted cases."""

import pytest

from nlp import measuring


def test_macro_f1_is_the_mean_of_the_classes():
    told_and_read = [("a", "a"), ("a", "b"), ("b", "b")]

    assert measuring.macro_f1(told_and_read, ("a", "b", "unseen")) == pytest.approx(2 / 3)


def test_confidence_that_keeps_its_word_has_no_calibration_error():
    kept = [(0.75, True), (0.75, True), (0.75, True), (0.75, False)]

    assert measuring.calibration_error(kept) == pytest.approx(0.0)
    assert measuring.calibration_error([(0.95, False)]) == pytest.approx(0.95)
    assert measuring.calibration_error([]) == 0.0


def test_alone_counts_the_surest_as_far_as_95_percent_are_right():
    answers = [(0.9, True)] * 19 + [(0.8, False)] + [(0.1, False)] * 20

    assert measuring.alone(answers) == pytest.approx(0.5)
    assert measuring.alone([(0.9, False)]) == 0.0
