"""The way of a message from the platform's request to the agent's socket, beside the floor of the same run."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.installation import ROOT, SECRET, Installation, update
from tests.measuring.figures import quantiles
from tests.measuring.floor import open_store
from tests.servers import free_port

PACE = 0.05  # seconds between messages: low load
IN_FLIGHT = 16
TICKS = os.sysconf("SC_CLK_TCK")


def measure(place: Installation, messages: int) -> dict[str, Any]:
    """Latency at low load and at half of the sustained rate, the sustained rate, and CPU per message."""
    return asyncio.run(_measure(place, messages))


async def _measure(place: Installation, messages: int) -> dict[str, Any]:
    with place.sign_in() as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    hook, floor_port = f"{place.base}/hooks/{place.key}/", free_port()
    with _floor(floor_port, place.folder / "floor.sqlite3"):
        async with (
            connect(
                f"{place.base.replace('http', 'ws')}/ws/live/?since=0",
                additional_headers={"Cookie": cookies, "Origin": place.base},
                max_size=None,
            ) as agent,
            await _patiently(f"ws://127.0.0.1:{floor_port}/") as bare,
            httpx.AsyncClient(timeout=60) as post,
        ):
            product, floor = [], []
            for number in range(1, messages + 1):
                floor.append(await _once(post, f"http://127.0.0.1:{floor_port}/", bare, number))
                product.append(await _once(post, hook, agent, number))
                await asyncio.sleep(PACE)
            spent = _cpu(place)
            rate = await _burst(post, hook, agent, messages + 1, messages)
            spent = (_cpu(place) - spent) / messages
            floor_rate = await _burst(post, f"http://127.0.0.1:{floor_port}/", bare, messages + 1, messages)
            half, answered = await _paced(post, hook, agent, 2 * messages + 1, messages, 2 / rate)
            bare_address = f"http://127.0.0.1:{floor_port}/"
            _half, bare_answered = await _paced(post, bare_address, bare, 2 * messages + 1, messages, 2 / rate)
            stored = await _stored(place.folder / "bare.sqlite3", messages, 2 / rate)
    warm = max(5, messages // 20)
    return {
        "messages": messages - warm,
        "webhook_to_socket_ms": quantiles(product[warm:]),
        "floor_ms": quantiles(floor[warm:]),
        "half_load_ms": quantiles(half),
        "acknowledged_ms": quantiles(answered),
        "floor_acknowledged_ms": quantiles(bare_answered),
        "insert_and_commit_ms": quantiles(stored),
        "sustained_per_second": round(rate, 1),
        "floor_per_second": round(floor_rate, 1),
        "cpu_ms_per_message": round(spent * 1000, 1),
    }


def _cpu(place: Installation) -> float:
    """Seconds of processor time that the server has used."""
    fields = Path(f"/proc/{place.processes['serve'].pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def _floor(port: int, path: Path) -> Any:
    process = subprocess.Popen([sys.executable, "-m", "tests.measuring.floor", str(port), str(path)], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


async def _patiently(address: str) -> Any:
    for _ in range(100):
        with contextlib.suppress(OSError):
            return await connect(address)
        await asyncio.sleep(0.1)
    raise TimeoutError(address)


async def _deliver(post: httpx.AsyncClient, address: str, number: int, text: str) -> float:
    """Milliseconds until the delivery is acknowledged."""
    body, started = update(number, 700 + number % 20, text), time.perf_counter()
    answer = await post.post(address, json=body, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return (time.perf_counter() - started) * 1000


async def _once(post: httpx.AsyncClient, address: str, socket: Any, number: int) -> float:
    """Milliseconds from just before the request to the frame that holds the message."""
    mark = f"mark-{number}-mark"
    started = time.perf_counter()
    sending = asyncio.create_task(_deliver(post, address, number, f"Where is my order {number}? {mark}"))
    while mark not in await asyncio.wait_for(socket.recv(), 20):
        pass
    took = (time.perf_counter() - started) * 1000
    await sending
    return took


async def _burst(post: httpx.AsyncClient, address: str, socket: Any, first: int, count: int) -> float:
    """Messages a second, from the first request to the frame with the last message."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def deliver(number: int) -> None:
        async with gate:
            await _deliver(post, address, number, f"burst-{number}-burst")

    missing = {f"burst-{number}-burst" for number in range(first, first + count)}
    started = time.perf_counter()
    sending = [asyncio.create_task(deliver(number)) for number in range(first, first + count)]
    while missing:
        frame = await asyncio.wait_for(socket.recv(), 60)
        missing -= {mark for mark in missing if mark in frame}
    took = time.perf_counter() - started
    await asyncio.gather(*sending)
    return count / took


async def _paced(
    post: httpx.AsyncClient, address: str, socket: Any, first: int, count: int, pause: float
) -> tuple[list[float], list[float]]:
    """Milliseconds to the socket, and to the acknowledgement, of each of `count` messages that are sent every `pause`
    seconds, whatever the answers do."""
    began: dict[str, float] = {}
    took: list[float] = []

    async def send() -> list[float]:
        sending = []
        for number in range(first, first + count):
            began[f"paced-{number}-paced"] = time.perf_counter()
            sending.append(asyncio.create_task(_deliver(post, address, number, f"paced-{number}-paced")))
            await asyncio.sleep(pause)
        return list(await asyncio.gather(*sending))

    sender = asyncio.create_task(send())
    while len(took) < count:
        frame = await asyncio.wait_for(socket.recv(), 60)
        now = time.perf_counter()
        took += [(now - began.pop(mark)) * 1000 for mark in list(began) if mark in frame]
    return took, await sender


async def _stored(path: Path, count: int, pause: float) -> list[float]:
    """Milliseconds of `count` bare inserts, each with its commit, as often as the product was sent messages."""
    store, took = open_store(str(path)), []
    for number in range(count):
        started = time.perf_counter()
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO message (body) VALUES (?)", (f"stored-{number}",))
        store.execute("COMMIT")
        took.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(pause)
    store.close()
    return took
