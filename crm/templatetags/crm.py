"""What the pages of people and records ask."""

from django import template
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.workspace.models import Event, Function

register = template.Library()

HAPPENED: dict[str, str | Promise] = {
    "opened": _("Opened"),
    "closed": _("Closed"),
    "reopened": _("Opened again"),
    "priced": _("Priced"),
    "won": _("Won"),
    "lost": _("Lost"),
}
NOUNS = {
    "ticket": "Ticket",
    "lead": "Lead",
    "opportunity": "Opportunity",
    "campaign_response": "Campaign response",
    "campaignresponse": "Campaign response",
}
STATES: dict[str, str | Promise] = {  # what a record can be closed as
    "closed": _("closed"),
    "solved": _("solved"),
    "qualified": _("qualified"),
    "disqualified": _("disqualified"),
    "void": _("opened by mistake"),
}


@register.filter
def happened(event: Event) -> str:
    """What was done, in a word or two: "Opened again"; for a closed record what became of it: "Solved"."""
    done = event.verb.partition(".")[2]
    if done == "closed" and "status" in event.changed:
        return capfirst(str(STATES.get(event.changed["status"][1], done)))
    return str(HAPPENED.get(done) or capfirst(done.replace("_", " ")))


@register.filter
def worth(event: Event) -> str:
    """The price that an event set: "59.00 EUR"; '' for any other event."""
    return str(event.changed["amount"][1]) if "amount" in event.changed else ""


@register.filter
def record_noun(kind: str) -> str:
    """Our noun for a kind of record, for `term`."""
    return NOUNS.get(kind, str(capfirst(kind.replace("_", " "))))


@register.filter
def spoken(name: str) -> str:
    """A name of ours in words: `order_status` is "order status"."""
    return name.replace("_", " ")


@register.filter
def in_words(function: str) -> str:
    """A function's name: "Support"."""
    return str(Function(function).label) if function in Function.values else ""
