"""What the inbox's templates ask about a message, a route or an event."""

from django import template
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import deliveries, intents, mood
from conversations.models import Correction, Delivery, Message, Route, Triage
from crm.workspace.models import Event, Function

register = template.Library()

STUCK = (Delivery.State.REFUSED, Delivery.State.DEAD, Delivery.State.UNCERTAIN)
FINDINGS_SHOWN = 2
FINDINGS = {
    "order_number": gettext_lazy("order"),
    "order": gettext_lazy("order"),
    "invoice_number": gettext_lazy("invoice"),
    "tracking_number": gettext_lazy("parcel"),
    "phone": gettext_lazy("phone"),
    "email": gettext_lazy("email"),
    "product": gettext_lazy("product"),
    "money": gettext_lazy("amount"),
    "date": gettext_lazy("date"),
}


@register.filter
def intent_label(intent: str) -> str:
    return intents.label(intent)


@register.filter
def function_label(function: str) -> str:
    if function in Function.values:
        return str(Function(function).label)
    return _("no record")


@register.filter
def functions_label(functions: list[str]) -> str:
    """As in a sentence: Support and Sales."""
    return get_text_list([function_label(function) for function in functions], _("and"))


@register.filter
def correction_of(route: Route) -> Correction | None:
    """What the agent said when they decided this route; None for one that policy decided."""
    if route.decider != "agent":
        return None
    said = route.message.corrections.all()
    return next((correction for correction in said if correction.at == route.at), None)


@register.filter
def feeling(triage: Triage) -> str:
    """`negative`, `neutral` or `positive`."""
    return mood.word(float(triage.sentiment))


@register.filter
def findings(triage: Triage) -> list[str]:
    """The first things that were recognised: order 88213."""
    return [_finding(kind, text) for kind, text in triage.entities[:FINDINGS_SHOWN]]


@register.filter
def every_finding(triage: Triage) -> list[str]:
    return [_finding(kind, text) for kind, text in triage.entities]


def _finding(kind: str, text: str) -> str:
    return f"{FINDINGS.get(kind, kind.replace('_', ' ').lower())} {text}"


@register.filter
def delivery_status(message: Message) -> str:
    return deliveries.status_of(message)


@register.filter
def stuck_part(message: Message) -> Delivery | None:
    """The first part that waits for a person's word."""
    return next((part for part in message.deliveries.all() if part.state in STUCK), None)


@register.filter
def assigned_to(event: Event) -> str:
    """Whose the conversation became; '' for nobody's. The actor's, when the event does not say."""
    if "assignee" in event.changed:
        return event.changed["assignee"][1] or ""
    return event.actor.name if event.actor else ""
