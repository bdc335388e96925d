import numpy as np
import pytest

import nlp
from nlp.components.language import LanguageGuess, letter_buckets
from nlp.lexicon import LANGUAGES
from nlp.training.everyday import everyday_phrases


def test_what_it_remembers_of_words_goes_with_the_letters_it_looked_at():
    guess = LanguageGuess({})
    some, others = (np.unique(letter_buckets(word)) for word in ("hallo", "buongiorno hallo"))
    guess.look_at(some)
    guess.rows(["hallo"])

    guess.look_at(others)

    fresh = LanguageGuess({})
    fresh.look_at(others)
    assert guess.rows(["hallo"]).tolist() == fresh.rows(["hallo"]).tolist()


def test_every_language_brings_its_everyday_phrases():
    phrases = everyday_phrases()

    assert {one.language for one in phrases} == set(LANGUAGES)
    assert all(sum(one.language == code for one in phrases) > 300 for code in LANGUAGES)


@pytest.mark.parametrize(
    "text, language",
    [
        ("where is it", "en"),
        ("¿cuánto cuesta?", "es"),
        ("c'est combien", "fr"),
        ("geht nicht mehr", "de"),
        ("cadê meu pacote", "pt"),
        ("quanto costa", "it"),
        ("doet het niet", "nl"),
    ],
)
def test_a_few_words_are_enough(text, language):
    assert nlp.triage([nlp.Reading(text)])[0].language == language
