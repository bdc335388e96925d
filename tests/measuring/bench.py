"""How long from a platform's request to the agent's socket, beside the floor of the same run.

    bin/bench [--messages 300] [--json FILE]

Figures are of a shared machine: read the ratios.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.installation import ROOT, SECRET, Installation, update
from tests.servers import free_port

PACE = 0.05  # seconds between messages: low load
BURST = 200


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; with --json also write the figures."""
    options = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    options.add_argument("--messages", type=int, default=300)
    options.add_argument("--json", type=Path)
    wanted = options.parse_args(arguments)
    with Installation() as place:
        print(f"measuring {wanted.messages} messages one by one, the floor and the product in turn …", flush=True)
        figures = asyncio.run(_measure(place, wanted.messages))
    _print(figures)
    if wanted.json:
        wanted.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


async def _measure(place: Installation, messages: int) -> dict[str, Any]:
    with place.sign_in() as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    product_socket = f"{place.base.replace('http', 'ws')}/ws/live/?since=0"
    product_hook = f"{place.base}/hooks/{place.key}/"
    floor_port = free_port()
    with _floor(floor_port, place.folder / "floor.sqlite3"):
        async with (
            connect(product_socket, additional_headers={"Cookie": cookies, "Origin": place.base}) as agent,
            await _patiently(f"ws://127.0.0.1:{floor_port}/") as bare,
            httpx.AsyncClient(timeout=20) as post,
        ):
            product, floor = [], []
            for number in range(1, messages + 1):
                floor.append(await _once(post, f"http://127.0.0.1:{floor_port}/", bare, number))
                product.append(await _once(post, product_hook, agent, number))
                await asyncio.sleep(PACE)
            burst = await _burst(post, product_hook, agent, messages + 1)
    warm = max(5, messages // 20)
    return {
        "webhook_to_socket_ms": quantiles(product[warm:]),
        "floor_ms": quantiles(floor[warm:]),
        "messages_a_second_in_a_burst": round(burst, 1),
        "messages": messages - warm,
    }


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


async def _once(post: httpx.AsyncClient, address: str, socket: Any, number: int) -> float:
    """Milliseconds from just before the request to the frame that holds the message."""
    text = f"Where is my order {number}? mark-{number}-mark"
    body = update(number, 700 + number % 20, text)
    started = time.perf_counter()
    sending = asyncio.create_task(post.post(address, json=body, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}))
    while f"mark-{number}-mark" not in await asyncio.wait_for(socket.recv(), 20):
        pass
    took = (time.perf_counter() - started) * 1000
    answer = await sending
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return took


async def _burst(post: httpx.AsyncClient, address: str, socket: Any, first: int) -> float:
    """Messages a second from the first request to the frame with the last message, sixteen requests at a time."""
    gate = asyncio.Semaphore(16)

    async def deliver(number: int) -> None:
        async with gate:
            body = update(number, 700 + number % 20, f"burst-{number}-burst")
            await post.post(address, json=body, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})

    missing = {f"burst-{number}-burst" for number in range(first, first + BURST)}
    started = time.perf_counter()
    sending = [asyncio.create_task(deliver(number)) for number in range(first, first + BURST)]
    while missing:
        frame = await asyncio.wait_for(socket.recv(), 60)
        missing -= {mark for mark in missing if mark in frame}
    took = time.perf_counter() - started
    await asyncio.gather(*sending)
    return BURST / took


def quantiles(times: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}


def _print(figures: dict[str, Any]) -> None:
    product, floor = figures["webhook_to_socket_ms"], figures["floor_ms"]
    print(f"{'':34}{'p50':>8}{'p95':>8}{'p99':>8}  ms, {figures['messages']} messages")
    print(f"{'webhook to agent socket':34}" + "".join(f"{product[name]:8.1f}" for name in product))
    print(f"{'floor: insert, commit, push':34}" + "".join(f"{floor[name]:8.1f}" for name in floor))
    print(f"{'ratio':34}" + "".join(f"{product[name] / floor[name]:8.1f}" for name in product))
    print(
        f"in a burst of {BURST}: {figures['messages_a_second_in_a_burst']} messages a second, stored, sorted and shown"
    )


if __name__ == "__main__":
    sys.exit(main())
