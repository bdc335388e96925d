"""What cannot wait, in every language, and what can."""

import pytest

import nlp
from nlp import Reading
from nlp.components.urgency import weighed


def read(text):
    return nlp.triage([Reading(text)])[0]


@pytest.mark.parametrize(
    "text",
    [
        "There is smoke coming out of the charger",
        "I smell gas in the flat",
        "Huele a gas en la cocina",
        "Mon fils fait une réaction allergique",
        "Das Gerät brennt!",
        "O carregador pegou fogo",
        "Mio figlio è bloccato in ascensore e non respira",
        "Het apparaat staat in brand",
        "Someone is emptying my account right now",
    ],
)
def test_danger_is_urgent_in_every_language(text):
    assert read(text).urgency == 3


@pytest.mark.parametrize("text", ["Is the fire pit in stock?", "thanks a lot", "Do you sell smoke detectors?"])
def test_a_calm_message_is_not_an_emergency(text):
    assert read(text).urgency < 3


@pytest.mark.parametrize(
    "functions, shares",
    [
        ({"support": 1.0}, (0.2, 0.4, 0.3, 0.1)),
        ({"sales": 1.0}, (0.25, 0.5, 0.15, 0.1)),
        ({"none": 1.0}, (0.3, 0.6, 0.0, 0.1)),
        ({"support": 0.5, "marketing": 0.5}, (0.225, 0.45, 0.225, 0.1)),
    ],
)
def test_today_counts_by_who_acts_and_now_always(functions, shares):
    assert weighed((0.2, 0.4, 0.3, 0.1), functions) == pytest.approx(shares)


def test_a_level_nobody_doubts_stays():
    assert weighed((0.0, 0.0, 0.0, 1.0), {"none": 1.0}) == (0.0, 0.0, 0.0, 1.0)
