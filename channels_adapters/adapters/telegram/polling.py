"""Long polling: store first, confirm with the next question. A crash between the two brings the updates again."""

import asyncio
import re
from collections.abc import Sequence

from telegram import Bot

from channels_adapters.adapters.telegram.client import PollRequest, poll
from channels_adapters.adapters.telegram.errors import nothing_to_lose
from channels_adapters.adapters.telegram.fields import BrokenUpdate, read_update
from channels_adapters.adapters.telegram.parsing import KINDS
from channels_adapters.contract import Retryable, Store

_ANSWER_TIME = 3  # seconds; nobody waits for the answer to a button
_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})\b')


async def listen(bot: Bot, request: PollRequest, offset: int, store: Store, wait: int) -> None:
    """Take updates until cancelled; raises Retryable or Refused when Telegram gives none."""
    with nothing_to_lose():
        await bot.delete_webhook(drop_pending_updates=False)  # while one is set, every poll is a 409
    while True:
        with nothing_to_lose():
            found = await poll(request, bot, offset=offset, wait=wait, kinds=list(KINDS))
        batch = [(update_id, raw) for raw in found if (update_id := read_update_id(raw)) is not None]
        reached = max([offset, *(update_id + 1 for update_id, _ in batch)])
        if found and reached == offset:
            raise Retryable("Telegram repeats updates that are stored already, or gives none that can be told apart")
        await store([(str(update_id), raw) for update_id, raw in batch], str(reached))  # an empty one keeps the lease
        await _stop_spinners(bot, [raw for _, raw in batch])
        offset = reached


def read_update_id(raw: bytes) -> int | None:
    """Also of an update that cannot be read: it is stored under its id and parked, and the next ones come."""
    try:
        return read_update(raw).size("update_id")
    except BrokenUpdate:
        found = _UPDATE_ID.search(raw)
        return int(found[1]) if found else None


async def _stop_spinners(bot: Bot, updates: Sequence[bytes]) -> None:
    """The customer's program shows a pressed button as busy until it is answered. Failures do not matter."""
    queries = [query for raw in updates if (query := _query_id(raw))]
    answers = (bot.answer_callback_query(query, read_timeout=_ANSWER_TIME) for query in queries)
    await asyncio.gather(*answers, return_exceptions=True)


def _query_id(raw: bytes) -> str:
    try:
        return read_update(raw).one("callback_query").text("id")
    except BrokenUpdate:
        return ""
