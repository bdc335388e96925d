"""How a customer's message was understood, in words for the customer: whose work it is, about what, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from conversations import desk, intents
from conversations.models import Message

SHOWN = 30


@dataclass(frozen=True, slots=True)
class Understood:
    """One message with a sentence about it; `by_person` when somebody of ours said so."""

    message: Message
    sentence: str
    because: Sequence[str]  # the customer's own words that weighed
    by_person: bool


def understood(thread_id: int) -> list[Understood]:
    """How the newest messages of a thread were understood, newest first. What is not read yet is left out."""
    heard: QuerySet[Message] = Message.objects.filter(thread=thread_id, direction=Message.Direction.IN, deleted_at=None)
    read = heard.filter(triage__isnull=False).exclude(text="").select_related("triage")
    return [_understood(message) for message in read.prefetch_related("corrections", "routes").order_by("-pk")[:SHOWN]]


def _understood(message: Message) -> Understood:
    counts = desk.as_corrected(message, message.triage)
    is_said = bool(message.corrections.all())
    functions, intent = counts["functions"], str(counts["intent"])
    if not is_said and any(route.outcome == "person" for route in message.routes.all()):
        return Understood(message, _("We were not sure what this is about, so a person looks at it."), (), False)
    sentence = _sentence(functions if isinstance(functions, list) else [], intent)
    return Understood(message, sentence, () if is_said else message.triage.because, is_said)


def _sentence(functions: Sequence[str], intent: str) -> str:
    about = intents.label(intent) if intent else ""
    if not functions:
        return _("Nothing you need us to do.")
    teams = {
        "support": _("For those who help: %(about)s."),
        "sales": _("For those who sell: %(about)s."),
        "marketing": _("For those who look after our news and offers: %(about)s."),
    }
    return teams[functions[0]] % {"about": about or _("a question of yours")}
