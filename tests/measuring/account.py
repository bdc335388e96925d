"""What came of every message and reply, when nothing is under way any more."""

import argparse
import re
from collections import Counter
from dataclasses import dataclass, field

import httpx

from tests.installation import Installation


@dataclass
class Ledger:
    """What went in, as the outside knows it."""

    inbound: dict[int, list[str]] = field(default_factory=dict)  # chat -> texts in order
    replies: list[str] = field(default_factory=list)
    retries: int = 0


def account(place: Installation, ledger: Ledger, page: httpx.Client, wanted: argparse.Namespace, took: float) -> int:
    stored = place.rows(
        "SELECT t.external_id, m.text FROM conversations_message m JOIN conversations_thread t ON t.id = m.thread_id "
        "WHERE m.direction = 'in' ORDER BY m.conversation_id, m.seq"
    )
    by_chat: dict[int, list[str]] = {}
    for chat, text in stored:
        by_chat.setdefault(int(chat), []).append(text)
    sent_in = sum(map(len, ledger.inbound.values()))
    lost = sum((Counter(texts) - Counter(by_chat.get(chat, []))).total() for chat, texts in ledger.inbound.items())
    doubled = len(stored) - len(set(stored))
    disordered = sum(by_chat.get(chat) != texts for chat, texts in ledger.inbound.items()) if not lost else -1
    replies = _replies(place, ledger, page)
    print(f"inbound   {sent_in} sent, {lost} lost, {doubled} doubled, {disordered} conversations out of order")
    print(
        f"replies   {len(ledger.replies)} submitted, {replies['lost']} lost, {replies['doubled']} doubled, "
        f"{replies['uncertain']} uncertain of which {replies['shown']} shown and {replies['gone']} not gone out"
    )
    print(f"kills     {wanted.kills}, {ledger.retries} retries from outside, {took:.1f} s, seed {wanted.seed}")
    bad = lost + doubled + abs(disordered) + replies["lost"] + replies["doubled"]
    bad += replies["uncertain"] - replies["shown"]
    print("in order" if not bad else "NOT in order")
    return 1 if bad else 0


def _replies(place: Installation, ledger: Ledger, page: httpx.Client) -> dict[str, int]:
    states = place.rows(
        "SELECT m.text, d.state, m.conversation_id, m.id FROM conversations_message m "
        "LEFT JOIN conversations_delivery d ON d.message_id = m.id WHERE m.direction = 'out'"
    )
    arrived = Counter(place.sent_texts())
    rows = Counter(text for text, _state, _conversation, _pk in states)
    uncertain = [row for row in states if row[1] == "uncertain"]
    settled = {text for text, state, _conversation, _pk in states if state == "uncertain" or arrived[text]}
    shown = sum(_is_shown(page, conversation, pk) for _text, _state, conversation, pk in uncertain)
    return {
        "lost": sum(text not in settled for text in ledger.replies),
        "doubled": sum(count > 1 for count in rows.values()) + sum(count > 1 for count in arrived.values()),
        "uncertain": len(uncertain),
        "shown": shown,
        "gone": sum(not arrived[text] for text, _state, _conversation, _pk in uncertain),
    }


def _is_shown(page: httpx.Client, conversation: int, message: int) -> bool:
    """Whether the agent's page says that the reply is uncertain, walking back to where it stands."""
    html = page.get(f"/inbox/{conversation}/").text
    while f'id="message-{message}"' not in html:
        earlier = _earlier(html)
        if not earlier:
            return False
        html = page.get(earlier, headers={"HX-Request": "true"}).text
    start = html.index(f'id="message-{message}"')
    return "May or may not have arrived." in html[start:].split("</article>")[0]


def _earlier(html: str) -> str:
    link = re.search(r'href="(/inbox/\d+/earlier/[^"]+)"', html)
    return link[1] if link else ""
