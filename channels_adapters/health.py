"""How an inbox goes, in plain words: whether it works, since when not, and what to do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_adapters.models import Connection, RawDelivery
from conversations import failed
from conversations.models import Flow, Inbox
from crm.workspace import clock

TOKEN_EXPIRES = "token_expires_at"  # the fact of a check that says when the token ends, in ISO 8601
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Health:
    """`problems` are sentences for an administrator, the gravest first."""

    problems: list[str] = field(default_factory=list)
    held_until: datetime | None = None
    expires_at: datetime | None = None
    facts: list[tuple[str, str]] = field(default_factory=list)
    failed: int = 0
    parked: int = 0

    @property
    def is_well(self) -> bool:
        return not self.problems


def of(connection: Connection) -> Health:
    """The health of a connection, with its inbox loaded. Call it in the workspace's scope."""
    inbox, now = connection.inbox, clock.now()
    flow = Flow.objects.filter(inbox=inbox, held_until__gt=now).first()
    expires_at = _moment(connection.facts.get(TOKEN_EXPIRES, ""))
    return Health(
        problems=_problems(connection, flow, expires_at, now),
        held_until=flow.held_until if flow else None,
        expires_at=expires_at,
        facts=[(key.replace("_", " "), value) for key, value in connection.facts.items() if key != TOKEN_EXPIRES],
        failed=failed.failed(inbox).count(),
        parked=RawDelivery.objects.filter(inbox=inbox, state=RawDelivery.State.PARKED).count(),
    )


def _problems(connection: Connection, flow: Flow | None, expires_at: datetime | None, now: datetime) -> list[str]:
    inbox, found = connection.inbox, []
    if inbox.state == Inbox.State.LOST:
        why = {"reason": inbox.lost_reason}
        found.append(_("The platform shut us out: %(reason)s Give it a new token below, then test.") % why)
    if expires_at is not None and expires_at <= now:
        found.append(_("The token has ended. Make a new one on the platform and fill it in below."))
    elif expires_at is not None and expires_at <= now + SOON:
        found.append(_("The token ends soon. Make a new one on the platform and fill it in below."))
    if flow is not None:
        found.append(_("Sending pauses: %(reason)s") % {"reason": flow.hold_reason})
    if connection.last_error and _is_news(connection):
        found.append(connection.last_error)
    return found


def _is_news(connection: Connection) -> bool:
    """Whether nothing went well since the last error."""
    went_well = [at for at in (connection.last_in_at, connection.last_out_at) if at is not None]
    return connection.last_error_at is None or all(at < connection.last_error_at for at in went_well)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else timezone.make_aware(moment)
