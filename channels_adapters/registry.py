"""Finds the channels: every ChannelAdapter in `channels_adapters/adapters`, one file or folder each."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from channels_adapters import adapters
from channels_adapters.contract import ChannelAdapter


@cache
def channels() -> Mapping[str, type[ChannelAdapter]]:
    """The adapter class of each channel, by its name. Channels not started here are not in it."""
    found: dict[str, type[ChannelAdapter]] = {}
    for module in pkgutil.iter_modules(adapters.__path__):
        namespace = vars(importlib.import_module(f"{adapters.__name__}.{module.name}"))
        for thing in namespace.values():
            if isinstance(thing, type) and issubclass(thing, ChannelAdapter) and "channel" in vars(thing):
                found[thing.channel] = thing
    return found
