"""Reading later what could not be read in time: the pipeline was not loaded yet, or it failed."""

from django_scopes import scope

import nlp
from conversations import reading, routes
from conversations.models import Message
from conversations.places import lock_conversation
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Workspace

BATCH = 64


def read_late(workspace: Workspace) -> int:
    """Triage and route the messages of a workspace that wait for it, oldest first. Returns how many were read."""
    done = 0
    while batch := _waiting(workspace):
        with scope(workspace=workspace):
            texts = [(message.text, reading.texts_before(message.conversation_id, message.seq)) for message in batch]
        read = reading.read(workspace, texts)
        if None in read:
            return done  # still not able: the next sweep tries again
        for message, triage in zip(batch, read, strict=True):
            if triage is not None:
                done += _understand(workspace, message, triage)
    return done


def _waiting(workspace: Workspace) -> list[Message]:
    with scope(workspace=workspace):
        return list(Message.objects.filter(awaits_triage=True).order_by("pk")[:BATCH])


def _understand(workspace: Workspace, message: Message, triage: nlp.Triage) -> bool:
    now = clock.now()
    with change(workspace, cause="late triage") as event:
        message.conversation = lock_conversation(message.conversation_id)
        if not Message.objects.filter(pk=message.pk, awaits_triage=True).update(awaits_triage=False):
            return False
        kept = routes.keep_triage(event, message, triage, now)
        routes.show_on(message.conversation, kept)
        message.conversation.needs_person = False
        taken = routes.open_functions(message.conversation)[message.conversation_id]
        routes.route_by_policy(event, message, kept, taken, now)
        message.conversation.save()
        message.conversation.customer.save(update_fields=["mood", "language"])
    return True
