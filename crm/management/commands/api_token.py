"""`manage.py api_token EMAIL`: a new token for the API, printed alone. It cannot be shown again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.workspace import tokens
from crm.workspace.middleware import membership_of
from crm.workspace.models import Agent


class Command(BaseCommand):
    help = "Make a token for the API that acts as an agent, and print it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--scopes", nargs="+", default=list(tokens.SCOPES), choices=tokens.SCOPES)
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, email: str, scopes: list[str], name: str, **options: Any) -> None:
        agent = Agent.objects.filter(email=email.strip().lower(), is_active=True).first()
        member = membership_of(agent) if agent is not None else None
        if member is None:
            raise CommandError(f"No agent of a workspace signs in with {email}: make one with create_agent.")
        _token, key = tokens.make(member, name=name, scopes=scopes)
        self.stdout.write(key)
