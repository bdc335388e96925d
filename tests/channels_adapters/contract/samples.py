"""The channels that are there, and their samples: `samples/<channel>/*.json`, one case each.

A case is {"title", "body" or "body_text", "expect": [{"kind": "InboundMessage", some of its fields}]}; the kind
"Unreadable" says that parsing must refuse. `connection.json` beside them holds the settings of the account, and under
"signed" the headers that prove a request where these do not depend on the body.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from channels_adapters.contract import ChannelAdapter, Unreadable
from channels_adapters.registry import channels

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


@dataclass(frozen=True)
class Sample:
    channel: str
    name: str
    body: bytes
    expect: list[dict[str, Any]]


@cache
def samples() -> list[Sample]:
    return [_read(path) for channel in sorted(channels()) for path in _paths(channel)]


def connection(channel: str) -> dict[str, Any]:
    path = SAMPLES / channel / "connection.json"
    return json.loads(path.read_text()) if path.exists() else {"settings": {}}


def adapter_of(channel: str) -> ChannelAdapter:
    return channels()[channel](connection(channel)["settings"])


def parsed(adapter: ChannelAdapter, body: bytes) -> list[dict[str, Any]]:
    """What the adapter reads, as the samples write it."""
    try:
        return [{"kind": type(event).__name__, **_plain(asdict(event))} for event in adapter.parse(body)]
    except Unreadable:
        return [{"kind": "Unreadable"}]


def missing(want: Any, have: Any, at: str = "") -> list[str]:
    """What is expected and not there. Fields that are not named are free; lists are compared whole."""
    if isinstance(want, dict) and isinstance(have, dict):
        return [line for key, value in want.items() for line in missing(value, have.get(key), f"{at}.{key}")]
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [line for n, pair in enumerate(zip(want, have, strict=True)) for line in missing(*pair, f"{at}[{n}]")]
    return [] if want == have else [f"{at}: want {want!r}, have {have!r}"]


def _paths(channel: str) -> list[Path]:
    return [path for path in sorted((SAMPLES / channel).glob("*.json")) if path.name != "connection.json"]


def _read(path: Path) -> Sample:
    case = json.loads(path.read_text())
    body = case["body_text"] if "body_text" in case else json.dumps(case["body"])
    return Sample(path.parent.name, path.stem, body.encode("utf-8", "surrogatepass"), case["expect"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
