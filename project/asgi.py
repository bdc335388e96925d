"""The one ASGI application: hooks first, then sockets, then Django's pages. Any ASGI server can run it."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # before the imports below, which need the apps loaded

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from channels_adapters.hooks import hooks
from conversations.live.urls import websocket_urlpatterns as agents


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Hooks pass by the pages' middleware."""
    await (hooks if scope["path"].startswith("/hooks/") else pages)(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(agents))),
    }
)
