"""The label queue: which messages would teach most if a person said what they are."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet

import nlp
from conversations import desk, reading
from conversations.learning import consent
from conversations.learning.lessons import CONTEXT_UNDER
from conversations.models import Correction, Message
from crm.workspace import clock
from crm.workspace.models import Membership, Workspace

LENGTH = 20
LOOKED_BACK = timedelta(days=30)
LOOKED_AT = 300  # newest messages: they are read anew, which takes some milliseconds each
KEPT_FOR = 12 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Queue:
    message: Message | None  # the next one
    left: int
    length: int
    is_ready: bool = True  # False: the pipeline is not loaded yet

    @property
    def place(self) -> int:
        return self.length - self.left + 1


def queue(workspace: Workspace) -> Queue:
    """The next message to label. The queue is chosen anew when the last one is done."""
    chosen = cache.get(_key(workspace))
    left = _unsaid(chosen or [])
    if not left:
        chosen = _choose(workspace)
        if chosen is None:
            return Queue(None, 0, 0, is_ready=False)
        cache.set(_key(workspace), chosen, KEPT_FOR)
        left = chosen
    message = _shown().filter(pk=left[0]).first() if left else None
    return Queue(message, len(left), len(chosen))


def skip(workspace: Workspace, message: Message) -> None:
    """The message comes up no more in this queue."""
    chosen = [pk for pk in cache.get(_key(workspace)) or [] if pk != message.pk]
    cache.set(_key(workspace), chosen, KEPT_FOR)


def answer(message: Message, *, by: Membership, functions: list[str], intent: str, sentiment: int) -> Correction:
    """What an agent says it is. In an open conversation that also moves the matter, as in the thread."""
    said: dict[str, Any] = {"functions": functions, "intent": intent, "sentiment": sentiment}
    corrected = desk.correct(message, by=by, **said) if message.conversation.is_open else None
    return corrected or desk.label(message, by=by, **said)


def may_be_labelled() -> QuerySet[Message]:
    """What customers wrote lately, was read, and nobody has corrected or confirmed."""
    heard: QuerySet[Message] = Message.objects.filter(direction=Message.Direction.IN, deleted_at=None, corrections=None)
    heard = heard.filter(triage__isnull=False, at__gte=clock.now() - LOOKED_BACK).exclude(text="")
    return heard.exclude(conversation__customer__in=consent.refused())


def _key(workspace: Workspace) -> str:
    return f"label-queue-{workspace.pk}"


def _unsaid(chosen: list[int]) -> list[int]:
    still = set(may_be_labelled().filter(pk__in=chosen).values_list("pk", flat=True)) if chosen else set()
    return [pk for pk in chosen if pk in still]


def _choose(workspace: Workspace) -> list[int] | None:
    """None while the pipeline is not ready."""
    heard = list(may_be_labelled().order_by("-pk")[:LOOKED_AT])
    read = reading.read(workspace, [(message.text, _before(message)) for message in heard])
    told = [(message.text, triage) for message, triage in zip(heard, read, strict=True) if triage is not None]
    if len(told) < len(heard):
        return None
    return [heard[place].pk for place in nlp.most_teaching(told, count=LENGTH)]


def _before(message: Message) -> tuple[str, ...]:
    if len(message.text) >= CONTEXT_UNDER:
        return ()
    return reading.texts_before(message.conversation_id, message.seq)


def _shown() -> QuerySet[Message]:
    with_people: QuerySet[Message] = Message.objects.select_related(
        "triage", "conversation__customer", "conversation__inbox"
    )
    return with_people
