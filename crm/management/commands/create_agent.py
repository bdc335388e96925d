"""`manage.py create_agent EMAIL --password P --role admin`: a login with a place in a workspace."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_scopes import scope

from crm.workspace.events import change
from crm.workspace.models import Agent, Membership, Role, Workspace


class Command(BaseCommand):
    help = "Create an agent, or give one that exists a new password or role."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", required=True)
        parser.add_argument("--role", default=Role.AGENT, choices=Role.values)
        parser.add_argument("--name", default="")
        parser.add_argument("--workspace", default="", help="its name; the first one when left out")

    def handle(
        self, *args: Any, email: str, password: str, role: str, name: str, workspace: str, **options: Any
    ) -> None:
        if "@" not in email:
            raise CommandError(f"{email!r} is not an email address.")
        place = find_workspace(workspace)
        agent = Agent.objects.filter(email=email.strip().lower()).first()
        if agent is None:
            agent = Agent.objects.create_agent(email, password, name)
        else:
            agent.set_password(password)
            agent.save(update_fields=["password"])
        with change(place, cause="create_agent") as event, scope(workspace=place):
            member, _made = Membership.objects.update_or_create(
                workspace=place, agent=agent, defaults={"role": role, "left_at": None}
            )
            event.record("member.joined", member, changed={"role": [None, role]})
        self.stdout.write(f"{agent.email} is {role} of {place.name}.")


def find_workspace(name: str) -> Workspace:
    """The workspace of that name, the first one for '', made when there is none at all. Raises CommandError."""
    found = Workspace.objects.order_by("pk")
    if name:
        found = found.filter(name=name)
    workspace = found.first()
    if workspace is None and name:
        raise CommandError(f"There is no workspace named {name!r}.")
    return workspace or Workspace.objects.create(name="Rapport")
