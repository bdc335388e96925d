"""`manage.py hold`: after a restore, before the start. `--release` when what waits has been looked at."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django_scopes import scopes_disabled

from conversations.models import Delivery, Inbox
from crm.workspace.events import change


class Command(BaseCommand):
    help = "Pause every live inbox, so that nothing is taken in or sent; prints what would be sent. --release ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--release", action="store_true", help="paused inboxes are live again")

    def handle(self, *args: Any, release: bool, **options: Any) -> None:
        before, after = (Inbox.State.PAUSED, Inbox.State.LIVE) if release else (Inbox.State.LIVE, Inbox.State.PAUSED)
        with scopes_disabled():
            inboxes = list(Inbox.objects.filter(state=before).select_related("workspace").order_by("pk"))
        for inbox in inboxes:
            with change(inbox.workspace, cause="hold") as event:
                inbox.state = after
                inbox.save(update_fields=["state"])
                event.record("inbox.changed", inbox, changed={"state": [before, after]})
                waiting = Delivery.objects.filter(thread__inbox=inbox, state__in=Delivery.OPEN_STATES).count()
            self.stdout.write(f"{inbox.name} ({inbox.channel}): {after}, {waiting} to send")
