"""A workspace's own products are found in what its customers write, without paying for the list at each message."""

from nlp import catalogue
from nlp.reading import Reading
from nlp.serving import triage

LAMPS = tuple(f"Lamp Kyoto {number}" for number in range(3_000))


def products(text, names):
    (one,) = triage([Reading(text, products=names)])
    return [found for kind, found in one.entities if kind == "product"]


def test_products_are_found_by_the_list_that_is_given():
    assert products("is the aurora lamp back?", ("Aurora Lamp",)) == ["aurora lamp"]
    assert products("is the aurora lamp back?", ()) == []


def test_the_longest_name_is_meant():
    assert products("one Aurora lamp XL please", ("Aurora", "Aurora Lamp XL", "Lamp")) == ["Aurora lamp XL"]


def test_a_name_is_not_found_inside_a_word():
    assert products("auroras and kyotos", ("Aurora", "Kyoto")) == []


def test_names_of_one_workspace_are_not_found_for_another():
    assert products("the kyoto 7", ("Kyoto 7",)) == ["kyoto 7"]
    assert products("the kyoto 7", ("Osaka 7",)) == []


def test_a_list_is_prepared_once_and_still_right_after_other_readings():
    products("lamp kyoto 17", LAMPS)
    before = catalogue._ruler.cache_info().misses
    for number in range(300):
        triage([Reading(f"words{number} that{number} were never{number} seen")])

    assert products("have you lamp kyoto 17 or lamp kyoto 1999?", LAMPS) == ["lamp kyoto 17", "lamp kyoto 1999"]
    assert catalogue._ruler.cache_info().misses == before


def test_of_a_longer_list_the_first_two_thousand_names_are_known():
    assert products("lamp kyoto 1999 or lamp kyoto 2001", LAMPS) == ["lamp kyoto 1999"]


def test_a_list_of_nothing_finds_nothing():
    assert products("what is this", ("", " ")) == []


def test_a_product_after_what_is_read_for_entities_is_left_alone():
    assert products("la " * 2_000 + "aurora lamp", ("Aurora Lamp",)) == []
