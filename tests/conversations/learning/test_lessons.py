"""Who may teach triage, and what they teach."""

from datetime import timedelta
from typing import Any

import pytest

from conversations import desk
from conversations.inbound import receive_message
from conversations.learning import consent, words
from conversations.learning.lessons import lessons
from conversations.models import Correction, Inbox, Message
from crm.consent.models import Consent
from crm.models import Event, Membership, Workspace
from crm.workspace import clock
from tests.conversations.learning.making import correct
from tests.factories import a_sender, a_triage, an_inbound, make_inbox, make_message


@pytest.fixture
def teaching(workspace: Workspace, member: Membership) -> Workspace:
    consent.allow(workspace, by=member)
    return workspace


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


def heard(inbox: Inbox, text: str, who: str = "1") -> Message:
    return make_message(inbox, text, sender=a_sender(address=who), triage=a_triage("support", intent="how_to"))


def test_a_correction_teaches_what_the_agent_said(teaching: Workspace, inbox: Inbox, member: Membership):
    correct(heard(inbox, "Do you sell twelve?"), member, "sales", intent="bulk_order", sentiment=1)

    [lesson] = lessons(teaching).corrections

    assert (lesson.text, lesson.functions, lesson.intent) == ("Do you sell twelve?", ("sales",), "bulk_order")
    assert (lesson.sentiment, lesson.acceptable) == (1, ("sales",))


def test_without_the_workspace_s_consent_no_message_teaches(workspace: Workspace, inbox: Inbox, member: Membership):
    correct(heard(inbox, "Do you sell twelve?"), member, "sales")

    assert workspace.teaches_since is None  # a new workspace has not agreed
    assert lessons(workspace).number == 0


def test_a_consent_that_was_taken_back_counts_no_more(teaching: Workspace, inbox: Inbox, member: Membership):
    correct(heard(inbox, "Do you sell twelve?"), member, "sales")

    consent.forbid(teaching, by=member)

    assert lessons(Workspace.objects.get(pk=teaching.pk)).number == 0
    said = Event.objects.filter(verb="settings.changed").order_by("number").values_list("changed", flat=True)
    assert list(said) == [{"teaches": [False, True]}, {"teaches": [True, False]}]


def test_a_customer_who_said_no_teaches_nothing_and_one_who_said_yes_again_does(
    teaching: Workspace, inbox: Inbox, member: Membership
):
    ada, bob = heard(inbox, "Do you sell twelve?", "1"), heard(inbox, "Do you sell thirteen?", "2")
    for message in (ada, bob):
        correct(message, member, "sales")
    customer = ada.conversation.customer

    consent.say(customer, may=False, kind="webchat", wording="no")
    consent.say(customer, may=False, kind="webchat", wording="no")
    without = [one.text for one in lessons(teaching).corrections]
    consent.say(customer, may=True, kind="webchat", wording="yes")

    assert without == ["Do you sell thirteen?"]
    assert len(lessons(teaching).corrections) == 2
    assert Consent.objects.count() == 2  # the same word twice is one


def test_a_message_that_was_taken_back_teaches_nothing(teaching: Workspace, inbox: Inbox, member: Membership):
    message = heard(inbox, "Do you sell twelve?")
    correct(message, member, "sales")

    Message.objects.update(deleted_at=clock.now())

    assert lessons(teaching).number == 0


def test_a_card_number_never_reaches_a_lesson(teaching: Workspace, inbox: Inbox, member: Membership):
    message = heard(inbox, "my card 4111 1111 1111 1111 was charged twice")
    Message.objects.update(text="my card 4111 1111 1111 1111 was charged twice")  # as if kept before redaction was
    correct(message, member, "sales")

    [lesson] = lessons(teaching).corrections

    assert "4111" not in lesson.text
    assert "4111" not in str(Correction.objects.values())


def test_the_newest_word_on_a_message_counts(teaching: Workspace, inbox: Inbox, member: Membership):
    message = heard(inbox, "Do you sell twelve?")
    correct(message, member, "sales")
    correct(message, member, "marketing")

    [lesson] = lessons(teaching).corrections

    assert lesson.functions == ("marketing",)


def test_an_old_correction_weighs_less(teaching: Workspace, inbox: Inbox, member: Membership):
    correct(heard(inbox, "Do you sell twelve?"), member, "sales")
    Correction.objects.update(at=clock.now() - timedelta(days=365))

    [lesson] = lessons(teaching).corrections

    assert lesson.weight == pytest.approx(0.5, abs=0.01)


def test_a_fragment_is_learnt_with_what_came_before(teaching: Workspace, inbox: Inbox, member: Membership):
    heard(inbox, "How much is the large tent, with the porch and delivery to Lisbon included?")
    fragment = receive_message(inbox, an_inbound("and the blue?", sender=a_sender(address="1")), triage=a_triage())
    assert fragment is not None
    correct(fragment, member, "sales")

    [lesson] = lessons(teaching).corrections

    assert lesson.previous == ("How much is the large tent, with the porch and delivery to Lisbon included?",)


def test_a_label_is_kept_and_opens_nothing(teaching: Workspace, inbox: Inbox, member: Membership):
    message = heard(inbox, "Do you sell twelve?")
    conversation = desk.resolve(message.conversation, by=member)

    said = desk.label(message, by=member, functions=["sales"], intent="quote", sentiment=0)

    conversation.refresh_from_db()
    assert not said.is_confirmation
    assert (conversation.status, conversation.function) == ("resolved", "support")
    assert lessons(teaching).corrections[0].functions == ("sales",)


def test_a_label_that_says_what_was_read_is_a_confirmation(teaching: Workspace, inbox: Inbox, member: Membership):
    message = heard(inbox, "Where is my order?")

    said = desk.label(message, by=member, functions=["support"], intent="how_to", sentiment=0)

    assert said.is_confirmation
    assert len(lessons(teaching).corrections) == 1


def test_own_words_need_no_consent(workspace: Workspace, member: Membership):
    words.keep(by=member, name="queen trouble", function="support", phrases=["dead queen"], examples=[], word=None)

    taught = lessons(workspace)

    assert taught.number == 1
    assert taught.own[0].name == "queen trouble"


@pytest.mark.parametrize(
    "given, what",
    [
        ({"name": "bug"}, "name"),
        ({"name": "Queen Trouble"}, "that name"),
        ({"function": "cooking"}, "function"),
        ({"phrases": [], "examples": []}, "phrase or an example"),
        ({"phrases": ["one two three four five six seven eight nine"]}, "words"),
    ],
)
def test_an_own_intent_nobody_could_learn_is_refused(workspace: Workspace, member: Membership, given, what):
    known: dict[str, Any] = {"function": "support", "phrases": ["dead queen"], "examples": [], "word": None}
    words.keep(by=member, name="queen trouble", **known)

    with pytest.raises(words.CannotLearn, match=what):
        words.keep(by=member, **{"name": "another", **known, **given})


def test_an_example_is_kept_redacted(workspace: Workspace, member: Membership):
    examples = ["charge 4111 1111 1111 1111 for the queen", "", "charge 4111 1111 1111 1111 for the queen"]

    kept = words.keep(by=member, name="queen trouble", function="support", phrases=[], examples=examples, word=None)

    assert len(kept.examples) == 1
    assert "4111" not in kept.examples[0]
