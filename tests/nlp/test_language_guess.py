import numpy as np

from nlp.components.language import LanguageGuess, letter_buckets


def test_what_it_remembers_of_words_goes_with_the_letters_it_looked_at():
    guess = LanguageGuess({})
    some, others = (np.unique(letter_buckets(word)) for word in ("hallo", "buongiorno hallo"))
    guess.look_at(some)
    guess.rows(["hallo"])

    guess.look_at(others)

    fresh = LanguageGuess({})
    fresh.look_at(others)
    assert guess.rows(["hallo"]).tolist() == fresh.rows(["hallo"]).tolist()
