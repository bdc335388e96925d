"""What cannot wait, in every language, and what can."""

import pytest

import nlp
from nlp import Reading


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
