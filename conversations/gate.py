"""The consent gate: what may leave, asked when a reply is queued and again when it is sent."""

from django.utils.translation import gettext as _

from conversations.models import Inbox, Message, Thread
from crm.consent.models import Consent
from crm.people.models import Identity


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
