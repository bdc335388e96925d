"""`manage.py connect CHANNEL --name N --set key=value ...`: an inbox on a channel, connected and tested."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_adapters import connections
from channels_adapters.registry import channels
from channels_adapters.workers import platform_loop
from crm.management.commands.create_agent import find_workspace


class Command(BaseCommand):
    help = "Connect a channel. Prints one line of JSON with inbox, key, hook_url and problems."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help=f"one of: {', '.join(sorted(channels()))}")
        parser.add_argument("--name", default="")
        parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="key=value")
        parser.add_argument("--workspace", default="")
        parser.add_argument("--explain", action="store_true", help="print the channel's settings and connect nothing")

    def handle(self, *args: Any, channel: str, name: str, workspace: str, **options: Any) -> None:
        if options["explain"]:
            self.stdout.write("\n".join(_explained(channel)))
            return
        place = find_workspace(workspace)
        try:
            inbox = connections.connect(place, channel, name=name or channel, given=_pairs(options["set"]))
        except connections.WrongSettings as error:
            raise CommandError(str(error)) from error
        found = connections.check(inbox)
        connections.forget()
        platform_loop.stop()
        answer = {
            "inbox": inbox.pk,
            "key": inbox.key,
            "hook_url": connections.hook_url(inbox),
            "problems": list(found.problems),
        }
        self.stdout.write(json.dumps(answer))


def _explained(channel: str) -> list[str]:
    """A line per setting: its key, whether it is needed, and where its value is found."""
    if channel not in channels():
        raise CommandError(f"There is no channel {channel!r}; there are: {', '.join(sorted(channels()))}.")
    form = channels()[channel].settings_form
    return [f"{one.key}{' (needed)' if one.required and not one.made else ''}: {one.help}" for one in form]


def _pairs(given: list[str]) -> dict[str, str]:
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise CommandError(f"--set takes key=value, not {wrong[0]!r}")
    return dict(pair.split("=", 1) for pair in given)
