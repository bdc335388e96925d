"""Names of people whose messages come without one, where the platform can be asked: in the background, once each."""

import logging
import time

from django.utils.translation import gettext
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import ChannelAdapter, SendFailed
from channels_adapters.registry import channels
from channels_adapters.workers.platform_loop import portal
from conversations import inbound_changes
from conversations.models import Inbox, Message
from conversations.normalized import PersonChanged, Sender
from crm.people.models import Identity
from crm.workspace import clock
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
AT_ONCE = 2
LOOK_EVERY = 2.0  # seconds
AGAIN_AFTER = 86_400.0  # seconds until somebody of whom nothing was told is asked for again
_in_flight: set[int] = set()
_asked: dict[int, float] = {}  # by identity: until when not to ask again
_next_look = 0.0


def ask() -> None:
    """Start asking for the names of people who have none yet."""
    global _next_look
    kinds = [name for name, adapter in channels().items() if adapter.capabilities.profiles]
    now = time.monotonic()
    if not kinds or now < _next_look:
        return
    _next_look = now + LOOK_EVERY
    for identity in [identity for identity, until in _asked.items() if until <= now]:
        del _asked[identity]
    with scopes_disabled():
        nameless = Identity.objects.filter(kind__in=kinds, handle="", customer__name=gettext("Visitor"))
        nameless = nameless.exclude(pk__in=[*_asked, *_in_flight]).select_related("workspace").order_by("-pk")
        for identity in nameless[: max(0, AT_ONCE - len(_in_flight))]:
            _start(identity, now)


def forget() -> None:
    """Ask for everybody again, from now on."""
    global _next_look
    _next_look = 0.0
    _asked.clear()


def _start(identity: Identity, now: float) -> None:
    _asked[identity.pk] = now + AGAIN_AFTER
    inbox = _inbox(identity)
    served = connections.serving(inbox.key) if inbox is not None else None
    if inbox is not None and served is not None:
        _in_flight.add(identity.pk)
        portal().start_task_soon(_ask, served.adapter, inbox, identity)


def _inbox(identity: Identity) -> Inbox | None:
    """The one on which they wrote last."""
    heard = Message.objects.filter(identity=identity, thread__inbox__state=Inbox.State.LIVE).order_by("-pk")
    last = heard.select_related("thread__inbox__workspace").first()
    return last.thread.inbox if last is not None else None


async def _ask(adapter: ChannelAdapter, inbox: Inbox, identity: Identity) -> None:
    try:
        told = await adapter.profile(identity.address)
        if told is not None:
            await in_thread(_learn, inbox, told)
    except SendFailed as error:
        logger.info("a name was not told", extra={"identity": identity.pk, "reason": error.reason})
    except Exception:
        logger.exception("a name could not be asked for", extra={"identity": identity.pk})
    finally:
        _in_flight.discard(identity.pk)


def _learn(inbox: Inbox, told: Sender) -> None:
    with scope(workspace=inbox.workspace):
        inbound_changes.apply(PersonChanged(told, clock.now()), inbox)
