"""From corrections and own words to a pipeline in use: the whole way, with the real teacher."""

import pytest
from django.core.management import CommandError, call_command

import nlp
from conversations import reading
from conversations.learning import consent, using, words
from conversations.models import Training
from crm.models import Membership, Workspace
from tests.conversations.learning.making import correct
from tests.factories import a_sender, a_triage, make_inbox, make_message
from tests.nlp.test_retraining import LEARNT, UNSEEN

pytestmark = pytest.mark.xdist_group("retraining")


def test_corrections_and_ten_examples_make_a_better_pipeline_that_reads_at_once(
    workspace: Workspace, member: Membership, capsys
):
    """Figures that can fail: at least four of five unseen messages get the own intent, none did before."""
    nlp.load()
    consent.allow(workspace, by=member)
    words.keep(by=member, name="queen trouble", function="support", phrases=[], examples=LEARNT, word=None)
    inbox = make_inbox(workspace)
    for place, colour in enumerate("red blue green white black pink grey gold".split()):
        who = a_sender(address=str(place))
        message = make_message(inbox, f"{colour} slot please", sender=who, triage=a_triage("sales"))
        correct(message, member, "marketing", intent="event")
    before = reading.read(workspace, [(text, ()) for text in UNSEEN])

    call_command("retrain")

    trained = Training.objects.in_use()
    after = reading.read(workspace, [(text, ()) for text in (*UNSEEN, "silver slot please")])
    printed = capsys.readouterr()
    assert (trained.lessons, trained.fresh) == (18, 18)
    assert trained.candidate["corrections"] > trained.current["corrections"] + 0.5
    assert "put to use" in printed.out
    assert f"step {trained.steps} of {trained.steps}" in printed.err
    assert [read.intent for read in before if read].count("queen trouble") == 0
    assert [read.intent for read in after[:-1] if read].count("queen trouble") >= 4
    assert after[-1] is not None
    assert (after[-1].function, after[-1].intent, after[-1].model_version) == ("marketing", "event", trained.version)

    with pytest.raises(CommandError, match="nothing new to learn"):
        call_command("retrain")
    assert using.folder_of(workspace) == trained.folder
