"""`manage.py channels`: what each channel can do, from the adapters' capabilities, for docs/channels.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from channels_adapters.abilities import comes_in, goes_out
from channels_adapters.contract import TAKES_IN, ChannelAdapter
from channels_adapters.registry import channels

HEAD = """# Channels

Written by `manage.py channels --write` from what each adapter declares; do not edit it. A dot means no.
"""


class Command(BaseCommand):
    help = "Print what each channel can do, in and out; --write puts it into docs/channels.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/channels.md")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        page = page_of(sorted(channels().values(), key=lambda adapter: adapter.label.casefold()))
        if write:
            (settings.BASE_DIR / "docs/channels.md").write_text(page)
        else:
            self.stdout.write(page, ending="")


def page_of(adapters: list[type[ChannelAdapter]]) -> str:
    """The page: what comes in and what goes out, a row per channel, then how each is connected."""
    parts = [HEAD, "## In\n", _coming_in(adapters), "\n## Out\n", _going_out(adapters), "\n## Connecting\n"]
    return "\n".join([*parts, *(_connecting(adapter) for adapter in adapters)])


def _coming_in(adapters: list[type[ChannelAdapter]]) -> str:
    lines = [_row(["channel", *TAKES_IN]), _row(["---"] * (len(TAKES_IN) + 1))]
    for adapter in adapters:
        found = comes_in(adapter)
        lines.append(_row([adapter.label, *("yes" if word in found else "·" for word in TAKES_IN)]))
    return "\n".join(lines)


def _going_out(adapters: list[type[ChannelAdapter]]) -> str:
    """A row per ability: there are more of them than channels, and they are longer."""
    columns = [goes_out(adapter) for adapter in adapters]
    lines = [_row(["", *(adapter.label for adapter in adapters)]), _row(["---"] * (len(adapters) + 1))]
    lines += [_row([row[0].what, *(ability.value or "·" for ability in row)]) for row in zip(*columns, strict=True)]
    return "\n".join(lines)


def _connecting(adapter: type[ChannelAdapter]) -> str:
    lines = [f"### {adapter.label}", "", f"`manage.py connect {adapter.channel} --name NAME --set key=value ...`", ""]
    lines += [_row(["key", "what", "where it is found", ""]), _row(["---"] * 4)]
    for setting in adapter.settings_form:
        need = "made up when left out" if setting.made else "needed" if setting.required else ""
        lines.append(_row([f"`{setting.key}`", str(setting.label), str(setting.help), need]))
    return "\n".join([*lines, ""]) if adapter.settings_form else "\n".join([*lines[:3], "It needs nothing.", ""])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
