"""Loads the demo by the functions that real messages use, so that it looks like what it shows."""

import time
from decimal import Decimal
from typing import Any

import nlp
from conversations import desk, outbound, reading
from conversations.inbound import receive_message
from conversations.models import Conversation, Inbox, RoutedRecord
from conversations.normalized import FirstTouch, InboundMessage, Sender
from crm.sales import deals
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace
from project.demo import scenes, shop
from project.demo.scenes import Scene, Step


def load_demo(workspace: Workspace, out: Any) -> None:
    """The workspace holds the shop's people and conversations; all of them, or nothing when it fails."""
    began = time.monotonic()
    out.write("Loading the demo shop: its messages are read by the local pipeline, which takes a few seconds …")
    shop.describe(workspace)
    steps = scenes.in_order(scenes.read(), clock.now())
    triages = _read(workspace, steps, out)
    with change(workspace, cause="demo") as event:
        shop.plan_campaigns(workspace)
        play = Play(shop.open_inboxes(workspace), shop.staff(event))
        for step, triage in zip(steps, triages, strict=True):
            play.step(step, triage)
    out.write(f"Loaded {len(play.conversations)} conversations in {time.monotonic() - began:.1f} s.")


def _read(workspace: Workspace, steps: list[Step], out: Any) -> list[nlp.Triage | None]:
    """A triage per step, in one batch; None where nobody wrote to us or the pipeline is not there."""
    try:
        nlp.load()
    except OSError as error:
        out.write(f"The pipeline cannot be loaded, so the demo waits to be read: {error}")
    heard = [place for place, step in enumerate(steps) if step.turn.who == "customer"]
    texts = [(steps[place].turn.text, steps[place].scene.said_before(steps[place].index)) for place in heard]
    triages: list[nlp.Triage | None] = [None] * len(steps)
    for place, triage in zip(heard, reading.read(workspace, texts), strict=True):
        triages[place] = triage
    return triages


def _sender(scene: Scene) -> Sender:
    """Telegram vouches for who writes; on the web chat anybody may give any name."""
    facts: dict[str, Any] = {"name": scene.name, "username": scene.username, "language": scene.language[:2]}
    return Sender(f"demo-{scene.key}", verified=scene.channel == "telegram", **facts)


class Play:
    """The scenes as they go on: who is in them and the conversation each has become."""

    def __init__(self, inboxes: dict[str, Inbox], colleagues: dict[str, Membership]) -> None:
        self.inboxes = inboxes
        self.colleagues = colleagues
        self.conversations: dict[str, Conversation] = {}

    def step(self, step: Step, triage: nlp.Triage | None) -> None:
        """One turn happens; after a scene's last turn comes what it led to."""
        if step.turn.who == "customer":
            self._hear(step, triage)
        else:
            self._say(step)
        if step.index == len(step.scene.turns) - 1:
            self._end(step)

    def _hear(self, step: Step, triage: nlp.Triage | None) -> None:
        scene = step.scene
        sender = _sender(scene)
        came = FirstTouch(utm_source="newsletter", utm_campaign=scene.campaign) if scene.campaign else FirstTouch()
        inbound = InboundMessage(
            f"{scene.key}-{step.index}", scene.key, sender, step.turn.text, step.at, first_touch=came
        )
        message = receive_message(self.inboxes[scene.channel], inbound, triage=triage, at=step.at)
        if message is not None:
            self.conversations[scene.key] = message.conversation

    def _say(self, step: Step) -> None:
        conversation, author = self.conversations[step.scene.key], self.colleagues[step.scene.colleague]
        verb = desk.write_note if step.turn.who == "note" else outbound.queue_reply
        verb(conversation, author, step.turn.text, client_id=f"{step.scene.key}-{step.index}", at=step.at)

    def _end(self, step: Step) -> None:
        scene = step.scene
        if not scene.colleague:
            return
        conversation, member = self.conversations[scene.key], self.colleagues[scene.colleague]
        desk.assign(conversation, member, by=member, at=step.at)
        if scene.amount:
            self._make_deal(conversation, scene, step)
        if scene.is_resolved:
            desk.resolve(conversation, by=member, at=step.at)

    def _make_deal(self, conversation: Conversation, scene: Scene, step: Step) -> None:
        """The lead that the conversation opened becomes an opportunity; nothing when triage saw no lead."""
        member = self.colleagues[scene.colleague]
        link = RoutedRecord.objects.filter(conversation=conversation, lead__status="open").first()
        opportunity = deals.qualify(link.lead, by=member, at=step.at) if link else None
        if opportunity is None:
            return
        deals.price(opportunity, Decimal(scene.amount), "EUR", by=member, at=step.at)
        if scene.is_won:
            deals.win(opportunity, by=member, at=step.at)
