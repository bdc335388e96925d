"""The kinds of events that a subscriber may ask for, by what they happen to, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PING = "webhook.pinged"  # a test of one subscription: told to it alone

# noun (see `term`): kind of event: what happened to it
KINDS: dict[str, dict[str, Promise]] = {
    "message": {
        "message.received": _("came in"),
        "message.edited": _("was changed"),
        "message.deleted": _("was taken back"),
        "message.reacted": _("got a reaction"),
        "act.queued": _("is changed, deleted or reacted to by us"),
        "message.routed": _("was understood and routed"),
        "triage.corrected": _("was understood wrongly, and corrected"),
        "file.ready": _("has a file that can be opened"),
    },
    "reply": {
        "reply.queued": _("was written"),
        "delivery.changed": _("was sent, delivered, read or refused"),
    },
    "conversation": {
        "conversation.opened": _("was opened"),
        "conversation.assigned": _("was given to somebody"),
        "conversation.read": _("was read"),
        "conversation.resolved": _("was resolved"),
        "conversation.reopened": _("was opened again"),
        "note.written": _("got a note"),
    },
    "ticket": {
        "ticket.opened": _("was opened"),
        "ticket.closed": _("was solved"),
        "ticket.reopened": _("was opened again"),
    },
    "lead": {
        "lead.opened": _("was opened"),
        "lead.closed": _("was closed"),
        "lead.reopened": _("was opened again"),
    },
    "opportunity": {
        "opportunity.opened": _("was opened"),
        "opportunity.priced": _("was given an amount"),
        "opportunity.won": _("was won"),
        "opportunity.lost": _("was lost"),
        "opportunity.reopened": _("was opened again"),
    },
    "campaign": {
        "campaign_response.opened": _("got an answer"),
        "campaign_response.closed": _("has an answer that is closed"),
    },
    "customer": {
        "consent.withdrawn": _("withdrew a consent"),
        "identity.moved": _("has another address"),
    },
    "inbox": {
        "inbox.lost": _("lost its connection"),
        "inbox.mended": _("is connected again"),
        "inbox.changed": _("was paused or resumed"),
        "delivery.parked": _("got something that could not be read"),
    },
}
EVERY = frozenset(verb for verbs in KINDS.values() for verb in verbs)
