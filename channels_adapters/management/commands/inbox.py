"""`manage.py inbox KEY`: how an inbox goes; and what its settings page does, from the command line."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope, scopes_disabled

from channels_adapters import connections, health, removing
from channels_adapters.models import Connection
from channels_adapters.workers import platform_loop
from conversations.models import Inbox


class Command(BaseCommand):
    help = "Print an inbox's health as one line of JSON, after testing, pausing, resuming or removing it when asked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("inbox_key")
        verb = parser.add_mutually_exclusive_group()
        verb.add_argument("--check", action="store_true", help="test it live; a lost one that works goes live")
        verb.add_argument("--pause", action="store_true", help="take in and send nothing until it is resumed")
        verb.add_argument("--resume", action="store_true", help="go on")
        verb.add_argument("--remove", action="store_true", help="delete its secrets; what was said stays readable")

    def handle(self, *args: Any, inbox_key: str, **options: Any) -> None:
        with scopes_disabled():
            connection = Connection.objects.select_related("inbox__workspace").filter(inbox__key=inbox_key).first()
        if connection is None:
            raise CommandError(f"There is no inbox with the key {inbox_key!r}.")
        with scope(workspace=connection.inbox.workspace):
            self.stdout.write(json.dumps(_done(connection.inbox, options)))
        connections.forget()
        platform_loop.stop()


def _done(inbox: Inbox, options: dict[str, Any]) -> dict[str, Any]:
    if options["remove"]:
        after = removing.consequences(inbox)
        removing.remove(inbox, by=None)
        return {"inbox": inbox.pk, "state": inbox.state, "open_conversations": after.open_conversations}
    wanted = {"pause": Inbox.State.PAUSED, "resume": Inbox.State.LIVE}
    for name, state in wanted.items():
        if options[name] and not connections.set_state(inbox, state):
            raise CommandError(f"It is {inbox.get_state_display()}: test it with --check.")
    if options["check"]:
        connections.check(inbox)
    connection = Connection.objects.select_related("inbox").get(inbox=inbox)
    found = health.of(connection)
    times = {name: getattr(connection, name) for name in ("last_in_at", "last_out_at", "checked_at")}
    return {
        "inbox": inbox.pk,
        "name": connection.inbox.name,
        "channel": connection.inbox.channel,
        "state": connection.inbox.state,
        "problems": found.problems,
        "failed": found.failed,
        "parked": found.parked,
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }
