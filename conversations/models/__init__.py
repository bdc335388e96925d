"""The tables of the hub: what was said, who answers, what it was understood to be."""

from conversations.models.delivery import Delivery
from conversations.models.flow import Flow
from conversations.models.inbox import Inbox
from conversations.models.learning import OwnWord, Training
from conversations.models.message import AlbumPart, File, Message, Note, Reaction, Revision
from conversations.models.template import Template
from conversations.models.thread import Conversation, Thread
from conversations.models.understanding import Correction, Route, RoutedRecord, Triage
from conversations.webhooks.models import WebhookDelivery, WebhookSubscription

__all__ = [
    "AlbumPart",
    "Conversation",
    "Correction",
    "Delivery",
    "File",
    "Flow",
    "Inbox",
    "Message",
    "Note",
    "OwnWord",
    "Reaction",
    "Revision",
    "Route",
    "RoutedRecord",
    "Template",
    "Thread",
    "Training",
    "Triage",
    "WebhookDelivery",
    "WebhookSubscription",
]
