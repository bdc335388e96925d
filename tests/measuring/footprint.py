"""What the process takes: memory at rest and per socket, time to start; and what the pipeline does in a second."""

import asyncio
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from tests.installation import ROOT, Installation

SOCKETS = 200


def measure(place: Installation) -> dict[str, Any]:
    """Memory at rest in MiB, KiB per idle agent socket, and seconds from the start to live and ready."""
    place.kill()
    started = time.monotonic()
    place.start(ready=False)
    live = time.monotonic() - started
    place.wait_for("serve", ready=True)
    ready = time.monotonic() - started
    time.sleep(2)
    rest = _resident(place)
    with_sockets = asyncio.run(_with_sockets(place))
    return {
        "cold_start_s": {"live": round(live, 2), "ready": round(ready, 2)},
        "rest_mib": round(rest / 1024, 1),
        "socket_kib": round((with_sockets - rest) / SOCKETS, 1),
    }


def _resident(place: Installation) -> int:
    """KiB of memory that are the server's."""
    status = Path(f"/proc/{place.processes['serve'].pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


async def _with_sockets(place: Installation) -> int:
    with place.sign_in() as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address, headers = f"{place.base.replace('http', 'ws')}/ws/live/", {"Cookie": cookies, "Origin": place.base}
    sockets = [await connect(address, additional_headers=headers) for _ in range(SOCKETS)]
    await asyncio.sleep(2)
    taken = _resident(place)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return taken


def triage_speed() -> dict[str, Any]:
    """Texts a second, one by one and in a batch, on the demo's own texts."""
    import json

    import nlp

    told = [json.loads(line) for line in (ROOT / "project/demo/conversations.jsonl").read_text().splitlines()]
    texts = [turn[2] for scene in told for turn in scene["turns"]]
    readings = [nlp.Reading(text=text) for text in texts]
    nlp.triage(readings)
    started = time.perf_counter()
    for reading in readings:
        nlp.triage([reading])
    singly = time.perf_counter() - started
    started = time.perf_counter()
    nlp.triage(readings * 3)
    batched = time.perf_counter() - started
    count = len(readings)
    return {"triage_per_second": {"one by one": round(count / singly), "batched": round(3 * count / batched)}}
