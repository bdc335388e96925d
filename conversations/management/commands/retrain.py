"""`manage.py retrain [--workspace NAME]`: teach triage what a workspace corrected. `--rollback`: take that back."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scopes_disabled

from conversations.errors import ConversationError
from conversations.learning import training, using
from conversations.learning.verdict import words_of
from conversations.models import Training
from crm.workspace.models import Workspace


class Command(BaseCommand):
    help = "Train a candidate from a workspace's corrections and own words, and use it if it is better."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", default="", help="its name; may be left out when there is one")
        parser.add_argument("--rollback", action="store_true", help="use the model that was in use before")
        parser.add_argument("--training", type=int, help="run this training, which a page asked for")

    def handle(self, *args: Any, workspace: str, rollback: bool, **options: Any) -> None:
        try:
            if options["training"]:
                os.nice(10)  # customers come first
                with scopes_disabled():
                    asked = Training.objects.select_related("workspace").get(pk=options["training"])
                training.run(asked)
            elif rollback:
                before = using.roll_back(_named(workspace), by=None, cause="retrain --rollback")
                self.stdout.write(f"In use: {before.version if before else 'the shipped model'}.")
            else:
                self._train(_named(workspace))
        except ConversationError as error:
            raise CommandError(str(error)) from error

    def _train(self, workspace: Workspace) -> None:
        asked = training.ask(workspace, by=None, cause="retrain")
        trained = training.run(asked, self._say)
        if trained.state == Training.State.FAILED:
            raise CommandError(trained.problem)
        for name in trained.candidate:
            self.stdout.write(f"{name:20} {trained.current[name]:6.3f} -> {trained.candidate[name]:.3f}")
        self.stdout.write(words_of(trained))

    def _say(self, trained: Training) -> None:
        end = "\n" if trained.step == trained.steps or not sys.stderr.isatty() else "\r"
        self.stderr.write(f"training: step {trained.step} of {trained.steps}", ending=end)


def _named(name: str) -> Workspace:
    found = list(Workspace.objects.filter(name=name) if name else Workspace.objects.all()[:2])
    if len(found) != 1:
        known = ", ".join(Workspace.objects.values_list("name", flat=True)[:20])
        raise CommandError(f"Name one workspace with --workspace: {known or 'there is none yet'}.")
    return found[0]
