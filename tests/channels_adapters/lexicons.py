"""The lexicons of the AT Protocol as a judge: npm's @atproto/api holds every call and record against them."""

import asyncio
import json
from typing import Any

from tests.channels_adapters.fake_bluesky import FakeBluesky
from tests.channels_adapters.slack_emulator import NODE_MODULES, node

SCRIPT = NODE_MODULES.parent / "tests" / "channels_adapters" / "lexicons.mjs"


def missing() -> str:
    """What the judge lacks on this machine; '' when it can sit."""
    if not (NODE_MODULES / "@atproto" / "api").is_dir():
        return "npm's @atproto/api is not installed: .ci/run does that"
    return "" if node().exists() else "there is no Node: it comes with requirements-dev.txt"


async def judge(sky: FakeBluesky) -> tuple[int, list[str]]:
    """How many calls, records and answers of a fake were held against the lexicons, and what is wrong with them."""
    lines = [json.dumps(line) for line in [*_asked(sky), *_answered(sky)]]
    running = await asyncio.create_subprocess_exec(
        str(node()),
        str(SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    found, counted = await running.communicate("\n".join(lines).encode())
    assert running.returncode == 0, counted.decode()
    return len(lines), found.decode().splitlines()


def _asked(sky: FakeBluesky) -> list[dict[str, Any]]:
    found = []
    for call in sky.calls:
        method = call.path.removeprefix("/xrpc/")
        if call.method == "GET" and "." in method:
            found.append({"kind": "params", "method": method, "value": call.query})
        elif isinstance(call.body, dict):
            found.append({"kind": "input", "method": method, "value": call.body})
            if "record" in call.body:
                found.append({"kind": "record", "method": call.body["collection"], "value": call.body["record"]})
    return found


def _answered(sky: FakeBluesky) -> list[dict[str, Any]]:
    return [{"kind": "output", "method": method, "value": value} for method, value in sky.said]
