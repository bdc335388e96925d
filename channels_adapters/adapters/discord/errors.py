"""What the errors of Discord's REST interface mean for us.

429                                  ->  Retryable, after the seconds that Discord names
401                                      Retryable in five minutes: someone has to mend the token
slow mode and its like                   Retryable
another code, other 4xx                  Refused, in plain words
502, 504, a time-out, nonsense           Uncertain: `look_up` asks, and what goes out again has the same nonce
other 5xx, no connection                 Retryable
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from channels_adapters.reading import Broken, Fields
from conversations.text import clean_line
from crm.web.outgoing import NotAllowed

TOKEN_PAUSE = 300.0  # seconds
BAD_TOKEN = "Discord does not accept the bot's token: reset it in the Developer Portal and copy the new one"
_LONGEST_PAUSE, _SLOW_MODE = 86_400.0, 30.0
_SLOWER = (20016, 20022, 20028, 40003)
ARCHIVED = 50083
_WORDS = {
    10003: "the channel is gone",
    10008: "the message is gone",
    10014: "Discord knows no such emoji",
    30010: "the message has as many different reactions as Discord takes",
    40005: "the file is larger than Discord takes",
    50001: "the bot may not see this channel",
    50005: "only the bot's own messages can be changed",
    50006: "there is nothing to send",
    50007: "the customer takes no messages from the bot: they closed their direct messages, or blocked it",
    50013: "the bot lacks a permission in this channel",
    50278: "the bot and the customer share no server any more, so Discord lets it not write to them",
    ARCHIVED: "this thread is archived, and the bot may not open it again",
    160002: "the bot may not see what this answers",
    200000: "the server's own rules (AutoMod) hold this message back",
}
_TOO_MANY, _UNAUTHORIZED, _SERVER_ERRORS, _BAD = 429, 401, 500, 400
_GATEWAY_GAVE_UP = (502, 504)


class TokenLost(Retryable):
    """Discord shut the bot out."""

    def __init__(self) -> None:
        super().__init__(BAD_TOKEN, TOKEN_PAUSE)


class Said(Refused):
    """Refused, with Discord's own number of the reason."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


@contextmanager
def plain_words() -> Iterator[None]:
    """The client's errors leave as ours."""
    try:
        yield
    except NotAllowed as error:
        raise Retryable(f"Discord cannot be called: {clean_line(str(error), 150)}", TOKEN_PAUSE) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise Retryable("Discord could not be reached") from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Uncertain("Discord took too long") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Uncertain("the connection to Discord broke before it answered") from error
    except Broken as error:
        raise Uncertain("Discord's answer made no sense") from error


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """As `plain_words`, for requests that may run twice without harm: nothing is uncertain."""
    try:
        with plain_words():
            yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def failure(status: int, answer: Fields, pause: str | None) -> SendFailed:
    """The error that an answer with a bad status is. `pause`: its Retry-After."""
    code, said = answer.number("code") or 0, clean_line(answer.text("message"), 150)
    if status == _TOO_MANY:
        return Retryable("Discord asks us to slow down", seconds_of(answer, pause))
    if status == _UNAUTHORIZED:
        return TokenLost()
    if code in _SLOWER:
        return Retryable("the channel is in slow mode", seconds_of(answer, pause) or _SLOW_MODE)
    if status in _GATEWAY_GAVE_UP:
        return Uncertain(f"Discord has trouble (status {status})")
    if status >= _SERVER_ERRORS:
        return Retryable(f"Discord has trouble (status {status})")
    if code in _WORDS:
        return Said(_WORDS[code], code)
    if status >= _BAD and (code or said):
        return Said(f"Discord refused: {said or code}", code)
    return Retryable(f"something between us and Discord answered {status}")


def seconds_of(answer: Fields, pause: str | None) -> float | None:
    """How long Discord wants us to wait. A float in the body; a header where a proxy answered."""
    told = answer.raw.get("retry_after", pause)
    try:
        seconds = float(told) if isinstance(told, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
