"""What a workspace teaches: the newest word on each message, and its own intents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import nlp
from conversations import reading
from conversations.learning import consent, words
from conversations.models import Correction, Message
from crm.workspace import clock
from crm.workspace.models import Workspace

MOST = 3_000  # newest messages that teach
HALF_LIFE = timedelta(days=365)  # what shops sell and customers ask changes
LEAST = 0.25
CONTEXT_UNDER = 60  # characters: a shorter message may be a fragment, and is learnt with what came before


@dataclass(frozen=True, slots=True)
class Lessons:
    corrections: list[nlp.Example]
    own: list[nlp.OwnIntent]

    @property
    def number(self) -> int:
        return len(self.corrections) + sum(len(one.phrases) + len(one.examples) for one in self.own)


def lessons(workspace: Workspace) -> Lessons:
    """All that may teach. No message does without the workspace's consent, nor one that its writer took back, nor any
    of a customer who said no. Own intents are the workspace's own words and need no consent."""
    return Lessons(_corrections() if workspace.teaches_since else [], words.intents())


def _corrections() -> list[nlp.Example]:
    now, own = clock.now(), words.functions()
    return [_example(said, now, own) for said in newest_words(MOST)]


def newest_words(most: int) -> list[Correction]:
    """The newest correction or confirmation of each message that may teach, newest first."""
    said = Correction.objects.filter(message__direction=Message.Direction.IN, message__deleted_at=None)
    said = said.exclude(message__text="").exclude(message__conversation__customer__in=consent.refused())
    found: dict[int, Correction] = {}
    for one in said.select_related("message", "triage").order_by("-pk").iterator(500):
        found.setdefault(one.message_id, one)
        if len(found) == most:
            break
    return list(found.values())


def _example(said: Correction, now: datetime, own: dict[str, str]) -> nlp.Example:
    message, functions = said.message, tuple(said.after["functions"])
    text = nlp.redact(message.text)
    previous: Sequence[str] = ()
    if len(text) < CONTEXT_UNDER:
        previous = reading.texts_before(message.conversation_id, message.seq)
    intent = said.after["intent"] or None
    return nlp.Example(
        text=text,
        language=said.triage.language,
        functions=functions,
        acceptable=functions or ("none",),
        intent=intent if intent in own or intent in nlp.KNOWN_INTENTS else None,
        sentiment=said.after["sentiment"],
        previous=tuple(previous),
        weight=max(LEAST, 0.5 ** ((now - said.at) / HALF_LIFE)),
    )
