"""What a process without pages answers when it is given a port: health and metrics, for whoever watches it."""

from typing import Any

from project.health import answer, health
from project.metrics import metrics


async def watching(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/health/...` and `/metrics`; there is nothing else here."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    elif scope["path"].startswith("/health/"):
        await health(scope, receive, send)
    elif scope["path"] == "/metrics":
        await metrics(scope, receive, send)
    else:
        await answer(send, 404, {"error": "Here are /health/live, /health/ready and /metrics."})
