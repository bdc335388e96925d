"""Training a candidate: asked for by a person, done by a process of its own, and used when it is better.

A training takes up to a minute of a whole core and some 300 MB, so the page's process never does it: a child does, at
low priority, and gives both back. The row says how far it is; a child that dies leaves a row that says so.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import spacy
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django_scopes import scope

import nlp
from conversations.errors import ConversationError
from conversations.learning import using
from conversations.learning.lessons import Lessons, lessons
from conversations.models import Training
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace

logger = logging.getLogger(__name__)
SILENT_FOR = timedelta(minutes=10)  # without a sign of life: its process is gone
Say = Callable[[Training], None]


class CannotTrain(ConversationError):
    """Says what is missing."""


def ask(workspace: Workspace, *, by: Membership | None, cause: str = "page") -> Training:
    """A training that waits to be run. Raises CannotTrain when there is nothing to learn from, or one is under way."""
    with scope(workspace=workspace):
        give_up_silent()
        taught, used = lessons(workspace), Training.objects.in_use()
        if not taught.number:
            raise CannotTrain(_nothing(workspace))
        if used is not None and _keys(taught) == set(used.taught):
            raise CannotTrain(_("There is nothing new to learn since the model in use was trained."))
    try:
        with change(workspace, actor=by, cause=cause) as event, transaction.atomic():
            training = Training(workspace=workspace, member=by)
            training.save()
            event.record("training.asked", training)
    except IntegrityError as error:
        raise CannotTrain(_("A training is under way already.")) from error
    return training


def _nothing(workspace: Workspace) -> str:
    if not workspace.teaches_since:
        return _("There is nothing to learn from: allow messages to teach, or add an intent of your own.")
    return _("There is nothing to learn from yet: correct a message, label some, or add an intent of your own.")


def run(training: Training, say: Say = lambda training: None) -> Training:
    """The candidate is trained and compared, and in use if it is better. What goes wrong is kept on the row."""
    with scope(workspace=training.workspace):
        taken = Training.objects.filter(pk=training.pk, state=Training.State.WAITING)
        if not taken.update(state=Training.State.RUNNING, started_at=clock.now(), heard_at=clock.now()):
            return training  # somebody else has it
        training.refresh_from_db()
        try:
            _train(training, lessons(training.workspace), say)
        except Exception as error:
            shutil.rmtree(training.folder, ignore_errors=True)
            give_up(training, str(error) if isinstance(error, nlp.BadLesson) else type(error).__name__)
            if not isinstance(error, nlp.BadLesson):
                raise
            return training
        _use_if_better(training)
    return training


def _train(training: Training, taught: Lessons, say: Say) -> None:
    from nlp.retraining import STEPS, keep, retrained  # loads spaCy and numpy

    def note(step: int) -> None:
        training.step, training.steps, training.heard_at = step, STEPS, clock.now()
        training.save(update_fields=["step", "steps", "heard_at"])
        say(training)

    note(0)
    keys = _keys(taught)
    used = Training.objects.in_use()
    if used is not None and (not used.can_be_used or set(used.taught) - keys):
        used = None  # it knows what nobody may teach it any more: the candidate has to beat the shipped one
    current = {"current": used.folder, "known": set(used.taught)} if used is not None else {}
    candidate, comparison = retrained(taught.corrections, taught.own, say=note, **current)
    training.shipped = str(candidate.meta["version"])
    training.version = f"{training.shipped}+{training.pk}"
    training.folder.parent.mkdir(parents=True, exist_ok=True)
    keep(candidate, training.folder, version=training.version)
    spacy.load(training.folder)  # what cannot be read again must not be used
    training.lessons, training.fresh, training.taught = taught.number, comparison.lessons, sorted(keys)
    training.current, training.candidate = comparison.current, comparison.candidate
    training.fell, training.compared_with = list(comparison.fell), used
    training.state, training.ended_at = Training.State.DONE, clock.now()
    training.save()


def _keys(taught: Lessons) -> set[str]:
    told = [*taught.corrections, *nlp.own_examples(taught.own), *nlp.own_phrases(taught.own)]
    return {nlp.lesson_key(one) for one in told}


def _use_if_better(training: Training) -> None:
    used = Training.objects.in_use()
    if training.has_learnt and not training.fell:
        using.promote(training, by=None, cause="training")
    elif used is not None and training.compared_with is None and set(used.taught) - set(training.taught):
        using.use_shipped(training.workspace, by=None, cause="training")
    using.drop_old_files(training.workspace)


def give_up(training: Training, problem: str) -> None:
    """It was not trained, and the row says why."""
    unfinished = Training.objects.filter(pk=training.pk, state__in=Training.UNFINISHED)
    unfinished.update(state=Training.State.FAILED, ended_at=clock.now(), problem=problem[:400])
    training.refresh_from_db()


def give_up_silent() -> None:
    """Trainings whose process is gone are given up, so that another can be asked for."""
    before = clock.now() - SILENT_FOR
    waiting = Training.objects.filter(state=Training.State.WAITING, asked_at__lt=before)
    running = Training.objects.filter(state=Training.State.RUNNING, heard_at__lt=before)
    for training in [*waiting, *running]:
        give_up(training, _("Its process ended before it was done."))


def start_child(training: Training) -> threading.Thread:
    """A process of its own trains it; a thread waits for its end. Returns the thread."""
    waiting = threading.Thread(target=_see_through, args=[training], name="training", daemon=True)
    waiting.start()
    return waiting


def _see_through(training: Training) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "retrain", "--training", str(training.pk)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment())  # noqa: S603  our own program
        if done.returncode:
            logger.error("a training failed", extra={"training": training.pk, "code": done.returncode})
            with scope(workspace=training.workspace):
                give_up(training, _("Its process ended before it was done."))
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(settings.DATA_DIR), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
