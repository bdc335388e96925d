"""`manage.py add_webhook EMAIL URL`: tell an address of events; prints the secret that verifies them, alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope

from conversations.webhooks.subscribing import TooManyWebhooks, subscribe
from crm.web.outgoing import NotAllowed
from crm.workspace import permissions
from crm.workspace.middleware import membership_of
from crm.workspace.models import Agent


class Command(BaseCommand):
    help = "Add a webhook. Only here can an address of a private network be allowed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="of the agent in whose workspace it is")
        parser.add_argument("url")
        parser.add_argument("--verbs", nargs="*", default=[], help="as message.received; all when left out")
        parser.add_argument("--allow-private", action="store_true", help="the address may be inside our own network")

    def handle(self, *args: Any, email: str, url: str, verbs: list[str], allow_private: bool, **options: Any) -> None:
        agent = Agent.objects.filter(email=email.strip().lower(), is_active=True).first()
        member = membership_of(agent) if agent is not None else None
        if member is None or not permissions.may(member, "settings.change"):
            raise CommandError(f"{email} is not an agent who may change settings: name an owner or an admin.")
        try:
            with scope(workspace=member.workspace):
                made = subscribe(url, verbs, by=member, may_be_private=allow_private)
        except (NotAllowed, TooManyWebhooks) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(made.secret)
