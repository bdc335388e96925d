"""Inboxes and their connections: made, changed, tested; and the adapter that serves each."""

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from django.conf import settings as django_settings
from django_scopes import scope, scopes_disabled

from channels_adapters.contract import ChannelAdapter, ChannelError, Check, OutboundPart
from channels_adapters.models import Connection
from channels_adapters.registry import channels
from channels_adapters.workers.platform_loop import portal
from conversations import standing
from conversations.models import Inbox
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership, Workspace

logger = logging.getLogger(__name__)
FRESH_FOR = 2.0  # seconds that a connection's settings are believed without looking


class WrongSettings(Exception):
    """What was given does not fit the channel's form; the words say which and what to do."""


@dataclass(slots=True)
class Served:
    """An inbox with the adapter built for its present settings."""

    inbox: Inbox
    adapter: ChannelAdapter
    looked_at: float

    @property
    def is_fresh(self) -> bool:
        """Whether its settings are believed without looking."""
        return time.monotonic() - self.looked_at < FRESH_FOR


_lock = threading.Lock()
_served: dict[str, Served] = {}


def serving(key: str) -> Served | None:
    """The inbox behind a hook's key with its adapter, or None. Its settings are at most two seconds old."""
    known = _served.get(key)
    if known is not None and known.is_fresh:
        return known
    with scopes_disabled():
        connection = Connection.objects.select_related("inbox__workspace").filter(inbox__key=key).first()
    if connection is None or connection.inbox.channel not in channels():
        return None
    return _remember(key, connection)


def known(key: str) -> Served | None:
    """What was last seen behind a hook's key, however long ago: for when the database does not answer."""
    return _served.get(key)


def _remember(key: str, connection: Connection) -> Served:
    with _lock:
        known = _served.get(key)
        if known is not None and known.adapter.settings == connection.settings:
            known.inbox, known.looked_at = connection.inbox, time.monotonic()
            return known
        adapter = channels()[connection.inbox.channel](connection.settings)
        _served[key] = Served(connection.inbox, adapter, time.monotonic())
    if known is not None:
        portal().start_task_soon(_close_later, known.adapter)
    return _served[key]


async def _close_later(adapter: ChannelAdapter) -> None:
    """Let what it is sending come to an end first."""
    await anyio.sleep(60)
    await adapter.close()


def forget() -> None:
    """Drop every adapter that is kept, with its clients."""
    with _lock:
        dropped = list(_served.values())
        _served.clear()
    for served in dropped:
        portal().call(served.adapter.close)


def complete(channel: str, given: Mapping[str, str]) -> dict[str, str]:
    """The settings with defaults and made-up secrets filled in; raises WrongSettings."""
    if channel not in channels():
        raise WrongSettings(f"there is no channel {channel!r}; there are: {', '.join(sorted(channels()))}")
    form = {setting.key: setting for setting in channels()[channel].settings_form}
    unknown = set(given) - set(form)
    if unknown:
        raise WrongSettings(f"{channel} has no setting {min(unknown)!r}; it has: {', '.join(form) or 'none'}")
    settings = {key: str(given.get(key, "")).strip() or setting.default for key, setting in form.items()}
    needed = {key for key, setting in form.items() if setting.required and not settings.get(setting.unless)}
    missing = [key for key in form if key in needed and not settings[key]]
    if missing:
        raise WrongSettings(f"{channel} needs {', '.join(missing)}: {form[missing[0]].help}")
    for key, setting in form.items():
        if setting.choices and settings[key]:
            settings[key] = settings[key].lower()
            if settings[key] not in setting.choices:
                raise WrongSettings(f"{key} is one of {', '.join(setting.choices)}, not {settings[key][:60]!r}")
    made = {key: secrets.token_urlsafe(32) for key, setting in form.items() if setting.made and not settings[key]}
    return settings | made


def connect(
    workspace: Workspace,
    channel: str,
    *,
    name: str,
    given: Mapping[str, str],
    state: str = Inbox.State.LIVE,
    by: Membership | None = None,
) -> Inbox:
    """An inbox of the channel with its connection, stored and live. Raises WrongSettings and then stores nothing."""
    settings = complete(channel, given)
    adapter = channels()[channel](settings)
    with change(workspace, actor=by, cause="connect") as event:
        inbox = Inbox(workspace=workspace, channel=channel, name=name, state=state)
        inbox.identity_scope, inbox.capabilities = adapter.identity_scope(), _written(type(adapter))
        inbox.save()
        Connection.objects.create(workspace=workspace, inbox=inbox, settings=settings)
        event.record("inbox.connected", inbox)
    return inbox


def hook_url(inbox: Inbox) -> str:
    return f"{public_url()}/hooks/{inbox.key}/"


def check(inbox: Inbox) -> Check:
    """Test the inbox live and register its webhook; what was learnt is written onto the connection."""
    served = serving(inbox.key)
    if served is None:
        return Check((f"There is no adapter for {inbox.channel} in this installation.",))
    found: Check = portal().call(served.adapter.check, hook_url(inbox))
    with scope(workspace=inbox.workspace):
        connection = Connection.objects.get(inbox=inbox)
        facts = {key: value for key, value in (found.facts or {}).items() if key in connection.settings}
        connection.settings = {**connection.settings, **facts}
        if not found.problems:
            connection.facts = _to_show(inbox.channel, found.facts or {})
        connection.checked_at = clock.now()
        connection.last_error = found.problems[0][:300] if found.problems else ""
        connection.last_error_at = clock.now() if found.problems else None
        connection.save(update_fields=["settings", "facts", "checked_at", "last_error", "last_error_at"])
        scope_now = channels()[inbox.channel](connection.settings).identity_scope()
        Inbox.objects.filter(pk=inbox.pk).update(identity_scope=scope_now)
    if not found.problems:
        standing.mended(inbox)
    return found


def _to_show(channel: str, facts: Mapping[str, str]) -> dict[str, str]:
    """The facts without what the form calls a secret."""
    secret = {setting.key for setting in channels()[channel].settings_form if setting.secret}
    return {key: str(value)[:300] for key, value in facts.items() if value and key not in secret}


def reconnect(inbox: Inbox, *, name: str, given: Mapping[str, str], by: Membership | None = None) -> None:
    """The inbox has these settings; what is not given stays, and so does a secret that is given empty.

    Raises WrongSettings and then changes nothing.
    """
    with change(inbox.workspace, actor=by, cause="connect") as event:
        connection = Connection.objects.select_for_update().get(inbox=inbox)
        form = {setting.key: setting for setting in channels()[inbox.channel].settings_form}
        kept = {key: value for key, value in connection.settings.items() if key in form}
        new = {key: value for key, value in given.items() if value or (key in form and not form[key].secret)}
        connection.settings = complete(inbox.channel, kept | new)
        connection.save(update_fields=["settings"])
        inbox.name = name or inbox.name
        inbox.save(update_fields=["name"])
        event.record("inbox.changed", inbox)
    _served.pop(inbox.key, None)  # the test that follows uses what was given


def set_state(inbox: Inbox, state: str, *, by: Membership | None = None) -> bool:
    """Pause a live inbox or let a paused one go on. False for any other: a lost one goes live by a test that works."""
    with change(inbox.workspace, actor=by, cause="page") as event:
        row = Inbox.objects.select_for_update(no_key=True).get(pk=inbox.pk)
        if row.state not in (Inbox.State.DRAFT, Inbox.State.LIVE, Inbox.State.PAUSED):
            return False
        changed = {"state": [row.state, state]}
        row.state = state
        row.save(update_fields=["state"])
        event.record("inbox.changed", row, changed=changed)
    inbox.state = state
    return True


def try_sending(inbox: Inbox, address: str, text: str) -> None:
    """Send a text to an address, where the channel may write first. Raises ChannelError with the reason."""
    served = serving(inbox.key)
    if served is None or not served.adapter.capabilities.starts:
        raise ChannelError("This channel cannot write first: answer a message of your own instead.")
    part = OutboundPart(delivery_id=int(clock.now().timestamp() * 1000), thread_id=address, text=text, address=address)
    portal().call(served.adapter.send, part)


def write_capabilities() -> None:
    """Write each channel's capabilities onto its inboxes, for the composer: done at every start."""
    with scopes_disabled():
        for name, adapter in channels().items():
            Inbox.objects.filter(channel=name).update(capabilities=_written(adapter))


def _written(adapter: type[ChannelAdapter]) -> dict[str, Any]:
    return {**adapter.capabilities.as_json(), "label": adapter.label}


def note_health(inbox: Inbox, **facts: object) -> None:
    """Write down how the connection goes: last_in_at, last_out_at, last_error."""
    if not facts:
        return
    with scopes_disabled():
        Connection.objects.filter(inbox_id=inbox.pk).update(**facts)


def public_url() -> str:
    """Where the outside reaches us, without a slash at the end."""
    return str(django_settings.PUBLIC_URL)
