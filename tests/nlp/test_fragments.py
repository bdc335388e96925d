"""Which messages are read with what came before."""

import pytest

from nlp.fragments import earlier


@pytest.mark.parametrize(
    "text",
    ["still nothing", "and the blue one?", "y la azul?", "and could you tell me whether the blue one is cheaper"],
)
def test_short_texts_and_continuations_need_what_came_before(text):
    assert earlier(text, ("how much is the red one?",)) == "how much is the red one?"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "thanks!",
        "ok thank you so much",
        "muchas gracias",
        "I would like to know how much the red one is please",
    ],
)
def test_thanks_and_whole_messages_speak_for_themselves(text):
    assert earlier(text, ("how much is the red one?",)) == ""


def test_only_the_last_two_texts_count_and_blank_ones_do_not():
    assert earlier("and blue?", ("first", "second", "third")) == "second\nthird"
    assert earlier("and blue?", (" ", "")) == ""
    assert earlier("and blue?", ()) == ""
