"""Words of good and bad feeling, and what turns them round."""

import pytest

from nlp.feelings import FACTS, Feelings
from nlp.lexicon import read_feelings
from nlp.words import blank_pipeline, words_of

FEELINGS = Feelings({"good": ["love*", "great"], "bad": ["awful", "broke*", "lovesick"], "turns": ["not", "never"]})


def facts(text):
    return set(FEELINGS.of(words_of(blank_pipeline()(text))[0]))


@pytest.mark.parametrize(
    "text, shown",
    [
        ("I love it", {"good>=1", "only good"}),
        ("awful, and broken", {"bad>=1", "bad>=2", "only bad"}),
        ("great great love great great", {"good>=1", "good>=2", "good>=3", "only good"}),
        ("great at first, then it broke", {"good>=1", "bad>=1", "bad at last"}),
        ("see you on monday", {"no feeling"}),
        ("", {"no feeling"}),
        ("#lovely", {"good>=1", "only good"}),
        ("lovesick", {"no feeling"}),  # good by its beginning, bad as a whole
    ],
)
def test_feelings_are_counted(text, shown):
    assert facts(text) == shown


@pytest.mark.parametrize(
    "text, shown",
    [
        ("not so very great", {"turned good", "no feeling"}),
        ("never broke", {"turned bad", "no feeling"}),
        ("not one of all these was great", {"good>=1", "only good"}),
        ("why not? great", {"good>=1", "only good"}),
    ],
)
def test_a_no_turns_the_next_words_round_within_its_sentence(text, shown):
    assert facts(text) == shown


def test_every_fact_has_its_place_among_the_features():
    texts = (
        "love",
        "awful",
        "not great",
        "never broke",
        "great love great",
        "awful broke awful",
        "great awful",
        "awful great",
        "",
    )

    assert set().union(*map(facts, texts)) == set(FACTS)


def test_no_word_is_both():
    words = read_feelings()

    assert not set(words["good"]) & set(words["bad"])
    assert not set(words["turns"]) & (set(words["good"]) | set(words["bad"]))


def test_it_is_the_same_after_it_was_kept(tmp_path):
    FEELINGS.save(tmp_path / "feelings.json")

    assert Feelings.load(tmp_path / "feelings.json").words == FEELINGS.words
