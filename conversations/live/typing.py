"""Who is writing, right now. Nothing is stored; one that is lost costs nothing."""

import logging
from collections.abc import Callable

from django_scopes import scope

from conversations.live import layer
from conversations.models import Conversation, Thread
from crm.workspace import permissions
from crm.workspace.models import Membership

logger = logging.getLogger(__name__)
_listeners: list[Callable[[Thread], None]] = []


def listen(listener: Callable[[Thread], None]) -> None:
    """Call `listener` with the thread an agent writes on: the edge shows it on the platform."""
    _listeners.append(listener)


def agent_types(membership: Membership, conversation_id: int) -> None:
    """Tell the team and the customer that the agent writes. Nothing happens for a conversation they may not answer."""
    with scope(workspace=membership.workspace):
        conversation = Conversation.objects.filter(pk=conversation_id).first()
        if conversation is None or not permissions.may(membership, "conversation.reply", conversation):
            return
        threads = list(conversation.threads.select_related("inbox"))
    _post(membership.workspace_id, conversation_id, [thread.pk for thread in threads], membership.name, False)
    for thread in threads:
        for listener in _listeners:
            listener(thread)


def customer_types(thread: Thread, name: str) -> None:
    """Tell the team that the customer writes."""
    if thread.conversation_id is not None:
        _post(thread.workspace_id, thread.conversation_id, [thread.pk], name, True)


def _post(workspace_id: int, conversation_id: int, threads: list[int], who: str, is_customer: bool) -> None:
    typing = {"type": "typing", "conversation": conversation_id, "threads": threads, "who": who}
    layer.post(layer.workspace_group(workspace_id), {**typing, "is_customer": is_customer})
