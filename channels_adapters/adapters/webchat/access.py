"""What the visitor's pages share: the chat behind a key, and who may show it in a frame."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django_scopes import scope

from channels_adapters import connections
from channels_adapters.adapters.webchat import WebChatAdapter, limits
from conversations.models import Inbox

View = Callable[..., HttpResponseBase]


def chat_page(view: View) -> View:
    """Calls `view(request, inbox, adapter)` for the live web chat of `key`, in its workspace's scope.

    404 for a key that is no web chat's; 503 with plain words while the chat is not live.
    """

    @wraps(view)
    def opened(request: HttpRequest, key: str, **rest: Any) -> HttpResponseBase:
        served = connections.serving(key)
        if served is None or not isinstance(served.adapter, WebChatAdapter):
            raise Http404
        inbox, adapter = served.inbox, served.adapter
        with scope(workspace=inbox.workspace):
            live = inbox.state == Inbox.State.LIVE
            response = view(request, inbox, adapter, **rest) if live else _closed(request, inbox)
        return _frameable(response, adapter.allowed_sites)

    return never_cache(xframe_options_exempt(opened))


def _closed(request: HttpRequest, inbox: Inbox) -> HttpResponse:
    return render(request, "webchat/closed.html", {"inbox": inbox}, status=503)


def _frameable(response: HttpResponseBase, sites: tuple[str, ...]) -> HttpResponseBase:
    ancestors = ["'self'", *sites] if sites else ["*"]
    response._csp_replace = {"frame-ancestors": ancestors}  # type: ignore[attr-defined]  # where django-csp looks
    return response


def words(text: str, status: int) -> HttpResponse:
    """An answer in plain text, for the page to show beside what was not taken."""
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    if status == 429:
        response.headers["Retry-After"] = str(limits.RETRY_AFTER)
    return response


def stranger() -> HttpResponse:
    return words(_("This chat does not know you: open its page again."), 403)
