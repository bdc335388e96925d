"""The floor: the least that any server of this kind does for a message. Insert, commit, push, answer; nothing else.

The same ASGI server and the same store settings as the product, and no framework: what the product adds is the
distance to this.
"""

import json
import sqlite3
import sys
from typing import Any

_sockets: set[Any] = set()


def open_store(path: str) -> sqlite3.Connection:
    """A store with the product's own settings."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, body TEXT)")
    return store


def application(store: sqlite3.Connection) -> Any:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await _socket(receive, send)
        elif scope["type"] == "http":
            await _post(store, receive, send)

    return app


async def _socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    _sockets.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    _sockets.discard(send)


async def _post(store: sqlite3.Connection, receive: Any, send: Any) -> None:
    message = await receive()
    text = json.loads(message["body"] or b'{"message": {"text": ""}}')["message"]["text"]
    store.execute("BEGIN IMMEDIATE")
    store.execute("INSERT INTO message (body) VALUES (?)", (text,))
    store.execute("COMMIT")
    for push in _sockets:
        await push({"type": "websocket.send", "text": text})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def main(port: str, path: str) -> None:
    import daphne.server  # installs the reactor

    endpoint = f"tcp:port={port}:interface=127.0.0.1"
    daphne.server.Server(application(open_store(path)), endpoints=[endpoint], signal_handlers=True).run()


if __name__ == "__main__":
    main(*sys.argv[1:3])
