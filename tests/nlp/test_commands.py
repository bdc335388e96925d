"""The command line, as other programs call it."""

import io
import json

import pytest

from nlp.commands import main, triage_lines


def answers(capsys, *lines):
    code = triage_lines(io.BytesIO(b"\n".join(lines)))
    written = capsys.readouterr()
    return code, [json.loads(line) for line in written.out.splitlines()], written.err


def test_each_line_gets_its_answer_in_order(capsys):
    code, told, complaint = answers(capsys, b'{"text": "Where is my order?"}', b'{"text": "How much is the tent?"}')

    assert (code, complaint) == (0, "")
    assert [one["function"] for one in told] == ["support", "sales"]
    assert set(told[0]) == set(
        "function functions intent confidence sentiment sentiment_score urgency language entities because".split()
    )
    assert told[0]["functions"][0] == {"function": "support", "confidence": told[0]["confidence"]}


def test_what_came_before_and_the_products_are_read(capsys):
    line = {
        "text": "and the aurora?",
        "previous": ["how much is the tent?"],
        "products": ["Aurora"],
        "at": "2026-01-01T10:00:00Z",
    }

    _, (told,), _ = answers(capsys, json.dumps(line).encode())

    assert told["function"] == "sales"
    assert told["entities"] == [["product", "aurora"]]


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"text": 5}',
        b"\xff\xfe",
        b'{"text": "x", "previous": 3}',
        b'{"text": "x", "at": "soon"}',
        b"[" * 20_000,
    ],
)
def test_a_bad_line_gives_an_error_in_its_place_and_is_named(capsys, bad):
    code, told, complaint = answers(capsys, b'{"text": "hello"}', bad, b'{"text": "thanks"}')

    assert code == 1
    assert set(told[1]) == {"error"}
    assert told[0]["function"] == told[2]["function"] == "none"
    assert complaint.startswith("line 2: ")
    assert complaint.count("\n") == 1


def test_blank_lines_are_passed_over(capsys):
    assert answers(capsys, b"", b"  ", b'{"text": "thanks"}')[0] == 0


def test_a_lone_surrogate_is_answered_in_ascii(capsys):
    code, told, _ = answers(capsys, b'{"text": "\\ud800 where is my order?"}')

    assert (code, told[0]["function"]) == (0, "support")


def test_evaluate_prints_figures_of_a_labelled_file(capsys, tmp_path):
    calm = {"lang": "en", "sentiment": 0, "urgency": 1, "entities": []}
    rows = [
        {**calm, "text": "Where is my order 12345?", "function": "support", "entities": [["order_number", "12345"]]},
        {**calm, "text": "How much is the large tent?", "function": "sales"},
    ]
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))

    assert main(["evaluate", str(file), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["function_macro_f1"] == found["entities_f1"] == found["language"] == 1.0
    assert found["batched_per_second"] > 0


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["guess"])
