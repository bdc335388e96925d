"""The visitor's pages: the chat, what is new in it, its form without scripts, the widget, and a shop to try it in."""

import functools
import json
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_scopes import scopes_disabled

from channels_adapters.adapters.webchat import WebChatAdapter, access, history, limits, visitors
from channels_adapters.adapters.webchat.fields import FILES_LIMIT
from channels_adapters.adapters.webchat.history import Place
from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.workers.running import workers
from conversations.models import Inbox, Message
from crm.workspace import clock

STORE_WITHIN = 20.0  # seconds
SHOW_WITHIN = 2.0  # seconds in which what was stored is usually taken in


@require_safe
@access.chat_page
def chat(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """The hosted page, and what the widget shows in its frame. A newcomer becomes a visitor here."""
    known = visitors.of(request, inbox.key)
    visitor = known or _newcomer(request, adapter)
    response = _page(request, inbox, adapter, visitor, is_new=known is None)
    if visitor is not None:
        visitors.remember(response, visitor, inbox.key)
    return response


def _newcomer(request: HttpRequest, adapter: WebChatAdapter) -> str | None:
    address = request.META.get("REMOTE_ADDR") or ""
    return visitors.new() if limits.may_come(address, adapter.new_visitors_a_minute) else None


def _page(
    request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter, visitor: str | None, **facts: Any
) -> HttpResponse:
    """The page with what the visitor has said and heard; 429 when they may not come in yet."""
    context = {
        "inbox": inbox,
        "title": adapter.settings.get("title") or inbox.workspace.name,
        "greeting": adapter.settings.get("greeting", ""),
        "cid": secrets.token_hex(16),
        "now": history.milliseconds(clock.now()),
        "is_embedded": "embed" in request.GET,
        "files_limit": FILES_LIMIT,
        **_what_was_said(inbox, visitor),
        **facts,
    }
    response = render(request, "webchat/chat.html", context, status=facts.get("status", 200 if visitor else 429))
    if visitor is None:
        response.headers["Retry-After"] = str(limits.RETRY_AFTER)
    return response


def _what_was_said(inbox: Inbox, visitor: str | None) -> dict[str, Any]:
    place = Place(inbox, visitor or "")
    found = history.messages(place) if visitor else []
    history.note_arrived(place, found)
    return {
        "visitor": visitor,
        "token": visitors.token_for(visitor, inbox.key) if visitor else "",
        "proof": visitors.page_proof(visitor, inbox.key) if visitor else "",
        "batch": history.batch(history.render(place, found), history.cursor_of(found)),
        "has_messages": bool(found),
    }


@require_safe
@access.chat_page
def messages(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """What is new on the visitor's thread after `?since=`, as HTML. The cookie follows the token that was shown."""
    visitor = visitors.of(request, inbox.key)
    if visitor is None:
        return access.stranger()
    place = Place(inbox, visitor)
    since = history.read_cursor(request.GET.get("since", ""))
    found = history.messages(place, since)
    history.note_arrived(place, found)
    cursor = max(since or history.START, history.cursor_of(found))
    response = HttpResponse(history.batch(history.render(place, found), cursor))
    if visitors.HEADER in request.headers:
        visitors.remember(response, visitor, inbox.key)
    return response


@require_POST
@access.chat_page
def send(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """The form's way in where scripts do not run: the same body, taken in the same way, then the page again."""
    visitor = visitors.read(request.COOKIES.get(visitors.COOKIE, ""), inbox.key)
    if visitor is None:
        return access.stranger()
    given = {name: request.POST.get(name, "") for name in ("text", "name", "cid")}
    body = json.dumps({**given, "visitor": visitor, "at": history.milliseconds(clock.now())}).encode()
    try:
        _take_in(inbox, adapter, visitor, body)
    except WebhookRejected as error:
        facts = {"status": error.status, "problem": error.reason, "kept": given["text"]}
        return _page(request, inbox, adapter, visitor, **facts)
    _wait_until_shown(inbox, visitor, given["cid"])
    return redirect("webchat", inbox.key)


def _take_in(inbox: Inbox, adapter: WebChatAdapter, visitor: str, body: bytes) -> None:
    """As the hook does it. Raises WebhookRejected."""
    token = visitors.token_for(visitor, inbox.key)
    adapter.authenticate(HookRequest("POST", f"/hooks/{inbox.key}/", "", {visitors.HEADER: token}, body))
    delivery_id = adapter.delivery_id(body)
    try:
        workers().intake.submit(inbox, delivery_id, body).result(STORE_WITHIN)
    except Exception as error:
        raise WebhookRejected(_("It could not be kept: send it once more."), status=503) from error


def _wait_until_shown(inbox: Inbox, visitor: str, cid: str) -> None:
    until = time.monotonic() + SHOW_WITHIN
    said = Message.objects.filter(thread__inbox=inbox, thread__external_id=visitor, external_id=cid)
    while not said.exists() and time.monotonic() < until:
        time.sleep(0.05)


@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """The script that other sites embed."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache" if settings.DEBUG else "public, max-age=300"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@functools.cache
def _script() -> bytes:
    return (Path(__file__).parents[2] / "static" / "webchat" / "widget.js").read_bytes()


@require_safe
def demo(request: HttpRequest) -> HttpResponse:
    """A shop's page with the widget of the first live web chat."""
    with scopes_disabled():
        inbox = Inbox.objects.filter(channel="webchat", state=Inbox.State.LIVE).order_by("pk").first()
    if inbox is None:
        return render(request, "webchat/no_demo.html", status=404)
    return render(request, "webchat/demo.html", {"inbox": inbox})
