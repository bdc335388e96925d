"""Settings of one inbox: how it goes, its test, its settings, a test message, pausing and removing."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from channels_adapters import connections, health, removing
from channels_adapters.contract import ChannelError
from channels_adapters.models import Connection
from channels_adapters.registry import channels
from channels_adapters.settings_pages.forms import ChangeForm, TryForm
from channels_adapters.workers import approving
from channels_adapters.workers.running import workers
from conversations import outbound
from conversations.errors import ConversationError
from conversations.models import Conversation, Inbox, Template
from crm.workspace.pages import MemberRequest, member_page

RECENT = 8  # conversations that a test message may go to


@member_page("settings.change")
def inbox(request: MemberRequest, pk: int) -> HttpResponse:
    """One inbox: its addresses, its health, what can be done."""
    return _page(request, _connection(pk))


def _page(request: MemberRequest, connection: Connection, form: Any = None, *, status: int = 200) -> HttpResponse:
    found, served = connection.inbox, connections.serving(connection.inbox.key)
    adapter = channels().get(found.channel)
    recent = Conversation.objects.open().filter(inbox=found).select_related("customer").newest_first()[:RECENT]
    context = {
        "connection": connection,
        "inbox": found,
        "label": adapter.label if adapter else found.channel,
        "health": health.of(connection),
        "hook_url": connections.hook_url(found),
        "places": served.adapter.places(connections.public_url(), found.key) if served else (),
        "form": form or (ChangeForm(adapter, connection) if adapter else None),
        "recent": recent,
        "can_start": bool(found.capabilities.get("starts")),
        "templates": Template.objects.filter(inbox=found) if found.capabilities.get("templates") else None,
        "after_removal": removing.consequences(found),
    }
    return render(request, "settings/inbox.html", context, status=status)


def _connection(pk: int) -> Connection:
    found: Connection = get_object_or_404(Connection.objects.select_related("inbox__workspace"), inbox=pk)
    return found


@require_POST
@member_page("settings.change")
def change_settings(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep other settings and test them. A secret that is left empty stays as it is."""
    connection = _connection(pk)
    if connection.inbox.channel not in channels():
        raise Http404
    form = ChangeForm(channels()[connection.inbox.channel], connection, request.POST)
    if not form.is_valid():
        return _page(request, connection, form, status=422)
    try:
        connections.reconnect(
            connection.inbox, name=form.cleaned_data["name"], given=form.given(), by=request.membership
        )
    except connections.WrongSettings as error:
        form.add_error(None, str(error))
        return _page(request, connection, form, status=422)
    workers().look_at_connections()
    return _tested(request, connection.inbox)


@require_POST
@member_page("settings.change")
def test(request: MemberRequest, pk: int) -> HttpResponse:
    """Try the connection now."""
    return _tested(request, _connection(pk).inbox)


def _tested(request: MemberRequest, found: Inbox) -> HttpResponse:
    outcome = connections.check(found)
    for problem in outcome.problems:
        messages.error(request, problem)
    if not outcome.problems:
        messages.success(request, _("It works."))
        workers().look_at_connections()
    return redirect("inbox-settings", found.pk)


@require_POST
@member_page("settings.change")
def try_sending(request: MemberRequest, pk: int) -> HttpResponse:
    """Send a test message: into an open conversation, where it is seen, or to an address where the channel starts."""
    connection = _connection(pk)
    form = TryForm(request.POST, inbox=connection.inbox)
    if not form.is_valid():
        messages.error(request, _("Choose a conversation, or give an address."))
        return redirect("inbox-settings", pk)
    text, conversation = _("This is a test message."), form.cleaned_data["conversation"]
    try:
        if conversation is None:
            connections.try_sending(connection.inbox, form.cleaned_data["address"], text)
            messages.success(request, _("The platform took the message."))
            return redirect("inbox-settings", pk)
        outbound.queue_reply(conversation, request.membership, text, client_id=uuid.uuid4().hex)
    except (ConversationError, ChannelError) as error:
        messages.error(request, str(error))
        return redirect("inbox-settings", pk)
    return redirect("conversation", conversation.pk)


@require_POST
@member_page("settings.change")
def templates(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask the platform for its approved texts now."""
    try:
        count = approving.refresh(_connection(pk).inbox)
    except ChannelError as error:
        messages.error(request, error.reason)
    else:
        words = ngettext("%(count)d template is listed.", "%(count)d templates are listed.", count)
        messages.success(request, words % {"count": count})
    return redirect("inbox-settings", pk)


@require_POST
@member_page("settings.change")
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    """Take in and send nothing until it is resumed; what waits is kept."""
    return _set_state(request, pk, Inbox.State.PAUSED)


@require_POST
@member_page("settings.change")
def resume(request: MemberRequest, pk: int) -> HttpResponse:
    return _set_state(request, pk, Inbox.State.LIVE)


def _set_state(request: MemberRequest, pk: int, state: str) -> HttpResponse:
    if not connections.set_state(_connection(pk).inbox, state, by=request.membership):
        raise Http404
    workers().look_at_connections()
    return redirect("inbox-settings", pk)


@require_POST
@member_page("settings.change")
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """The inbox is gone with its secrets; what was said stays. Its name is asked for, so that no slip does it."""
    found = _connection(pk).inbox
    if request.POST.get("name", "").strip() != found.name:
        messages.error(request, _("Type the inbox’s name to remove it."))
        return redirect("inbox-settings", pk)
    removing.remove(found, by=request.membership)
    workers().look_at_connections()
    messages.success(request, _("“%(name)s” is removed. What was said there can still be read.") % {"name": found.name})
    return redirect("settings")
