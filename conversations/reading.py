"""Reading messages with the local pipeline, outside any transaction. A pipeline that fails costs nobody a message."""

import logging
from collections.abc import Collection, Sequence

from django.db.models import F

import nlp
from conversations.learning import using
from conversations.metrics import TRIAGE_SECONDS, TRIAGED
from conversations.models import Message
from crm.workspace.models import Workspace

logger = logging.getLogger(__name__)
CONTEXT = 3  # earlier messages that a fragment is read with
LOOKED_AT = 12  # places back in a conversation where they are looked for: ours and notes stand between


def read(workspace: Workspace, texts: Sequence[tuple[str, tuple[str, ...]]]) -> list[nlp.Triage | None]:
    """One triage per (text, earlier texts), in order; all None while the pipeline is not loaded or when it fails."""
    if not texts or not nlp.ready():
        return [None] * len(texts)
    languages, products = tuple(workspace.languages), tuple(workspace.products)
    readings = [
        nlp.Reading(text=text, previous=previous, languages=languages, products=products) for text, previous in texts
    ]
    try:
        with TRIAGE_SECONDS.time():
            found: list[nlp.Triage | None] = list(_read(workspace, readings))
        TRIAGED.inc(len(found))
        return found
    except Exception:
        logger.exception("triage failed", extra={"workspace": workspace.pk, "messages": len(texts)})
        return [None] * len(texts)


def _read(workspace: Workspace, readings: list[nlp.Reading]) -> list[nlp.Triage]:
    """By the workspace's own pipeline; by the shipped one where there is none or its files are damaged."""
    own = using.folder_of(workspace)
    if own is not None:
        try:
            return nlp.triage(readings, model=own)
        except Exception:
            logger.exception("a workspace's own pipeline failed", extra={"workspace": workspace.pk, "model": own.name})
    return nlp.triage(readings)


def said_before(inbox_id: int, thread_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By thread: the customer's last texts in its open conversation, oldest first. Nothing for a thread without."""
    said = Message.objects.filter(thread__inbox=inbox_id, thread__external_id__in=thread_ids)
    said = said.filter(direction=Message.Direction.IN, conversation=F("thread__conversation"))
    newest = said.filter(seq__gt=F("conversation__last_seq") - LOOKED_AT).order_by("seq")
    found: dict[str, tuple[str, ...]] = {}
    for thread_id, text in newest.values_list("thread__external_id", "text") if thread_ids else ():
        found[thread_id] = (*found.get(thread_id, ()), text)[-CONTEXT:]
    return found


def texts_before(conversation_id: int, seq: int | None) -> tuple[str, ...]:
    """The customer's last texts of a conversation before place `seq` (None: at its end), oldest first."""
    said = Message.objects.filter(conversation_id=conversation_id, direction=Message.Direction.IN)
    if seq is not None:
        said = said.filter(seq__lt=seq)
    newest = said.order_by("-seq").values_list("text", flat=True)[:CONTEXT]
    return tuple(reversed(newest))
