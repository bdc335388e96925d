"""What the inbox's templates ask about a message, a route or an event."""

from django import template
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import deliveries, intents, mood, shown
from conversations.models import Correction, Delivery, File, Message, Route, Triage
from crm.workspace.models import Event, Function

register = template.Library()

DOING: dict[str, Promise] = {
    Delivery.Kind.EDIT: gettext_lazy("being changed"),
    Delivery.Kind.DELETE: gettext_lazy("being taken back"),
    Delivery.Kind.HIDE: gettext_lazy("being hidden"),
    Delivery.Kind.UNHIDE: gettext_lazy("being shown again"),
}
NOT_DONE: dict[str, Promise] = {
    Delivery.Kind.EDIT: gettext_lazy("Not changed."),
    Delivery.Kind.DELETE: gettext_lazy("Not taken back."),
    Delivery.Kind.REACT: gettext_lazy("The reaction was not set."),
    Delivery.Kind.HIDE: gettext_lazy("Not hidden."),
    Delivery.Kind.UNHIDE: gettext_lazy("Not shown again."),
    Delivery.Kind.LIKE: gettext_lazy("Not liked."),
    Delivery.Kind.UNLIKE: gettext_lazy("The like was not taken back."),
}
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
def shown_details(message: Message) -> shown.Shown:
    return shown.of(message)


@register.filter
def pieces(message: Message) -> list[str | File]:
    """The text, cut where a picture stands in it."""
    return shown.pieces(message)


@register.filter
def is_file(piece: str | File) -> bool:
    return isinstance(piece, File)


@register.filter
def files_below(message: Message) -> list[File]:
    return shown.below(message)


@register.filter
def delivery_status(message: Message) -> str:
    return deliveries.status_of(message)


@register.filter
def stuck_part(message: Message) -> Delivery | None:
    """The first part that waits for a person's word."""
    return next((part for part in message.deliveries.all() if part.is_stuck), None)


@register.filter
def pending_act(message: Message) -> str:
    """What is being done to the message just now, in words; '' for nothing."""
    doing = [part for part in message.deliveries.all() if part.is_act and part.state in Delivery.OPEN_STATES]
    return str(DOING.get(doing[-1].kind, "")) if doing else ""


@register.filter
def act_failure(part: Delivery) -> str:
    """What did not happen."""
    return str(NOT_DONE.get(part.kind, _("Not sent.")))


@register.filter
def assigned_to(event: Event) -> str:
    """Whose the conversation became; '' for nobody's. The actor's, when the event does not say."""
    if "assignee" in event.changed:
        return event.changed["assignee"][1] or ""
    return event.actor.name if event.actor else ""
