"""Profile pictures: fetched in the background when a channel names a new one; until then, and without, initials."""

import logging
from datetime import timedelta

from django.db.models import F, Q
from django_scopes import scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import ChannelAdapter, SendFailed
from channels_adapters.workers.platform_loop import portal
from conversations import files
from conversations.models import Conversation, File, Inbox, Message
from crm.people.models import Identity
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
AT_ONCE = 2
LIMIT = 2 * 1024 * 1024  # bytes
NOT_BEFORE = timedelta(days=1)  # since the last one: some platforms give each picture a new address every time
_in_flight: set[int] = set()


def fetch_new() -> None:
    """Start fetching pictures that channels named and we have not seen."""
    with scopes_disabled():
        new = Identity.objects.filter(~Q(picture_source=F("picture_seen"))).exclude(pk__in=_in_flight)
        new = new.filter(Q(picture_at=None) | Q(picture_at__lt=clock.now() - NOT_BEFORE))
        for identity in new.select_related("workspace", "customer")[: max(0, AT_ONCE - len(_in_flight))]:
            served = _served(identity)
            if served is not None:
                _in_flight.add(identity.pk)
                portal().start_task_soon(_fetch, served.adapter, identity)


def _served(identity: Identity) -> connections.Served | None:
    """The inbox on which they wrote last."""
    heard = Message.objects.filter(identity=identity, direction=Message.Direction.IN).order_by("-pk")
    heard = heard.filter(thread__inbox__state=Inbox.State.LIVE)
    key = heard.values_list("thread__inbox__key", flat=True).first()
    return connections.serving(key) if key else None


async def _fetch(adapter: ChannelAdapter, identity: Identity) -> None:
    data = b""
    try:
        data = await adapter.fetch(identity.picture_source, LIMIT)
    except SendFailed as error:
        logger.info("a picture was not fetched", extra={"identity": identity.pk, "reason": error.reason})
    except Exception:
        logger.exception("a picture could not be fetched", extra={"identity": identity.pk})
    try:
        await in_thread(keep, identity, data)
    finally:
        _in_flight.discard(identity.pk)


def keep(identity: Identity, data: bytes) -> bool:
    """The customer has this picture, when the bytes are one. The source is not asked for again either way."""
    with change(identity.workspace, cause="picture fetched") as event:
        mine = Identity.objects.filter(pk=identity.pk)
        mine.update(picture_seen=identity.picture_source, picture_at=clock.now())
        file = File(workspace=identity.workspace, kind="picture", mime=files.sniff(data) if data else "")
        if not file.is_picture or len(data) > LIMIT:
            return False
        files.keep(file, data)
        customer = identity.customer
        customer.picture = file.token
        customer.save(update_fields=["picture"])
        shown_in = Conversation.objects.filter(customer=customer).newest_first().values_list("pk", flat=True).first()
        event.record("customer.pictured", customer, customer=customer, conversation_id=shown_in)
    return True
