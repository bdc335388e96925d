"""What the tests of learning need: trainings without training, and corrections."""

import json
import shutil
from pathlib import Path
from typing import Any

from conversations import desk
from conversations.models import Correction, Message, Training
from crm.models import Membership, Workspace
from nlp.assembly import SHIPPED

SHIPPED_VERSION: str = json.loads((SHIPPED / "meta.json").read_text(encoding="utf-8"))["version"]


def make_training(workspace: Workspace, **facts: Any) -> Training:
    """A candidate that was trained, with its files: the shipped pipeline under the candidate's version."""
    known = {"state": "done", "lessons": 3, "fresh": 3, "step": 8, "steps": 8, **facts}
    known.setdefault("current", {"corrections": 0.2, "support": 0.97})
    known.setdefault("candidate", {"corrections": 0.8, "support": 0.97})
    training = Training(workspace=workspace, **known)
    training.save()
    training.version = training.version or f"{SHIPPED_VERSION}+{training.pk}"
    training.save()
    shutil.copytree(SHIPPED, training.folder)
    _name(training.folder / "meta.json", training.version)
    return training


def _name(meta: Path, version: str) -> None:
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "version": version}))


def correct(message: Message, by: Membership, *functions: str, intent: str = "", sentiment: int = 0) -> Correction:
    said = desk.correct(message, by=by, functions=list(functions), intent=intent, sentiment=sentiment)
    assert said is not None
    return said
