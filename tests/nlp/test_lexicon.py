"""The lexicon's files and how their phrases are found."""

import pytest

from nlp.components.urgency import ALARMS
from nlp.cue_trie import CueTrie
from nlp.labels import FUNCTIONS
from nlp.lexicon import LANGUAGES, pattern_words, read_lexicon, read_sections


def found(pattern, words):
    trie = CueTrie()
    trie.add(pattern_words(pattern), "group", "en")
    return [(hit.start, hit.end) for hit in trie.hits(words)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_groups_that_page_a_human(language):
    assert set(read_lexicon()[language]) >= ALARMS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_speaks_of_every_function(language):
    assert set(read_sections(language)) >= set(FUNCTIONS)


def test_every_language_knows_no_group_that_english_does_not():
    lexicon = read_lexicon()

    assert all(set(groups) <= set(lexicon["en"]) for groups in lexicon.values())


def test_a_star_finds_what_begins_so():
    assert found("refund*", ["my", "refunds"]) == [(1, 2)]
    assert found("refund", ["my", "refunds"]) == []


def test_dots_reach_over_three_words_but_no_sentence():
    assert found("take .. off", ["take", "my", "name", "off"]) == [(0, 4)]
    assert found("take .. off", ["take", "¶", "off"]) == []
    assert found("take .. off", ["take", "a", "b", "c", "d", "off"]) == []


def test_borders_bind_a_phrase_to_the_whole_message():
    assert found("^ hello $", ["hello", "!"]) == [(0, 1)]
    assert found("^ hello $", ["hello", "you"]) == []


def test_either_word_is_found():
    assert found("stop mails|texts", ["stop", "texts"]) == [(0, 2)]


def test_a_pattern_that_matches_everything_is_refused():
    with pytest.raises(ValueError, match="empty pattern"):
        found("^ $", ["x"])
