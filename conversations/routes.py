"""Carrying out a routing decision: records are opened or joined, linked to the conversation, and the reason is kept."""

from datetime import datetime

import nlp
from conversations import mood, routing
from conversations.models import Conversation, Message, Route, RoutedRecord, Triage
from conversations.text import snippet
from crm import records
from crm.consent.models import Consent
from crm.workspace.events import Change
from crm.workspace.models import Membership

LINKED = ("ticket", "lead", "opportunity", "campaign_response")


def keep_triage(event: Change, message: Message, read: nlp.Triage, at: datetime) -> Triage:
    """Keep what was read in a message; what was read before its words came, in an album, is no more."""
    known = getattr(message, "triage", None)
    triage = known or Triage(workspace=event.workspace, message=message)
    triage.at = at
    triage.function, triage.confidence, triage.intent = read.function, read.confidence, read.intent
    triage.functions = [list(pair) for pair in read.functions]
    triage.sentiment, triage.sentiment_score = read.sentiment, read.sentiment_score
    triage.urgency, triage.language = read.urgency, read.language
    triage.entities = [list(pair) for pair in read.entities]
    triage.because, triage.model_version = list(read.because), read.model_version
    if known is None:
        event.add(triage)
    else:
        event.touch(triage, *(field.name for field in Triage._meta.concrete_fields if not field.primary_key))
    return triage


def show_on(conversation: Conversation, triage: Triage) -> None:
    """Write what was read down onto the conversation and its customer. The caller saves both."""
    conversation.mood = mood.after(conversation.mood, triage.sentiment_score)
    conversation.customer.mood = mood.after(conversation.customer.mood, triage.sentiment_score)
    conversation.urgency = max(conversation.urgency, triage.urgency)
    if triage.language != "und":
        conversation.language = triage.language
        conversation.customer.language = conversation.customer.language or triage.language


def open_links(*conversations: Conversation) -> list[RoutedRecord]:
    """The conversations' links to records that are still under way."""
    links = RoutedRecord.objects.filter(conversation__in=conversations).select_related(*LINKED)
    return [link for link in links if records.is_under_way(link.record)]


def open_functions(*conversations: Conversation) -> dict[int, set[str]]:
    """By conversation: the functions that have a record under way in it."""
    found: dict[int, set[str]] = {conversation.pk: set() for conversation in conversations}
    for link in open_links(*conversations) if conversations else ():
        found[link.conversation_id].add(link.record.function)
    return found


def route_by_policy(event: Change, message: Message, triage: Triage, taken: set[str], at: datetime) -> Route:
    """Decide by the workspace's policy and carry it out. The caller saves the conversation.

    `taken`: the functions that have a record under way in the conversation; those it opens are added.
    """
    workspace = event.workspace
    state = routing.State(frozenset(taken))
    policy = routing.Policy(workspace.triage_threshold, frozenset(workspace.functions))
    reading = routing.Reading(triage.function, triage.confidence, [(name, sure) for name, sure in triage.functions])
    decision = routing.decide(reading, state, policy)
    route = Route(
        decider="policy", confidence=triage.confidence, because=triage.because, model_version=triage.model_version
    )
    taken.update(decision.opens)
    return carry_out(event, message, decision, route, intent=triage.intent, at=at)


def route_by_agent(
    event: Change, message: Message, functions: list[str], *, intent: str, member: Membership, at: datetime
) -> Route:
    """Carry out what an agent said a message is about: no functions means that it needs no record."""
    taken = open_functions(message.conversation)[message.conversation.pk]
    decision = routing.settle(functions, routing.State(frozenset(taken)))
    route = Route(decider="agent", member=member, confidence=1.0)
    return carry_out(event, message, decision, route, intent=intent, at=at)


def carry_out(
    event: Change, message: Message, decision: routing.Decision, route: Route, *, intent: str, at: datetime
) -> Route:
    """Open and link what was decided, mark the conversation, and keep the route with its reason."""
    workspace, conversation = event.workspace, message.conversation
    for function in decision.opens:
        title = snippet(message.text, 120) or conversation.inbox.name
        matter = records.Matter(title, intent, conversation.urgency)
        record = records.open_record(event, function, conversation.customer, matter, at)
        _link(event, message, record, at)
    _mark(conversation, decision, intent)
    if decision.functions[:1] == ("marketing",) and intent == "unsubscribe":
        _withdraw_consent(event, message, at)
    route.workspace, route.conversation, route.message = workspace, conversation, message
    route.outcome, route.functions = decision.outcome, list(decision.functions)
    route.threshold, route.policy_version, route.at = workspace.triage_threshold, workspace.policy_version, at
    event.add(route)
    event.record(
        "message.routed",
        message,
        customer=conversation.customer,
        conversation=conversation,
        changed={"outcome": [None, decision.outcome], "functions": [None, list(decision.functions)]},
        at=at,
    )
    return route


def _link(event: Change, message: Message, record: records.Record, at: datetime) -> None:
    link = RoutedRecord(workspace=event.workspace, conversation=message.conversation, message=message, at=at)
    setattr(link, records.kind_of(record), record)
    event.add(link)


def _mark(conversation: Conversation, decision: routing.Decision, intent: str) -> None:
    if decision.outcome == "person":
        conversation.needs_person = not conversation.function
    if decision.opens or (decision.functions and not conversation.function):
        conversation.function, conversation.intent = decision.functions[0], intent
        conversation.needs_person = False


def _withdraw_consent(event: Change, message: Message, at: datetime) -> None:
    conversation = message.conversation
    event.store()  # the message has a key from here on
    consent = Consent(workspace=event.workspace, customer=conversation.customer, purpose="marketing", given=False)
    consent.kind, consent.at = conversation.inbox.channel, at
    consent.wording, consent.source = snippet(message.text, 400), f"message {message.pk}"
    event.add(consent)
    event.record("consent.withdrawn", consent, customer=conversation.customer, conversation=conversation, at=at)
