"""The kinds of events that a subscriber may ask for, by what they are about, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PING = "webhook.pinged"  # a test of one subscription: told to it alone

KINDS: dict[str, Promise] = {
    "message.received": _("a customer wrote"),
    "message.edited": _("a customer changed a message"),
    "message.deleted": _("a customer took a message back"),
    "message.reacted": _("a customer reacted to a message"),
    "message.routed": _("a message was understood and routed"),
    "triage.corrected": _("an agent corrected what was understood"),
    "reply.queued": _("an agent answered"),
    "delivery.changed": _("a reply was sent, delivered, read or refused"),
    "note.written": _("a note was written"),
    "file.ready": _("a file can be opened"),
    "conversation.opened": _("a conversation was opened"),
    "conversation.assigned": _("a conversation was given to somebody"),
    "conversation.read": _("a conversation was read"),
    "conversation.resolved": _("a conversation was resolved"),
    "conversation.reopened": _("a conversation was opened again"),
    "ticket.opened": _("a ticket was opened"),
    "ticket.closed": _("a ticket was solved"),
    "ticket.reopened": _("a ticket was opened again"),
    "lead.opened": _("a lead was opened"),
    "lead.closed": _("a lead was closed"),
    "lead.reopened": _("a lead was opened again"),
    "opportunity.opened": _("an opportunity was opened"),
    "opportunity.priced": _("an opportunity was given an amount"),
    "opportunity.won": _("an opportunity was won"),
    "opportunity.lost": _("an opportunity was lost"),
    "opportunity.reopened": _("an opportunity was opened again"),
    "campaign_response.opened": _("somebody answered a campaign"),
    "campaign_response.closed": _("an answer to a campaign was closed"),
    "consent.withdrawn": _("a customer withdrew a consent"),
}
