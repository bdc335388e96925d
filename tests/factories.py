"""Functions that make what a test needs, with overrides. No shared world."""

import itertools
from datetime import datetime
from typing import Any

import nlp
from conversations.inbound import receive_message
from conversations.models import Conversation, Inbox, Message
from conversations.normalized import InboundMessage, Sender
from crm.models import Agent, Membership, Workspace
from crm.workspace import clock
from crm.workspace.models import Role

_numbers = itertools.count(1)
PASSWORD = "a-long-password"


def make_workspace(**facts: Any) -> Workspace:
    return Workspace.objects.create(**{"name": "Lumen", **facts})


def make_member(
    workspace: Workspace | None = None, *, role: str = Role.AGENT, name: str = "Marek", **facts: Any
) -> Membership:
    agent = Agent.objects.create_agent(facts.pop("email", f"agent{next(_numbers)}@example.org"), PASSWORD, name)
    member = Membership(workspace=workspace or make_workspace(), agent=agent, role=role, **facts)
    member.save()
    return member


def make_inbox(workspace: Workspace | None = None, **facts: Any) -> Inbox:
    known = {"channel": "telegram", "name": "Shop bot", "state": Inbox.State.LIVE, **facts}
    inbox = Inbox(workspace=workspace or make_workspace(), **known)
    inbox.save()
    return inbox


def a_sender(**facts: Any) -> Sender:
    return Sender(**{"address": "77", "name": "Ada Lind", "username": "adalind", **facts})


def an_inbound(text: str = "Where is my order?", **facts: Any) -> InboundMessage:
    at: datetime = facts.pop("at", None) or clock.now()
    sender = facts.pop("sender", None) or a_sender()
    known = {"external_id": f"m{next(_numbers)}", "thread_id": sender.address, **facts}
    return InboundMessage(sender=sender, text=text, at=at, **known)


def a_triage(function: str = "support", **facts: Any) -> nlp.Triage:
    confidence = facts.get("confidence", 0.94)
    known = {
        "function": function,
        "functions": () if function == "none" else ((function, confidence),),
        "intent": "order_status",
        "confidence": confidence,
        "sentiment": 0,
        "sentiment_score": 0.0,
        "urgency": 1,
        "language": "en",
        "entities": (),
        "because": ("order",),
        "model_version": "test",
        **facts,
    }
    return nlp.Triage(**known)


def make_message(inbox: Inbox | None = None, text: str = "Where is my order?", **facts: Any) -> Message:
    """A customer's message that was received. `triage` is None unless it is given."""
    triage = facts.pop("triage", None)
    message = receive_message(inbox or make_inbox(), an_inbound(text, **facts), triage=triage)
    assert message is not None
    return message


def make_conversation(inbox: Inbox | None = None, text: str = "Where is my order?", **facts: Any) -> Conversation:
    """A conversation with one message of a customer."""
    return make_message(inbox, text, **facts).conversation
