"""How people and platforms stand to us: an address that moved, messages nobody wants any more, an inbox shut out.

As with all that comes in, each may come twice, too early or too late: then nothing changes and False is returned.
"""

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from conversations.models import Conversation, Inbox
from conversations.normalized import ConnectionLost, IdentityMoved, OptedOut, PersonChanged
from conversations.senders import ADDRESS, address_of, known_identity
from conversations.text import clean_line
from crm.consent.models import Consent
from crm.people import moving
from crm.people.models import Identity
from crm.people.recognition import People
from crm.workspace import clock
from crm.workspace.events import change

MARKETING = "marketing"
NO_TIME = datetime(1970, 1, 2, tzinfo=UTC)  # an older one is the platform's way to give none
PATIENCE = timedelta(minutes=1)  # clocks differ


def identity_moved(inbox: Inbox, moved: IdentityMoved) -> bool:
    """The person is known by the new address; whoever gets the old one from the platform is somebody else."""
    address = address_of(inbox, moved.sender)
    with change(inbox.workspace, cause=f"{inbox.channel} address moved") as event:
        known = Identity.objects.select_related("customer").select_for_update(of=("self",), no_key=True)
        known = known.filter(kind=address.kind, scope=address.scope)
        old = known.filter(address=clean_line(moved.old_address, ADDRESS)).first()
        if old is None or not address.address or old.address == address.address:
            return False
        changed = {"address": [old.address, address.address]}
        moving.move(old, address, taken_by=known.filter(address=address.address).first())
        event.record("identity.moved", old, customer=old.customer, changed=changed)
    return True


def person_changed(inbox: Inbox, changed: PersonChanged) -> bool:
    """The profile of a person who has written before shows what is new. Whoever has not is nobody yet."""
    address = address_of(inbox, changed.sender)
    with change(inbox.workspace, cause=f"{inbox.channel} profile") as event:
        known = known_identity(inbox, changed.sender)
        if known is None:
            return False
        identity, _is_new = People([address]).recognise(event, address, clock.now())
        customer = identity.customer
        if _shown(known) == _shown(identity):
            return False
        shown_in = Conversation.objects.filter(customer=customer).newest_first().values_list("pk", flat=True).first()
        event.record("customer.named", customer, customer=customer, conversation_id=shown_in)
    return True


def _shown(identity: Identity) -> tuple[str, str, str]:
    return identity.handle, identity.picture_source, identity.customer.name


def opted_out(inbox: Inbox, said: OptedOut) -> bool:
    """Their word on marketing here is kept; where the platform stops everything, so do we until they opt in."""
    with change(inbox.workspace, cause=f"{inbox.channel} opt-out") as event:
        identity = known_identity(inbox, said.sender)
        if identity is None:
            return False
        is_news = _stop(identity, said) | _keep_word(inbox, identity, said)
        if is_news:
            verb = "consent.withdrawn" if said.is_out else "consent.given"
            event.record(verb, identity, customer=identity.customer)
    return is_news


def _stop(identity: Identity, said: OptedOut) -> bool:
    if not said.everything or (identity.stopped_at is not None) == said.is_out:
        return False
    identity.stopped_at = clock.now() if said.is_out else None
    identity.save(update_fields=["stopped_at"])
    return True


def _keep_word(inbox: Inbox, identity: Identity, said: OptedOut) -> bool:
    """Append what they said, unless that is how it stands. START ends a stop; it is no yes to marketing by itself."""
    last = Consent.objects.filter(customer=identity.customer_id, purpose=MARKETING, kind=inbox.channel)
    stands = last.order_by("-at", "-pk").values_list("given", flat=True).first()
    if stands is (not said.is_out) or (said.everything and not said.is_out):
        return False
    word = Consent(workspace=inbox.workspace, customer=identity.customer, purpose=MARKETING, kind=inbox.channel)
    word.given, word.at = not said.is_out, clock.now()
    word.wording, word.source = clean_line(said.wording, 400), f"inbox {inbox.pk}"
    word.save()
    return True


def connection_lost(inbox: Inbox, lost: ConnectionLost) -> bool:
    """Nothing is taken in or sent until the inbox is connected again; the settings say why."""
    with change(inbox.workspace, cause=f"{inbox.channel} connection lost") as event:
        row = Inbox.objects.select_for_update(no_key=True).get(pk=inbox.pk)
        is_stale = row.mended_at is not None and NO_TIME < lost.at < row.mended_at - PATIENCE
        if is_stale or row.state not in (Inbox.State.LIVE, Inbox.State.PAUSED):
            return False
        changed = {"state": [row.state, Inbox.State.LOST]}
        row.state = Inbox.State.LOST
        row.lost_reason = clean_line(lost.reason, 300) or _("The platform gives no reason.")
        row.save(update_fields=["state", "lost_reason"])
        event.record("inbox.lost", row, changed=changed)
    inbox.state, inbox.lost_reason = row.state, row.lost_reason
    return True


def mended(inbox: Inbox) -> bool:
    """The inbox was connected again and found to work: it is live."""
    with change(inbox.workspace, cause="connect") as event:
        row = Inbox.objects.select_for_update(no_key=True).get(pk=inbox.pk)
        if row.state != Inbox.State.LOST:
            return False
        row.state, row.lost_reason, row.mended_at = Inbox.State.LIVE, "", clock.now()
        row.save(update_fields=["state", "lost_reason", "mended_at"])
        event.record("inbox.mended", row, changed={"state": [Inbox.State.LOST, Inbox.State.LIVE]})
    inbox.state, inbox.lost_reason = row.state, ""
    return True
