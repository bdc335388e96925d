"""The pages of learning: what they show, what they change, and for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

import nlp
from conversations import desk
from conversations.learning import answers, consent, threshold, using, words
from conversations.models import Conversation, Correction, Inbox, Message, OwnWord, Route, Training
from crm.models import Membership, Workspace
from crm.workspace import clock
from crm.workspace.models import Event
from tests.conversations.learning.making import correct, make_training
from tests.factories import a_sender, a_triage, make_inbox, make_member, make_message, make_workspace

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
PAGES = ["learning", "corrections", "threshold", "label", "models", "own-words", "label-guide"]


@pytest.fixture(autouse=True)
def no_queue_is_remembered():
    cache.clear()


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


@pytest.fixture
def lead(client: Client, workspace: Workspace) -> Client:
    client.force_login(make_member(workspace, role="admin", name="Ines").agent)
    return client


@pytest.fixture
def agent(member: Membership) -> Client:
    signed_in = Client()
    signed_in.force_login(member.agent)
    return signed_in


def heard(inbox: Inbox, text: str, who: str = "1", **facts: Any) -> Message:
    triage = a_triage(facts.pop("function", "support"), **{"intent": "how_to", **facts})
    return make_message(inbox, text, sender=a_sender(address=who, name=f"Customer {who}"), triage=triage)


def page(client: Client, name: str, query: str = "") -> str:
    answer = client.get(reverse(name) + query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_workspace_and_only_for_members(lead: Client, name: str):
    nlp.load()

    assert "<h1>" in page(lead, name)
    assert Client().get(reverse(name)).status_code == 302


def test_a_correction_is_listed_with_before_and_after_and_the_way_to_the_thread(
    lead: Client, inbox: Inbox, member: Membership
):
    message = heard(inbox, "Do you sell twelve?")
    correct(message, member, "sales", intent="bulk_order")

    shown = page(lead, "corrections")

    assert f"/inbox/{message.conversation_id}/#message-{message.pk}" in shown
    assert shown.index("<s>") < shown.index('data-function="support"') < shown.index('data-function="sales"')
    assert "bulk order" in shown
    assert member.name in shown


def test_the_list_can_be_narrowed(lead: Client, workspace: Workspace, inbox: Inbox, member: Membership):
    other = make_member(workspace, name="Zoe")
    correct(heard(inbox, "first text", "1"), member, "sales")
    desk.label(heard(inbox, "second text", "2"), by=other, functions=["support"], intent="how_to", sentiment=0)

    corrected, confirmed = page(lead, "corrections", "?kind=corrected"), page(lead, "corrections", "?kind=confirmed")

    assert ("first text" in corrected, "second text" in corrected) == (True, False)
    assert ("first text" in confirmed, "second text" in confirmed) == (False, True)
    assert "first text" not in page(lead, "corrections", f"?member={other.pk}")
    assert "first text" in page(lead, "corrections", "?kind=nonsense&member=nonsense&before=nonsense")


def test_long_lists_come_in_parts(lead: Client, inbox: Inbox, member: Membership, monkeypatch):
    monkeypatch.setattr("conversations.learning.pages.corrections.LISTED", 2)
    for place in range(3):
        correct(heard(inbox, f"text number {place}", str(place)), member, "sales")

    first = page(lead, "corrections")
    older = page(lead, "corrections", f"?before={Correction.objects.order_by('pk')[1].pk}")

    assert ("text number 0" in first, "text number 2" in first, "Older ones" in first) == (False, True, True)
    assert ("text number 0" in older, "text number 2" in older, "Older ones" in older) == (True, False, False)


def test_another_workspace_s_corrections_are_not_shown(lead: Client, inbox: Inbox, member: Membership):
    correct(heard(inbox, "Do you sell twelve?"), member, "sales")
    other = Client()
    other.force_login(make_member(make_workspace(), role="admin").agent)

    assert "Do you sell twelve?" not in page(other, "corrections")


def test_the_curve_is_ours_until_the_workspace_has_enough_of_its_own(inbox: Inbox, member: Membership, monkeypatch):
    ours = answers.basis(clock.now())
    right, wrong = heard(inbox, "Where is it?", "1", confidence=0.8), heard(inbox, "How much?", "2", confidence=0.7)
    desk.label(right, by=member, functions=["support"], intent="how_to", sentiment=0)
    correct(wrong, member, "sales")
    stood, unseen = heard(inbox, "It is broken", "3", confidence=0.9), heard(inbox, "Broken too", "4", confidence=0.9)
    desk.resolve(stood.conversation, by=member)
    monkeypatch.setattr(answers, "ENOUGH", 2)

    own = answers.basis(clock.now())

    assert (ours.is_own, len(ours.answers)) == (False, 500)
    assert own.is_own
    assert sorted(own.answers) == [(0.7, False), (0.8, True), (0.9, True)]
    assert (own.corrected, own.confirmed, own.stood) == (1, 1, 1)
    assert unseen.conversation.is_open  # nobody has looked: it says nothing


def test_silence_alone_is_no_curve_of_one_s_own(inbox: Inbox, member: Membership, monkeypatch):
    monkeypatch.setattr(answers, "ENOUGH", 2)
    for place in range(3):
        desk.resolve(heard(inbox, "It is broken", str(place)).conversation, by=member)

    known = answers.basis(clock.now())

    assert (known.stood, known.said, known.is_own) == (3, 0, False)


def test_what_goes_alone_is_counted_over_all_and_what_is_right_over_what_is_known():
    drawn = threshold.curve([0.3, 0.5, 0.7, 0.9], [(0.8, True), (0.8, False), (0.4, False)], 0.6)

    assert (drawn.chosen.coverage, drawn.chosen.precision) == (0.5, 0.5)
    assert len(drawn.points) == 51
    assert drawn.suggested is None
    assert drawn.coverage_line.startswith("0.0,0.0 ")


def test_the_shipped_answers_agree_with_the_model_card():
    point = nlp.at_threshold(nlp.standing_answers(), 0.0)

    assert point.coverage == 1
    assert 0.8 < point.precision < 0.95


def test_last_month_at_another_threshold(inbox: Inbox):
    for place, confidence in enumerate((0.5, 0.7, 0.8, 0.9)):
        heard(inbox, "Where is it?", str(place), confidence=confidence)
    heard(inbox, "Where is it?", "9", confidence=0.9)
    Route.objects.filter(pk=Route.objects.latest("pk").pk).update(at=clock.now() - timedelta(days=31))

    higher, lower = (threshold.last_month(at, clock.now(), 0.5) for at in (0.75, 0.4))

    assert (higher.messages, higher.alone, higher.people) == (4, 3, 1)  # at the threshold of then, 0.6
    assert (higher.would, higher.to_people, higher.to_alone, higher.wrong) == (2, 1, 0, 1)
    assert (lower.would, lower.to_people, lower.to_alone) == (4, 0, 1)


def test_the_threshold_is_set_from_the_curve_and_counts_for_the_next_message(
    lead: Client, workspace: Workspace, inbox: Inbox
):
    shown = page(lead, "threshold-curve", "?at=0.95")
    answer = lead.post(reverse("threshold"), {"at": "0.95"})

    held = Workspace.objects.get(pk=workspace.pk)
    inbox.workspace = held
    assert "At 0.95" in shown
    assert answer.status_code == 302
    assert (held.triage_threshold, held.policy_version) == (0.95, 2)
    assert heard(inbox, "Where is it?", confidence=0.94).routes.get().outcome == "person"
    assert Event.objects.get(verb="settings.changed").changed == {"triage_threshold": [0.6, 0.95]}


@pytest.mark.parametrize("at", ["1.5", "-0.1", "much", "", "nan"])
def test_a_threshold_that_is_none_is_refused(lead: Client, workspace: Workspace, at: str):
    answer = lead.post(reverse("threshold"), {"at": at})

    assert answer.status_code == 422
    assert "from 0 to 1" in answer.content.decode()
    assert Workspace.objects.get(pk=workspace.pk).triage_threshold == 0.6
    assert "At 0.60" in page(lead, "threshold-curve", f"?at={at}")


def test_the_queue_asks_for_one_after_the_other_and_each_answer_is_kept(agent: Client, inbox: Inbox):
    nlp.load()
    first, second = heard(inbox, "is it about the thing then", "1"), heard(inbox, "unsubscribe me from the list", "2")

    shown = page(agent, "label")
    asked = first if f"label/{first.pk}/" in shown else second
    said = {"functions": ["support"], "intent": "how_to", "sentiment": "0"}
    after = agent.post(reverse("label-answer", args=[asked.pk]), said, **HTMX).content.decode()
    skipped = second if asked == first else first
    end = agent.post(reverse("label-skip", args=[skipped.pk]), **HTMX).content.decode()

    assert f"label/{skipped.pk}/" in after
    assert Correction.objects.get().message == asked
    assert Correction.objects.get().is_confirmation
    assert "data-key" in shown
    assert f"label/{skipped.pk}/" in end or "Nothing left" in end


def test_an_answer_in_an_open_conversation_moves_the_matter(agent: Client, inbox: Inbox):
    message = heard(inbox, "is it about the thing then")

    agent.post(
        reverse("label-answer", args=[message.pk]), {"functions": ["sales"], "intent": "quote", "sentiment": "0"}
    )

    assert Conversation.objects.get().function == "sales"


def test_an_answer_that_contradicts_itself_comes_back(agent: Client, inbox: Inbox):
    nlp.load()
    message = heard(inbox, "is it about the thing then")

    answer = agent.post(
        reverse("label-answer", args=[message.pk]), {"functions": ["none", "sales"], "sentiment": "0"}, **HTMX
    )

    assert answer.status_code == 422
    assert "is it about the thing then" in answer.content.decode()
    assert not Correction.objects.exists()


def test_a_customer_who_said_no_is_not_in_the_queue(agent: Client, inbox: Inbox):
    nlp.load()
    message = heard(inbox, "is it about the thing then")
    consent.say(message.conversation.customer, may=False, kind="webchat", wording="no")

    assert "Nothing left to label" in page(agent, "label")


def test_while_triage_loads_the_queue_says_so(agent: Client, inbox: Inbox, monkeypatch):
    heard(inbox, "is it about the thing then")
    monkeypatch.setattr(nlp, "ready", lambda: False)

    assert "Triage is loading" in page(agent, "label")


def test_training_is_asked_for_on_the_page_and_shows_how_far_it_is(lead: Client, workspace: Workspace, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr("conversations.tasks.train", asked.append)
    refused = lead.post(reverse("models-train"), follow=True).content.decode()
    by = Membership.objects.get(role="admin")
    words.keep(by=by, name="queen trouble", function="support", phrases=["dead queen"], examples=[], word=None)

    waiting = lead.post(reverse("models-train"), follow=True).content.decode()
    again = lead.post(reverse("models-train"), follow=True).content.decode()
    Training.objects.update(state="running", step=3, steps=8, heard_at=clock.now())
    running = page(lead, "models-list")
    Training.objects.update(state="failed", problem="The disk is full.")

    assert "nothing to learn from" in refused
    assert asked == [Training.objects.get().pk]
    assert "Waits for its turn" in waiting
    assert "under way already" in again
    assert "step 3 of 8" in running
    assert "load delay" in running
    assert "The disk is full." in page(lead, "models")
    assert "load delay" not in page(lead, "models")


def test_the_history_shows_figures_and_rolls_back_and_forward(lead: Client, workspace: Workspace):
    worse = make_training(workspace, fell=["sales"])
    using.promote(make_training(workspace), by=None)

    history = page(lead, "models")
    lead.post(reverse("model-use", args=[worse.pk]))
    used = Training.objects.in_use()
    lead.post(reverse("models-roll-back"))
    lead.post(reverse("models-roll-back"))
    refused = lead.post(reverse("models-roll-back"), follow=True).content.decode()

    assert "Sales would get worse by over a point" in history
    assert "97.0" in history
    assert used == worse
    assert Training.objects.in_use() is None
    assert "nothing before it" in refused


def test_own_words_are_added_changed_and_removed(lead: Client):
    said = {"name": "queen trouble", "function": "support", "phrases": "dead queen\n\n", "examples": "she does not lay"}
    lead.post(reverse("own-word-new"), said)
    word = OwnWord.objects.get()
    lead.post(reverse("own-word", args=[word.pk]), {**said, "function": "sales"})

    assert word.phrases == ["dead queen"]
    assert OwnWord.objects.get().function == "sales"
    assert "queen trouble" in page(lead, "label-guide")
    lead.post(reverse("own-word-remove", args=[word.pk]))
    assert not OwnWord.objects.exists()


def test_words_nobody_can_learn_come_back_with_what_to_change(lead: Client):
    answer = lead.post(reverse("own-word-new"), {"name": "bug", "function": "support", "phrases": "x", "examples": ""})

    assert answer.status_code == 422
    assert "choose a name" in answer.content.decode()
    assert not OwnWord.objects.exists()


def test_an_own_intent_can_be_chosen_in_a_correction(agent: Client, inbox: Inbox, member: Membership):
    words.keep(by=member, name="queen trouble", function="sales", phrases=["dead queen"], examples=[], word=None)
    message = heard(inbox, "she does not lay")
    said = {"functions": ["sales"], "intent": "queen trouble", "sentiment": "0"}

    answer = agent.post(f"/inbox/{message.conversation_id}/correct/{message.pk}/", said, **HTMX)

    assert answer.status_code == 200
    assert Correction.objects.get().after["intent"] == "queen trouble"
    assert "settings/learning/guide/" in answer.content.decode()


def test_consent_is_given_and_taken_back_by_an_admin(lead: Client, workspace: Workspace):
    lead.post(reverse("learning-consent"), {"may": "yes"})
    given = Workspace.objects.get(pk=workspace.pk).teaches_since
    shown = page(lead, "learning")
    lead.post(reverse("learning-consent"), {"may": "no"})

    assert given is not None
    assert "Yes, since" in shown
    assert Workspace.objects.get(pk=workspace.pk).teaches_since is None


CHANGES = [("learning-consent", []), ("threshold", []), ("models-train", []), ("models-roll-back", []),
           ("model-use", [1]), ("own-word-new", []), ("own-word", [1]), ("own-word-remove", [1])]  # fmt: skip


@pytest.mark.parametrize("name, args", CHANGES)
def test_an_agent_reads_and_labels_and_changes_nothing_else(agent: Client, name: str, args: list[int]):
    assert agent.post(reverse(name, args=args), {"at": "0.9", "may": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["label", "label-answer", "label-skip"])
def test_an_analyst_labels_nothing(workspace: Workspace, name: str):
    analyst = Client()
    analyst.force_login(make_member(workspace, role="analyst").agent)
    args = [] if name == "label" else [1]

    assert analyst.generic("GET" if name == "label" else "POST", reverse(name, args=args)).status_code == 403
    assert analyst.get(reverse("corrections")).status_code == 200


@pytest.mark.parametrize("name", ["learning-consent", "models-train", "models-roll-back"])
def test_a_link_changes_nothing(lead: Client, name: str):
    assert lead.get(reverse(name)).status_code == 405
