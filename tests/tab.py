"""An agent's tab without a browser: it follows the frames of its socket, and pulls when one is missing."""

import json
import threading
import time
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.installation import Installation


class Tab(threading.Thread):
    """Follows the live feed of one web process until `close`, through every break."""

    def __init__(self, place: Installation, page: httpx.Client, base: str) -> None:
        super().__init__(daemon=True)
        self.head = 0
        self.texts: list[str] = []  # frames as they came
        self.closed_with: list[int] = []  # codes
        self._page, self._base = page, base
        self._headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in page.cookies.items())}
        self._origin = Origin(place.base)
        self._closed = threading.Event()
        self.is_open = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._closed.is_set():
            try:
                self._follow()
            except ConnectionClosed as closed:
                self.closed_with.append(closed.rcvd.code if closed.rcvd else 1006)
            except Exception:  # noqa: BLE001  # a break of any kind: the tab connects again
                pass
            self.is_open.clear()
            time.sleep(0.3)

    def close(self) -> None:
        self._closed.set()
        self.join(5)

    def _follow(self) -> None:
        address = f"{self._base.replace('http', 'ws', 1)}/ws/live/?since={self.head}"
        with connect(address, additional_headers=self._headers, origin=self._origin, open_timeout=5) as socket:
            self.is_open.set()
            while not self._closed.is_set():
                try:
                    text = socket.recv(timeout=1)
                except TimeoutError:
                    continue
                self.texts.append(str(text))
                self._take(json.loads(text))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "reset":
            self.head = frame["to"]
        elif frame["type"] == "events" and frame["from"] <= self.head:
            self.head = max(self.head, frame["to"])
        elif frame["type"] == "events" or frame.get("head", 0) > self.head:
            self._pull()

    def _pull(self) -> None:
        answer = self._page.get(f"/inbox/live/?since={self.head}")
        answer.raise_for_status()
        self.texts.append(answer.text)
        self._take({**answer.json(), "from": self.head})
