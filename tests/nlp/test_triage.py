"""What the shipped pipeline reads out of a message."""

import pytest

import nlp
from nlp import Reading
from nlp.labels import INTENTS

PLAIN = (  # plain messages that a working model reads, by the function that acts
    ("Where is my order? It should have arrived on Monday.", "support"),
    ("My blender arrived broken, I want a refund.", "support"),
    ("I can't log in, the password reset mail never arrives", "support"),
    ("I was charged twice for my subscription", "support"),
    ("¿Dónde está mi pedido? No ha llegado", "support"),
    ("Mon colis n'est toujours pas arrivé", "support"),
    ("Meine Waschmaschine ist kaputt, ich möchte mein Geld zurück", "support"),
    ("How much is the large tent, and do you ship to Norway?", "sales"),
    ("Could you send us a quote for 40 office chairs?", "sales"),
    ("Can I book a demo with your sales team before we buy?", "sales"),
    ("Quanto costa il divano blu? È disponibile?", "sales"),
    ("Was kostet das Zelt und ist es noch verfügbar?", "sales"),
    ("Quero comprar o modelo azul, quanto custa?", "sales"),
    ("Please unsubscribe me from your newsletter", "marketing"),
    ("I'm a journalist, could I interview you for our podcast?", "marketing"),
    ("Is the summer sale discount code still valid?", "marketing"),
    ("Haal me van de mailinglijst", "marketing"),
    ("Ich möchte den Newsletter abbestellen", "marketing"),
    ("Thank you so much!", "none"),
    ("Out of office: I am on annual leave until 3 May", "none"),
    ("We are a leading SEO agency and can boost your google ranking", "none"),
    ("Are you hiring? I attach my CV", "none"),
)


def read(text, **around):
    return nlp.triage([Reading(text, **around)])[0]


def test_plain_messages_reach_their_function():
    triages = nlp.triage([Reading(text) for text, _ in PLAIN])

    missed = [text for (text, told), one in zip(PLAIN, triages, strict=True) if one.function != told]
    assert len(missed) <= 1, missed


def test_answers_come_in_the_order_of_the_questions():
    texts = ["Where is my order?", "How much is the tent?"] * 150

    triages = nlp.triage([Reading(text) for text in texts])

    assert [one.function for one in triages] == ["support", "sales"] * 150


def test_nothing_to_read_gives_nothing():
    assert nlp.triage([]) == []


def test_a_message_that_asks_two_things_names_both_functions_main_first():
    one = read("My kettle arrived broken, I want a refund. Also how much is the big toaster, is it in stock?")

    assert {name for name, _ in one.functions} == {"support", "sales"}
    assert one.functions[0] == (one.function, one.confidence)


def test_none_asks_for_no_function():
    one = read("Thank you so much!")

    assert (one.function, one.functions, one.intent) == ("none", (), "thanks")


def test_the_intent_is_always_one_of_the_function():
    for text, _ in PLAIN:
        one = read(text)
        assert one.intent in INTENTS[one.function]


def test_a_fragment_is_read_with_what_came_before():
    assert read("and the blue one?", previous=("How much is the red jacket?",)).function == "sales"
    assert read("still nothing", previous=("Where is my order? It is late.",)).function == "support"


def test_thanks_alone_is_none_whatever_came_before():
    one = read("thanks!", previous=("My router is broken and I want my money back",))

    assert one.function == "none"


def test_a_long_message_is_not_swayed_by_what_came_before():
    text = "Could you please send us a written quote for forty office chairs with delivery?"

    assert read(text, previous=("my parcel is late",)) == read(text)


def test_mood_is_told_with_its_sign():
    assert read("I love this shop, you are amazing!").sentiment == 1
    assert read("This is a disgrace, worst service ever, I am furious").sentiment == -1
    assert read("What are your opening hours?").sentiment == 0
    assert -1 <= read("worst service ever").sentiment_score < 0


@pytest.mark.parametrize(
    "text, language",
    [
        ("Where is my parcel please", "en"),
        ("Quiero devolver los zapatos que compré", "es"),
        ("Je voudrais annuler ma commande", "fr"),
        ("Ich warte seit zwei Wochen auf mein Paket", "de"),
        ("Gostaria de saber o preço do frete", "pt"),
        ("Vorrei sapere quando arriva il pacco", "it"),
        ("Ik heb mijn bestelling nog niet ontvangen", "nl"),
        ("😀😀", "und"),
        ("שלום, איפה ההזמנה שלי", "und"),
        ("", "und"),
    ],
)
def test_the_language_is_known_or_said_to_be_unknown(text, language):
    assert read(text).language == language


def test_only_languages_of_the_workspace_are_named():
    assert read("hola, quiero", languages=("pt", "en")).language in {"pt", "en"}


def test_what_stands_in_a_message_is_found():
    one = read("Order KL-88213 from 3 May cost €45, call +44 20 7946 0958 or write to ann@mail.example")

    assert set(one.entities) >= {
        ("order_number", "KL-88213"),
        ("money", "€45"),
        ("phone", "+44 20 7946 0958"),
        ("email", "ann@mail.example"),
    }


def test_the_reasons_stand_in_the_text():
    text = "Where is my parcel? It hasn't arrived, order 5512345"

    one = read(text)

    assert 1 <= len(one.because) <= 6
    assert all(reason in text for reason in one.because)
