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
        "message.hidden": _("was hidden from the public"),
        "message.shown": _("was shown to the public again"),
        "message.liked": _("was liked by us"),
        "message.unliked": _("is liked by us no more"),
        "message.routed": _("was understood and routed"),
        "triage.corrected": _("was understood wrongly, and corrected"),
        "triage.labelled": _("was labelled, to learn from"),
        "file.ready": _("has a file that can be opened"),
    },
    "reply": {
        "reply.queued": _("was written"),
        "act.queued": _("is to be changed, taken back or reacted to"),
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
    "inbox": {
        "inbox.lost": _("was shut out by its platform"),
        "inbox.mended": _("was connected again"),
        "inbox.templates_listed": _("has its templates listed anew"),
        "inbox.changed": _("was paused or resumed"),
        "delivery.parked": _("got something that could not be read"),
    },
    "triage": {
        "settings.changed": _("got another threshold, or may learn or not"),
        "own_word.kept": _("was given a word of your own"),
        "own_word.removed": _("is to forget a word of your own"),
        "training.asked": _("is to be trained"),
        "model.promoted": _("reads with a newly trained model"),
        "model.rolled_back": _("reads with an earlier model again"),
    },
    "customer": {
        "consent.given": _("gave a consent"),
        "customer.named": _("goes by another name"),
        "identity.moved": _("got another address"),
        "consent.withdrawn": _("withdrew a consent"),
    },
}
EVERY = frozenset(verb for verbs in KINDS.values() for verb in verbs)
