"""Processes are killed at random while messages and replies go through; then every one of them is accounted for.

    bin/chaos [--store sqlite|cluster] [--inbound 2000] [--replies 500] [--kills 8] [--seed N]

On the cluster Redis is killed twice and PostgreSQL once as well. Two agents' tabs follow the live feed all the while.

The platform delivers an update until it is acknowledged and the agent's page submits a reply until it is answered:
that is what real ones do; both are held back so that the load lasts as long as the breaks. Afterwards nothing may be
lost, doubled or out of order, a reply that may or may not have arrived must be shown as uncertain, and after each break
every tab must have been current within 20 seconds, but where the next break came first.
"""

import argparse
import contextlib
import functools
import random
import sys
import threading
import time
from collections.abc import Callable

import httpx

from tests.cluster.place import Cluster
from tests.installation import SECRET, Installation, update, wait_until
from tests.measuring.account import Ledger, account
from tests.measuring.breaks import CURRENT_WITHIN, Breaks
from tests.tab import Tab

CHATS = 20


def main(arguments: list[str] | None = None) -> int:
    """Run it and print the account; 0 when everything is in order."""
    wanted = _options().parse_args(arguments)
    chance = random.Random(wanted.seed)
    with Cluster() if wanted.store == "cluster" else Installation() as place, place.sign_in() as page:
        ledger = Ledger()
        _first_messages(place, ledger)
        started = time.monotonic()
        tabs = [Tab(place, page, base) for base in place.web_bases]
        breaks = Breaks(place, tabs, wanted.kills + len(place.faults()))
        threads = _senders(place, ledger, wanted.inbound, breaks)
        threads += _repliers(place, ledger, page, wanted.replies, breaks)
        for thread in threads:
            thread.start()
        _break_at_random(place, wanted.kills, chance, breaks)
        for thread in threads:
            thread.join()
        breaks.end()
        took = time.monotonic() - started
        behind = _wait_until_current(place, tabs)
        _settle(place)
        behind += _wait_until_current(place, tabs)
        return account(place, ledger, page, wanted, took) + _told(breaks) + int(behind > 0)


def _told(breaks: Breaks) -> int:
    """Print how soon the tabs had caught up after each break; how many took too long."""
    worst = max(breaks.healed, default=0.0)
    print(
        f"sockets   current again after {len(breaks.healed)} breaks within {worst:.1f} s, {breaks.late()} too late; "
        f"{breaks.cut_short} breaks came before the last one had healed"
    )
    return breaks.late()


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="bin/chaos", description=__doc__)
    options.add_argument("--inbound", type=int, default=2000)
    options.add_argument("--replies", type=int, default=500)
    options.add_argument("--store", choices=("sqlite", "cluster"), default="sqlite")
    options.add_argument("--kills", type=int, default=8)
    options.add_argument("--seed", type=int, default=int(time.time()))
    return options


def until_taken(ledger: Ledger, attempt: Callable[[], httpx.Response]) -> None:
    """Repeat until the server takes it, as platforms and pages do."""
    while True:
        try:
            answer = attempt()
            if answer.status_code < 300:
                return
            if answer.status_code < 500 and answer.status_code not in (408, 429):
                raise RuntimeError(f"refused for good: {answer.status_code} {answer.text[:200]}")
        except httpx.HTTPError:
            pass
        ledger.retries += 1
        time.sleep(0.1)


def _deliver(place: Installation, ledger: Ledger, client: httpx.Client, number: int, chat: int, text: str) -> None:
    ledger.inbound.setdefault(chat, []).append(text)
    address = f"{place.base}/hooks/{place.key}/"
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    until_taken(ledger, lambda: client.post(address, json=update(number, chat, text), headers=headers))


def _first_messages(place: Installation, ledger: Ledger) -> None:
    """One message per chat, so that there are conversations to answer."""
    with httpx.Client(timeout=10) as client:
        for chat in range(CHATS):
            _deliver(place, ledger, client, chat + 1, 9000 + chat, f"chat {chat} message 0")
    count = "SELECT count(*) FROM conversations_conversation"
    wait_until(lambda: place.rows(count)[0][0] == CHATS, 30, "the first conversations")


def _senders(place: Installation, ledger: Ledger, inbound: int, breaks: Breaks) -> list[threading.Thread]:
    """Four senders, each with its own chats: inside a chat one message follows the other."""

    def send(first: int) -> None:
        with httpx.Client(timeout=10) as client:
            for number in range(first, inbound, 4):
                chat = number % CHATS
                breaks.wait_for_turn(number / inbound)
                _deliver(place, ledger, client, 1000 + number, 9000 + chat, f"chat {chat} message {number + 1}")

    return [threading.Thread(target=send, args=(first,)) for first in range(4)]


def _repliers(
    place: Installation, ledger: Ledger, page: httpx.Client, replies: int, breaks: Breaks
) -> list[threading.Thread]:
    conversations = [pk for (pk,) in place.rows("SELECT id FROM conversations_conversation ORDER BY id")]

    def reply(first: int) -> None:
        for number in range(first, replies, 2):
            text = f"reply {number}"
            breaks.wait_for_turn(number / replies)
            ledger.replies.append(text)
            address = f"/inbox/{conversations[number % len(conversations)]}/reply/"
            fields = {"text": text, "client_id": f"chaos-{number}"}
            until_taken(ledger, lambda: page.post(address, data=fields, headers={"HX-Request": "true"}))  # noqa: B023

    return [threading.Thread(target=reply, args=(first,)) for first in range(2)]


def _break_at_random(place: Installation, kills: int, chance: random.Random, breaks: Breaks) -> None:
    parts = list(place.parts)
    wanted = [functools.partial(_kill, place, chance.choice(parts)) for _ in range(kills)] + place.faults()
    chance.shuffle(wanted)
    for number, happens in enumerate(wanted, start=1):
        if number % 2:  # the others come whether the last one has healed or not
            breaks.wait_until_healed()
        time.sleep(chance.uniform(0.3, 2.0))
        print(f"break {number} of {len(wanted)}: {breaks.make(happens)}", flush=True)


def _kill(place: Installation, part: str) -> str:
    place.end_part(part)
    place.start_part(part)
    place.wait_for(part)
    return part.split("-")[0]


def _wait_until_current(place: Installation, tabs: list[Tab]) -> int:
    """How many tabs have not reached the newest event in time; the head of now, which may go on moving."""
    ((head,),) = place.rows("SELECT max(event_head) FROM crm_workspace")
    started = time.monotonic()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: all(tab.head >= head for tab in tabs), CURRENT_WITHIN, "the tabs")
    behind = sum(tab.head < head for tab in tabs)
    print(f"tabs      {len(tabs)}, {behind} behind event {head} after {time.monotonic() - started:.1f} s", flush=True)
    return behind


def _settle(place: Installation) -> None:
    """Wait until nothing is under way."""
    raw = "SELECT count(*) FROM channels_adapters_rawdelivery WHERE state = 'waiting'"
    out = "SELECT count(*) FROM conversations_delivery WHERE state IN ('queued', 'sending')"
    wait_until(lambda: place.rows(raw)[0][0] == 0 and place.rows(out)[0][0] == 0, 150, "settling")


if __name__ == "__main__":
    sys.exit(main())
