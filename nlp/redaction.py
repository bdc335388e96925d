"""Takes card numbers and secrets out of a text before it is stored. Pure, and free of spaCy.

An IBAN stays: a refund needs it, and it opens nothing by itself.
"""

from __future__ import annotations

import re

from .secret_patterns import SECRETS, WORDS_AFTER_IS

_SEPARATOR = r"[\s.\-_–—‐‑\u200b\u2060·*/]"
_DIGIT_RUN = re.compile(rf"(?<!\d)\d(?:{_SEPARATOR}{{0,3}}\d){{12,}}")
_DIGITS = re.compile(r"\d+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_DEVICE_LABEL = re.compile(r"(?i)\b(?:imei|iccid|sim(?:[ -]?(?:card|karte|kaart))?)\b[^\d]{0,12}$")
_CARD_LENGTHS = range(13, 20)
_PHONE_DIGITS = 15  # E.164's longest

CARD = "[card number]"


def redact(text: str) -> str:
    """The text holds no payment card number, password, key, security code or PIN that could be recognised."""
    text = _without_cards(text)
    for name, pattern in SECRETS:
        text = pattern.sub(lambda found, name=name: _masked(found, name), text)  # type: ignore[misc]  # bound per loop
    return text


def _masked(found: re.Match[str], name: str) -> str:
    secret = found["secret"]
    if found.groupdict().get("is") and secret.casefold().strip("\"'.,!?") in WORDS_AFTER_IS:
        return found[0]  # "my password is wrong" tells no password
    start, end = (position - found.start() for position in found.span("secret"))
    return f"{found[0][:start]}[{name}]{found[0][end:]}"


def _without_cards(text: str) -> str:
    accounts = [found.span() for found in _IBAN.finditer(text) if _is_iban(found[0])]

    def mask(run: re.Match[str]) -> str:
        if any(start <= run.start() < end for start, end in accounts) or _DEVICE_LABEL.search(
            text[: run.start()][-30:]
        ):
            return run[0]
        return _masked_run(run[0], is_international=text[: run.start()].endswith("+"))

    return _DIGIT_RUN.sub(mask, text)


def _masked_run(run: str, *, is_international: bool) -> str:
    """Replaces each stretch of whole digit groups that is a card number; the longest from the left wins."""
    groups = [found.span() for found in _DIGITS.finditer(run)]
    kept, position, first = [], 0, 0
    while first < len(groups):
        last = _card_end(run, groups, first)
        if last is not None and not (
            is_international and first == 0 and _count(run, groups, first, last) <= _PHONE_DIGITS
        ):
            kept += [run[position : groups[first][0]], CARD]
            position, first = groups[last][1], last
        first += 1
    return "".join([*kept, run[position:]])


def _card_end(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    for last in range(min(len(groups), first + max(_CARD_LENGTHS)) - 1, first - 1, -1):
        if _is_card("".join(run[start:end] for start, end in groups[first : last + 1])):
            return last
    return None


def _count(run: str, groups: list[tuple[int, int]], first: int, last: int) -> int:
    return sum(end - start for start, end in groups[first : last + 1])


def _is_card(digits: str) -> bool:
    """A length cards have, Luhn's check, not all one digit, no trunk zero and not a handset's IMEI."""
    if len(digits) not in _CARD_LENGTHS or digits[0] == "0" or len(set(digits)) == 1:
        return False
    if (len(digits) == 15 and digits[:2] in {"35", "86", "99"}) or (len(digits) == 19 and digits[:2] == "89"):
        return False
    doubled = (2 * int(digit) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_iban(written: str) -> bool:
    account = written.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1
