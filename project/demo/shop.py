"""The shop behind the demo: what it sells, who works there, its inboxes and campaigns."""

from datetime import timedelta

from channels_adapters.registry import channels
from conversations.models import Inbox
from crm.marketing.models import Campaign
from crm.workspace import clock
from crm.workspace.events import Change
from crm.workspace.models import Agent, Membership, Role, Team, Workspace

PRODUCTS = ["Alba", "Luna", "Nido", "Faro", "Sol", "Brisa"]
LANGUAGES = ["en", "es", "de", "fr", "it", "nl", "pt"]
COLLEAGUES = {
    "ines": ("Ines Duarte", Role.MANAGER, ["Service"]),
    "jonas": ("Jonas Brandt", Role.AGENT, ["Service"]),
    "amara": ("Amara Diallo", Role.COMMUNITY_MANAGER, ["Brand"]),
}
TEAMS = {"Service": ["support", "sales"], "Brand": ["marketing"]}
CAMPAIGNS = {  # code: name, began so many days ago, ends in so many days
    "paper-light": ("Paper light weeks", 20, 10),
    "bright-corners": ("Bright corners, 20% off", 6, 0),
    "bring-a-friend": ("Bring a friend", 90, 270),
}
INBOXES = {"webchat": "Web chat (demo)", "telegram": "Telegram (demo)"}


def describe(workspace: Workspace) -> None:
    """The workspace knows its products, languages and time zone."""
    workspace.products, workspace.languages, workspace.time_zone = PRODUCTS, LANGUAGES, "Europe/Madrid"
    workspace.save(update_fields=["products", "languages", "time_zone"])


def staff(event: Change) -> dict[str, Membership]:
    """Who works here, by their key: Marek is whoever opened the workspace; nobody can sign in as the others."""
    teams = {name: Team(workspace=event.workspace, name=name, functions=serves) for name, serves in TEAMS.items()}
    for team in teams.values():
        team.save()
    owner: Membership | None = Membership.objects.filter(role=Role.OWNER).order_by("pk").first()
    members = {"marek": owner} if owner is not None else {}
    for key, (name, role, joined) in COLLEAGUES.items():
        agent = Agent.objects.create_agent(f"{key}.{event.workspace.pk}@luz.example", None, name)
        member = Membership(workspace=event.workspace, agent=agent, role=role)
        member.save()
        member.teams.set([teams[team] for team in joined])
        event.record("member.joined", member, changed={"role": [None, role]})
        members[key] = member
    members.setdefault("marek", members["jonas"])
    return members


def open_inboxes(workspace: Workspace) -> dict[str, Inbox]:
    """The demo inboxes by channel: they neither receive nor send."""
    made = {}
    for channel, name in INBOXES.items():
        inbox = Inbox(workspace=workspace, channel=channel, name=name, state=Inbox.State.DEMO)
        adapter = channels().get(channel)
        inbox.capabilities = adapter.capabilities.as_json() if adapter else {}
        inbox.save()
        made[channel] = inbox
    return made


def plan_campaigns(workspace: Workspace) -> None:
    now = clock.now()
    for code, (name, began, ends) in CAMPAIGNS.items():
        campaign = Campaign(workspace=workspace, name=name, code=code)
        campaign.starts_at, campaign.ends_at = now - timedelta(days=began), now + timedelta(days=ends)
        campaign.save()
