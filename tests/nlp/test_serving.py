"""Reading never fails, whatever the text and however many read at once."""

import threading

import numpy as np
import pytest

import nlp
from nlp import Reading, assembly, feelings, grams, serving
from nlp.labels import FUNCTIONS


def read(text, **around):
    return nlp.triage([Reading(text, **around)])[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "\x00\x00",
        "\ud800 hello",
        "😀" * 50,
        "<b onclick='x'>hi</b>",
        "مرحبا أين طلبي",
        "a" * 1_000_000,
        "?" * 3000,
        "é" * 100,
    ],
)
def test_no_text_is_too_odd_to_read(text):
    one = read(text, previous=(text, "how much?"), products=("", " ", "x"))

    assert one.function in FUNCTIONS
    assert 0 <= one.confidence <= 1
    assert -1 <= one.sentiment_score <= 1


def test_many_threads_read_at_once_and_agree():
    alone, together = read("Where is my order?"), []

    threads = [threading.Thread(target=lambda: together.append(read("Where is my order?"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert together == [alone] * 8


def test_it_is_ready_once_it_is_loaded():
    nlp.load()
    nlp.load()

    assert nlp.ready()


def test_a_triage_cannot_be_changed():
    with pytest.raises(AttributeError):
        read("hello").function = "sales"


def test_the_model_names_its_version():
    assert read("hello").model_version.count(".") == 2


def test_only_the_first_20000_characters_are_read():
    filled = "where is my parcel? " * 1_000

    one, other = nlp.triage([Reading(filled + "I smell gas, write to late@mail.example"), Reading(filled)])

    assert one == other


def test_at_most_three_pipelines_of_workspaces_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "_pipelines", {})
    monkeypatch.setattr(assembly, "loaded", lambda path: str(path))

    for name in "abcada":
        serving.load(tmp_path / name)

    assert [path.name for path in serving._pipelines] == ["c", "d", "a"]


def test_what_was_read_leaves_nothing_in_the_pipeline():
    nlp.triage([Reading("Where is my order?")])
    vocab = serving._pipelines[None].vocab
    before = len(vocab.strings), sum(1 for _ in vocab)

    nlp.triage([Reading(f"q{at:x}z lost my zx{at}y on day {at}, again") for at in range(1_000)])

    assert (len(vocab.strings), sum(1 for _ in vocab)) == before


def test_words_that_are_remembered_have_a_limit(monkeypatch):
    monkeypatch.setattr(grams, "_REMEMBERED", 50)
    monkeypatch.setattr(feelings, "_REMEMBERED", 50)
    vocabulary, felt = grams.Vocabulary(np.arange(9, dtype=np.uint32), np.ones(9, np.float32)), feelings.Feelings()

    for at in range(500):
        vocabulary.features([f"word{at:x}"], [])
        felt.of([f"word{at:x}"])

    assert max(len(vocabulary._known), len(felt._known)) <= 52
