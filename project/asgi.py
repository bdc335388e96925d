"""The one ASGI application: hooks and health first, then sockets, then Django's pages. Any ASGI server can run it."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # before the imports below, which need the apps loaded

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from channels_adapters.adapters.webchat.urls import websocket_urlpatterns as visitors
from channels_adapters.hooks import hooks
from conversations.live import long_poll
from conversations.live.urls import websocket_urlpatterns as agents
from crm.web.lengths import told_length
from project.health import answer
from project.limits import LONGEST_BODY
from project.processes import lifespan
from project.proxies import with_real_client
from project.watching import watching


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Hooks, health and metrics pass by the pages' middleware."""
    path = scope["path"]
    if told_length(scope) > LONGEST_BODY:  # before any of it is read, where the server has not read it already
        await answer(send, 413, {"error": f"A request may have {LONGEST_BODY} bytes."})
        return
    if path.startswith("/hooks/"):
        await hooks(scope, receive, send)
    elif path.startswith("/health/") or path == "/metrics":
        await watching(scope, receive, send)
    elif path == long_poll.PATH and b"wait=" in scope["query_string"]:
        await long_poll.hold(scope, receive, send, pages)
    else:
        await pages(scope, receive, send)


# a visitor has a token of their own: their socket needs neither session nor login
sockets = URLRouter([*visitors, re_path("", AuthMiddlewareStack(URLRouter(agents)))])
routes = ProtocolTypeRouter(
    {
        "http": http,
        "lifespan": lifespan,
        "websocket": AllowedHostsOriginValidator(sockets),
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Everything, with the caller's own address on it."""
    await routes(with_real_client(scope) if scope["type"] != "lifespan" else scope, receive, send)
