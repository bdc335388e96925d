"""Making, changing and ending webhooks, and telling something again."""

from collections.abc import Sequence
from datetime import timedelta

from conversations.webhooks.kinds import PING
from conversations.webhooks.models import WebhookDelivery, WebhookSubscription, new_secret
from crm.web import outgoing
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace

AT_MOST = 50  # per workspace
CHANGED = ("url", "may_be_private", "verbs", "paused_at", "pause_reason", "failing_since", "quiet_until")
OLD_SECRET_FOR = timedelta(days=1)


class TooManyWebhooks(Exception):
    """The workspace has as many as it may. Says what to do."""


def subscribe(url: str, verbs: Sequence[str], *, by: Membership, may_be_private: bool = False) -> WebhookSubscription:
    """Tell `url` of events from now on. Raises outgoing.NotAllowed or TooManyWebhooks."""
    outgoing.check(url)
    with change(by.workspace, actor=by, cause="webhook") as event:
        workspace = Workspace.objects.select_for_update().get(pk=by.workspace_id)
        if WebhookSubscription.objects.count() >= AT_MOST:
            raise TooManyWebhooks(f"There are {AT_MOST} webhooks already: remove one first.")
        made = WebhookSubscription(workspace=workspace, url=url, verbs=list(dict.fromkeys(verbs)), created_by=by)
        made.cursor, made.may_be_private = workspace.event_head, may_be_private
        made.save()
        event.record("webhook.added", made)
    return made


def alter(
    told: WebhookSubscription,
    *,
    url: str | None = None,
    verbs: Sequence[str] | None = None,
    paused: bool | None = None,
    by: Membership,
) -> WebhookSubscription:
    """Change what is given. Another address, once allowed to be private, is held to the public network again."""
    if url is not None and url != told.url:
        outgoing.check(url)
        told.url, told.may_be_private = url, False
    if verbs is not None:
        told.verbs = list(dict.fromkeys(verbs))
    if paused is not None and paused != (told.paused_at is not None):
        told.paused_at, told.pause_reason = (clock.now(), "Paused by hand.") if paused else (None, "")
        told.failing_since = told.quiet_until = None
    with change(by.workspace, actor=by, cause="webhook") as event:
        told.save(update_fields=CHANGED)
        event.record("webhook.changed", told)
    return told


def unsubscribe(told: WebhookSubscription, *, by: Membership) -> None:
    """Tell it nothing more; its log goes with it."""
    with change(by.workspace, actor=by, cause="webhook") as event:
        event.record("webhook.removed", told)
        told.delete()


def change_secret(told: WebhookSubscription, *, by: Membership) -> WebhookSubscription:
    """A new secret; for a day the old one signs as well, so that the receiver can change over."""
    told.old_secret, told.old_secret_until = told.secret, clock.now() + OLD_SECRET_FOR
    told.secret = new_secret()
    with change(by.workspace, actor=by, cause="webhook") as event:
        told.save(update_fields=["secret", "old_secret", "old_secret_until"])
        event.record("webhook.changed", told, changed={"secret": [None, None]})
    return told


def ping(told: WebhookSubscription, *, by: Membership) -> None:
    """Tell it something that means nothing, to see whether it arrives. What else waits for it is told before."""
    with change(by.workspace, actor=by, cause="webhook") as event:
        event.record(PING, told)


def replay(row: WebhookDelivery) -> bool:
    """Queue the delivery anew, with a full round of attempts; False while it is being sent."""
    still = WebhookDelivery.objects.filter(pk=row.pk, attempts=row.attempts).exclude(state="sending")
    anew = {"state": "queued", "due_at": clock.now(), "round_began": row.attempts, "reason": ""}
    return bool(still.update(**anew))
