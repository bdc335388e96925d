"""The first minute: an empty database gets a workspace, a login and a web chat; then we say where everything is."""

import logging
import secrets
from typing import Any

from django.conf import settings
from django_scopes import scopes_disabled

from channels_adapters import connections
from conversations.models import Inbox
from crm.workspace.events import change
from crm.workspace.models import Agent, Membership, Role, Workspace

FIRST_EMAIL = "admin@example.org"
_KEPT = "first-login.txt"


def introduce(out: Any, *, demo: bool) -> None:
    """Make what an empty database lacks and print the address, the login and the chat page."""
    if not Workspace.objects.exists():
        _make_first(demo=demo, out=out)
    out.write(f"\nRapport is at   {settings.PUBLIC_URL}/")
    kept = settings.DATA_DIR / _KEPT
    if kept.exists():
        out.write(f"Sign in with    {kept.read_text().strip()}")
    else:
        out.write("Sign in with    your own login (manage.py create_agent makes one)")
    with scopes_disabled():
        chat = Inbox.objects.filter(channel="webchat", state=Inbox.State.LIVE).order_by("pk").first()
    if chat is not None:
        out.write(f"Demo shop       {settings.PUBLIC_URL}/demo/   (write there as a visitor)")
        out.write(f"Hosted chat     {settings.PUBLIC_URL}/chat/{chat.key}/")
    out.write("Stop with Ctrl+C.\n")


def _make_first(*, demo: bool, out: Any) -> None:
    workspace = Workspace.objects.create(name="Luz & Co." if demo else "Rapport")
    password = secrets.token_urlsafe(9)
    agent = Agent.objects.create_agent(FIRST_EMAIL, password, name="Marek Kowal" if demo else "Admin")
    with change(workspace, cause="first start") as event:
        member = Membership.objects.create(workspace=workspace, agent=agent, role=Role.OWNER)
        event.record("member.joined", member, changed={"role": [None, Role.OWNER]})
    connections.connect(workspace, "webchat", name="Web chat", given={})
    kept = settings.DATA_DIR / _KEPT
    kept.touch(mode=0o600)
    kept.write_text(f"{FIRST_EMAIL}  password  {password}\n")
    if demo:
        from project.demo import load_demo  # reads files and loads spaCy: only when asked

        logging.disable(logging.INFO)  # a line per message is for messages that come in
        load_demo(workspace, out)
        logging.disable(logging.NOTSET)
