"""The gate: what may leave, asked when a reply is queued and again when it is sent.

It refuses what the customer does not want, and what the platform would refuse: after the customer's last message on a
thread a platform may leave its window open for some hours, for an agent (not a machine) for some more, and then take
templates only.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import Delivery, Inbox, Message, Thread
from crm.consent.models import Consent
from crm.people.models import Identity
from crm.workspace import clock


def objection(thread: Thread, identity: Identity | None, purpose: str) -> str:
    """Why nothing may be sent to this person here for this purpose; '' when it may."""
    state = thread.inbox.state
    if state == Inbox.State.DEMO:
        return _("This is demo data: replies are kept here and not sent.")
    if state == Inbox.State.LOST:
        why = {"inbox": thread.inbox.name, "reason": thread.inbox.lost_reason}
        return _("The platform shut “%(inbox)s” out: %(reason)s An administrator has to reconnect it.") % why
    if state != Inbox.State.LIVE:
        return _("The inbox “%(inbox)s” is not live, so nothing can be sent.") % {"inbox": thread.inbox.name}
    if identity is None:
        return _("Nobody has written on this thread yet.")
    if identity.blocked_at is not None:
        return _("They have blocked us on this channel.")
    if identity.stopped_at is not None:
        return _("They have opted out of messages here; nothing is let through until they opt in again.")
    if purpose == Message.Purpose.MARKETING:
        yes = Consent.objects.stands(customer_id=identity.customer_id, purpose="marketing", kind=thread.inbox.channel)
        return "" if yes else _("They have not agreed to marketing on this channel.")
    return ""


def objection_to_part(delivery: Delivery) -> str:
    """Why a part that was queued must not leave now; '' when it may."""
    message, thread = delivery.message, delivery.thread
    if message is None:
        return ""
    if thread.is_public and message.details.get("is_private"):
        return _("It was meant in private.")
    refusal = objection(thread, message.identity, message.purpose)
    if refusal or delivery.details.get("template"):
        return refusal
    return window_objection(thread, last_heard(thread), message.author_kind)


def last_heard(thread: Thread) -> Message | None:
    """The customer's last message on the thread; of a private one they have not written on, the post it is behind."""
    heard = Message.objects.filter(direction=Message.Direction.IN)
    last: Message | None = heard.filter(thread=thread).order_by("-pk").first()
    if last is None and not thread.is_public:
        talks = Q(conversation=thread.conversation_id) | Q(
            conversation__in=Message.objects.filter(thread=thread).values("conversation")
        )
        posts = heard.filter(talks, thread__inbox=thread.inbox_id, details__private_thread=thread.external_id)
        last = posts.order_by("-pk").first()
    return last


def window_objection(thread: Thread, heard: Message | None, author_kind: str = Message.Author.AGENT) -> str:
    """Why the platform would refuse anything but a template now; '' when its window is open, or it has none."""
    hours = _hours(thread, author_kind)
    if not hours or thread.inbox.state == Inbox.State.DEMO or _is_within(heard, hours):
        return ""
    words = ngettext(
        "The platform takes an answer only within %(hours)d hour of their last message.",
        "The platform takes an answer only within %(hours)d hours of their last message.",
        hours,
    )
    return words % {"hours": hours}


def is_late(thread: Thread, heard: Message | None, author_kind: str = Message.Author.AGENT) -> bool:
    """Whether the window is shut for machines, and this author, an agent, may still write."""
    hours, window = _hours(thread, author_kind), thread.inbox.capabilities.get("window_hours") or 0
    return hours > window and not _is_within(heard, window) and _is_within(heard, hours)


def _hours(thread: Thread, author_kind: str) -> int:
    """How long the window is open to this author; 0: always, as for what stands in public."""
    capabilities = thread.inbox.capabilities
    window: int = 0 if thread.is_public else capabilities.get("window_hours") or 0
    if not window or author_kind != Message.Author.AGENT:
        return window
    return max(window, capabilities.get("tag_hours") or 0)


def _is_within(heard: Message | None, hours: int) -> bool:
    if heard is None:
        return False
    said_at = min(heard.at, heard.platform_at or heard.at)  # it may have come late
    return clock.now() - said_at < timedelta(hours=hours)
