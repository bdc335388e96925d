"""Which pipeline reads a workspace's messages: the shipped one, or one that was trained for it.

The row is the truth, and every reading asks for it: a process needs no restart to read with another one.
"""

import shutil
from pathlib import Path

from django.utils.translation import gettext as _
from django_scopes import scope

from conversations.errors import ConversationError
from conversations.models import Training
from crm.workspace import clock
from crm.workspace.events import Change, change
from crm.workspace.models import Membership, Workspace

KEPT = 6  # newest candidates whose files are kept beside the one in use, a few megabytes each


class CannotUse(ConversationError):
    """Says why."""


def folder_of(workspace: Workspace) -> Path | None:
    """Where the workspace's own pipeline lies; None: the shipped one reads."""
    with scope(workspace=workspace):
        used = Training.objects.in_use()
    return used.folder if used is not None and used.folder.is_dir() else None


def promote(training: Training, *, by: Membership | None, cause: str = "page") -> Training:
    """Its pipeline reads the workspace's messages from now on. Raises CannotUse when it was not kept."""
    if not training.can_be_used:
        raise CannotUse(_("The files of this model are not kept any more: train a new one."))
    with change(training.workspace, actor=by, cause=cause) as event:
        used = _locked(training.workspace)
        if used is not None and used.pk == training.pk:
            return training
        _retire(used)
        training.replaced, training.promoted_at, training.retired_at = used, clock.now(), None
        training.save(update_fields=["replaced", "promoted_at", "retired_at"])
        _record(event, "model.promoted", training, used, training)
    return training


def roll_back(workspace: Workspace, *, by: Membership | None, cause: str = "page") -> Training | None:
    """The pipeline that was in use before reads again; returns it, None for the shipped one.

    Raises CannotUse when the shipped one is in use already.
    """
    with change(workspace, actor=by, cause=cause) as event:
        used = _locked(workspace)
        if used is None:
            raise CannotUse(_("The shipped model is in use: there is nothing before it."))
        before = used.replaced if used.replaced is not None and used.replaced.can_be_used else None
        _retire(used)
        if before is not None:
            before.retired_at = None
            before.save(update_fields=["retired_at"])
        _record(event, "model.rolled_back", used, used, before)
    return before


def use_shipped(workspace: Workspace, *, by: Membership | None, cause: str = "page") -> None:
    """The shipped pipeline reads the workspace's messages from now on."""
    with change(workspace, actor=by, cause=cause) as event:
        used = _locked(workspace)
        if used is not None:
            _retire(used)
            _record(event, "model.rolled_back", used, used, None)


def drop_old_files(workspace: Workspace) -> None:
    """Candidates that nobody used for long lose their files. Their rows and figures stay."""
    with scope(workspace=workspace):
        used = Training.objects.in_use()
        kept = set(Training.objects.filter(state=Training.State.DONE).values_list("pk", flat=True)[:KEPT])
        kept |= {used.pk, used.replaced_id} if used is not None else set()
        for training in Training.objects.exclude(pk__in=kept).exclude(state__in=Training.UNFINISHED):
            shutil.rmtree(training.folder, ignore_errors=True)


def _locked(workspace: Workspace) -> Training | None:
    """The one in use; who changes that waits for who does so already."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    used: Training | None = Training.objects.select_related("replaced").in_use()
    return used


def _retire(used: Training | None) -> None:
    if used is not None:
        used.retired_at = clock.now()
        used.save(update_fields=["retired_at"])


def _record(event: Change, verb: str, subject: Training, before: Training | None, after: Training | None) -> None:
    event.record(verb, subject, changed={"model": [before and before.version, after and after.version]})
