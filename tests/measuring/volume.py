"""The inbox list with few and with very many messages behind it."""

import re
import sqlite3
import time
from typing import Any

from tests.installation import SECRET, Installation, update
from tests.measuring.figures import quantiles

PER_CONVERSATION = 10
LOOKS = 30


def measure(place: Installation, sizes: tuple[int, int]) -> dict[str, Any]:
    """Milliseconds of the list page at each number of messages, and the ratio of the medians."""
    figures: dict[str, Any] = {}
    for size in sizes:
        _fill(place, size)
        figures[str(size)] = quantiles(_looks(place))
    small, large = (figures[str(size)]["p50"] for size in sizes)
    return {"list_ms": figures, "ratio": round(large / small, 2)}


def _looks(place: Installation) -> list[float]:
    with place.sign_in() as page:
        page.get("/inbox/rows/?view=all")
        times = []
        for _ in range(LOOKS):
            started = time.perf_counter()
            page.get("/inbox/rows/?view=all").raise_for_status()
            times.append((time.perf_counter() - started) * 1000)
    return times


def _fill(place: Installation, messages: int) -> None:
    """Copy one real conversation until there are so many messages; what differs is who, where and when."""
    with sqlite3.connect(place.folder / "rapport.sqlite3", timeout=60) as store:
        store.execute("PRAGMA foreign_keys=OFF")
        have = store.execute("SELECT count(*) FROM conversations_message").fetchone()[0]
        missing = max(0, messages - have) // PER_CONVERSATION
        top = store.execute("SELECT max(id) FROM conversations_conversation").fetchone()[0]
        numbers = f"WITH RECURSIVE n(i) AS (SELECT {top + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {top + missing}) "
        when = "datetime('now', '-' || (i % 500000) || ' seconds')"
        _copy(store, "crm_customer", numbers, {"id": "i", "name": "'Customer ' || i"})
        _copy(
            store, "conversations_thread", numbers, {"id": "i", "external_id": "'copy ' || i", "conversation_id": "i"}
        )
        changes = {"id": "i", "customer_id": "i", "last_message_at": when, "assignee_id": "NULL"}
        _copy(store, "conversations_conversation", numbers, changes)
        for place_in in range(1, PER_CONVERSATION + 1):
            changes = {"id": f"i * 100 + {place_in} + 10000000", "conversation_id": "i", "thread_id": "i"}
            changes |= {"seq": str(place_in), "external_id": f"'copy ' || i || '-{place_in}'"}
            _copy(store, "conversations_message", numbers, changes)
    with sqlite3.connect(place.folder / "rapport.sqlite3", timeout=60) as store:
        store.execute("ANALYZE")


def _copy(store: sqlite3.Connection, table: str, numbers: str, changes: dict[str, str]) -> None:
    columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
    wanted = ", ".join(changes.get(column, f"t.{column}") for column in columns)
    source = f"(SELECT * FROM {table} ORDER BY id LIMIT 1) t"
    store.execute(f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {wanted} FROM n, {source}")


def first_message(place: Installation) -> None:
    """One real message, to copy from."""
    import httpx

    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    body = update(1, 700, "Where is my order 88213?")
    httpx.post(f"{place.base}/hooks/{place.key}/", json=body, headers=headers, timeout=20).raise_for_status()


def pages_weigh(place: Installation) -> dict[str, Any]:
    """Bytes on the wire of the inbox page with all it loads, compressed, and how many requests that is."""
    with place.sign_in() as page:
        html = page.get("/inbox/?view=all", headers={"Accept-Encoding": "gzip"})
        links = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html.text))
        answers = [html, *(page.get(link, headers={"Accept-Encoding": "gzip"}) for link in links)]
        wire = sum(int(answer.headers.get("content-length", len(answer.content))) for answer in answers)
    return {"page_wire_kib": round(wire / 1024, 1), "page_requests": len(answers)}
