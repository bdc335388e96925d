import pytest

from conversations.routing import NOTHING, PERSON, Decision, Policy, Reading, State, decide

NONE_OPEN = State()
OPEN_TICKET = State(frozenset({"support"}))
ONLY_SUPPORT = Policy(functions=frozenset({"support"}))


def a_reading(function="support", confidence=0.9, functions=None):
    return Reading(function, confidence, functions if functions is not None else [(function, confidence)])


@pytest.mark.parametrize(
    "fact,reading,state,policy,decision",
    [
        (
            "surely support opens a ticket",
            a_reading(),
            NONE_OPEN,
            Policy(),
            Decision("opened", ("support",), ("support",)),
        ),
        (
            "surely sales opens a lead",
            a_reading("sales"),
            NONE_OPEN,
            Policy(),
            Decision("opened", ("sales",), ("sales",)),
        ),
        (
            "two asks open two",
            a_reading(functions=[("support", 0.9), ("sales", 0.7)]),
            NONE_OPEN,
            Policy(),
            Decision("opened", ("support", "sales"), ("support", "sales")),
        ),
        (
            "a second ask that is unsure opens nothing",
            a_reading(functions=[("support", 0.9), ("sales", 0.4)]),
            NONE_OPEN,
            Policy(),
            Decision("opened", ("support",), ("support",)),
        ),
        ("more of the same joins", a_reading(), OPEN_TICKET, Policy(), Decision("joined", ("support",))),
        (
            "a new ask beside an open record opens its own",
            a_reading(functions=[("support", 0.9), ("sales", 0.9)]),
            OPEN_TICKET,
            Policy(),
            Decision("opened", ("support", "sales"), ("sales",)),
        ),
        (
            "another matter beside an open record has to be surer",
            a_reading("sales", 0.79),
            OPEN_TICKET,
            Policy(),
            Decision("joined", ("support",)),
        ),
        (
            "more of the same need not be",
            a_reading(confidence=0.6),
            OPEN_TICKET,
            Policy(),
            Decision("joined", ("support",)),
        ),
        (
            "a second ask that is half sure does not keep the first from its record",
            a_reading(functions=[("support", 0.9), ("sales", 0.7)]),
            OPEN_TICKET,
            Policy(),
            Decision("joined", ("support",)),
        ),
        ("unsure goes to a person", a_reading(confidence=0.59), NONE_OPEN, Policy(), PERSON),
        (
            "at the threshold it is sure",
            a_reading(confidence=0.6),
            NONE_OPEN,
            Policy(),
            Decision("opened", ("support",), ("support",)),
        ),
        (
            "unsure beside an open record belongs to it",
            a_reading("sales", 0.3),
            OPEN_TICKET,
            Policy(),
            Decision("joined", ("support",)),
        ),
        ("unread goes to a person", None, NONE_OPEN, Policy(), PERSON),
        ("unread goes to a person even beside a record", None, OPEN_TICKET, Policy(), PERSON),
        ("thanks opens nothing", a_reading("none", functions=[]), NONE_OPEN, Policy(), NOTHING),
        ("thanks after a ticket joins nothing", a_reading("none", functions=[]), OPEN_TICKET, Policy(), NOTHING),
        ("unsure whether it is nothing goes to a person", a_reading("none", 0.3, []), NONE_OPEN, Policy(), PERSON),
        ("a function that is switched off goes to a person", a_reading("sales"), NONE_OPEN, ONLY_SUPPORT, PERSON),
        (
            "a function that is switched off does not stop the other",
            a_reading(functions=[("sales", 0.9), ("support", 0.8)]),
            NONE_OPEN,
            ONLY_SUPPORT,
            Decision("opened", ("support",), ("support",)),
        ),
        (
            "a workspace may ask for more certainty",
            a_reading(confidence=0.9),
            NONE_OPEN,
            Policy(threshold=0.95),
            PERSON,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_a_message_leads(fact, reading, state, policy, decision):
    assert decide(reading, state, policy) == decision
