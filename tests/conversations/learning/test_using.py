"""Which pipeline reads a workspace's messages, and the way back."""

import shutil

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

import nlp
from conversations import reading
from conversations.learning import training, using, words
from conversations.models import Training
from crm.models import Event, Membership, Workspace
from tests.conversations.learning.making import SHIPPED_VERSION, make_training
from tests.factories import make_workspace


def read_by(workspace: Workspace) -> str:
    nlp.load()
    [read] = reading.read(workspace, [("Where is my parcel?", ())])
    assert read is not None
    return read.model_version


def test_a_promoted_pipeline_reads_at_once_and_the_shipped_one_again_after_the_roll_back(
    workspace: Workspace, member: Membership
):
    own = make_training(workspace)
    shipped = read_by(workspace)

    using.promote(own, by=member)
    promoted = read_by(workspace)
    using.roll_back(workspace, by=member)

    assert promoted == own.version != shipped
    assert read_by(workspace) == shipped
    changes = Event.objects.filter(verb__startswith="model.").order_by("number").values_list("verb", "changed")
    assert list(changes) == [
        ("model.promoted", {"model": [None, own.version]}),
        ("model.rolled_back", {"model": [own.version, None]}),
    ]


def test_another_workspace_reads_with_the_shipped_pipeline(workspace: Workspace, member: Membership):
    using.promote(make_training(workspace), by=member)

    assert using.folder_of(make_workspace()) is None


def test_rolling_back_goes_one_step_at_a_time(workspace: Workspace, member: Membership):
    first, second = make_training(workspace), make_training(workspace)
    using.promote(first, by=member)
    using.promote(second, by=member)

    assert using.roll_back(workspace, by=member) == first
    assert using.folder_of(workspace) == first.folder
    assert using.roll_back(workspace, by=member) is None
    with pytest.raises(using.CannotUse, match="shipped model is in use"):
        using.roll_back(workspace, by=member)


def test_a_candidate_whose_files_are_gone_cannot_be_used(workspace: Workspace, member: Membership):
    lost = make_training(workspace)
    shutil.rmtree(lost.folder)

    with pytest.raises(using.CannotUse, match="train a new one"):
        using.promote(lost, by=member)
    assert using.folder_of(workspace) is None


def test_damaged_files_cost_nobody_a_message(workspace: Workspace, member: Membership, caplog):
    own = make_training(workspace)
    using.promote(own, by=member)
    (own.folder / "config.cfg").write_text("broken")

    assert read_by(workspace) == SHIPPED_VERSION
    assert "own pipeline failed" in caplog.text


def test_the_database_knows_one_pipeline_in_use_and_one_training_at_a_time(workspace: Workspace, member: Membership):
    using.promote(make_training(workspace), by=member)
    make_training(workspace, state="running")
    for facts in ({"promoted_at": "2026-01-01T00:00Z", "state": "done"}, {"state": "waiting"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Training(workspace=workspace, **facts).save()


def test_a_better_candidate_is_put_to_use(workspace: Workspace):
    better = make_training(workspace)

    training._use_if_better(better)

    assert Training.objects.in_use() == better


@pytest.mark.parametrize(
    "facts",
    [
        {"candidate": {"corrections": 0.2}},  # not more is right
        {"candidate": {"corrections": 0.1}},
        {"fell": ["sales"]},  # a function fell
    ],
)
def test_a_candidate_that_is_not_better_is_kept_and_not_used(workspace: Workspace, member: Membership, facts):
    used = make_training(workspace)
    using.promote(used, by=member)

    training._use_if_better(make_training(workspace, compared_with=used, **facts))

    assert Training.objects.in_use() == used


def test_what_may_teach_no_more_is_unlearnt_even_if_nothing_is_better(workspace: Workspace, member: Membership):
    used = make_training(workspace, taught=["a", "b"])
    using.promote(used, by=member)

    training._use_if_better(make_training(workspace, taught=["a"], candidate={"corrections": 0.0}))

    assert Training.objects.in_use() is None


def test_old_candidates_lose_their_files_but_not_the_one_in_use(workspace: Workspace, member: Membership):
    used = make_training(workspace)
    using.promote(used, by=member)
    later = [make_training(workspace) for _ in range(using.KEPT + 1)]

    using.drop_old_files(workspace)

    assert used.can_be_used
    assert [one.can_be_used for one in later] == [False] + [True] * using.KEPT


def test_one_command_rolls_back(workspace: Workspace, member: Membership, capsys):
    using.promote(make_training(workspace), by=member)

    call_command("retrain", "--rollback")

    assert "shipped model" in capsys.readouterr().out
    assert using.folder_of(workspace) is None
    with pytest.raises(CommandError, match="nothing before it"):
        call_command("retrain", "--rollback")


def test_the_command_asks_which_workspace(workspace: Workspace):
    make_workspace(name="Other")

    with pytest.raises(CommandError, match=r"Name one workspace.*Lumen, Other"):
        call_command("retrain")
    with pytest.raises(CommandError, match="Name one workspace"):
        call_command("retrain", "--workspace", "Nobody")


def test_nothing_to_learn_from_is_no_training(workspace: Workspace):
    with pytest.raises(CommandError, match="allow messages to teach"):
        call_command("retrain")
    assert not Training.objects.exists()


def test_two_trainings_at_once_are_refused(workspace: Workspace, member: Membership):
    words.keep(by=member, name="queen trouble", function="support", phrases=["dead queen"], examples=[], word=None)
    training.ask(workspace, by=member)

    with pytest.raises(training.CannotTrain, match="under way"):
        training.ask(workspace, by=member)


def test_a_training_whose_process_is_gone_makes_room_for_another(workspace: Workspace, member: Membership):
    words.keep(by=member, name="queen trouble", function="support", phrases=["dead queen"], examples=[], word=None)
    lost = training.ask(workspace, by=member)
    Training.objects.update(state="running", heard_at="2026-01-01T00:00Z")

    training.ask(workspace, by=member)

    lost.refresh_from_db()
    assert lost.state == "failed"
    assert "ended before" in lost.problem


def test_a_training_is_run_once(workspace: Workspace):
    running = make_training(workspace, state="running")

    assert training.run(running).step == 8
    assert Training.objects.get().state == "running"


def test_what_goes_wrong_is_kept_on_the_row(workspace: Workspace, member: Membership, monkeypatch):
    words.keep(by=member, name="queen trouble", function="support", phrases=["dead queen"], examples=[], word=None)
    asked = training.ask(workspace, by=member)
    monkeypatch.setattr("nlp.retraining.STANDING", asked.folder / "nothing")

    with pytest.raises(FileNotFoundError):
        training.run(asked)

    asked.refresh_from_db()
    assert (asked.state, asked.problem) == ("failed", "FileNotFoundError")
    assert training.ask(workspace, by=member).state == "waiting"
