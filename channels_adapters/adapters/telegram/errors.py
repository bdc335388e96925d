"""What the Bot API's errors mean for us.

    TelegramError of PTB          ->  of ours
    Throttled (429), RetryAfter       Retryable, after the seconds Telegram names
    InvalidToken (401, 404)           Retryable in five minutes: someone has to mend the token
    Forbidden (403)                   Refused: blocked, left, never started
    BadRequest (400)                  Refused (ChatMigrated is followed in `sending`)
    Conflict (409)                    Refused: someone else reads this bot's updates
    ServerFailed 502, 504             Uncertain: a gateway gave up waiting for a server that may have done its work
    ServerFailed, other 5xx           Retryable: the server itself says that it did not do it
    TimedOut, NetworkError            Retryable when no connection was made, so that nothing left; else Uncertain
    a 200 that makes no sense         Uncertain

BadRequest and TimedOut are NetworkErrors too: the order of the cases is theirs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

BAD_TOKEN = "Telegram does not accept the bot's token: copy it again from @BotFather"
TOKEN_PAUSE = 300  # seconds
_NOTHING_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_GATEWAY_GAVE_UP = (502, 504)
_NOT_ALLOWED = {  # in Telegram's description: in ours
    "blocked by the user": "the customer has blocked the bot",
    "user is deactivated": "the customer's Telegram account is closed",
    "bot was kicked": "the bot was removed from the group",
    "not a member": "the bot is not in the group any more",
    "initiate conversation": "the customer has not written to the bot yet: Telegram lets bots only answer",
    "to bots": "Telegram lets bots not write to other bots",
}
# What PTB raises beside its own errors when an answer is JSON but not the Bot API's.
_MISREAD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, OSError)


class Throttled(TelegramError):
    """429. Not PTB's RetryAfter, which warns of its own deprecation when it is made."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("Too many requests")
        self.seconds = seconds


class ServerFailed(NetworkError):
    """5xx, with the status that PTB's NetworkError does not keep."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Telegram answered {status}")
        self.status = status


class Nonsense(TelegramError):
    """A good status with an answer that is not the Bot API's."""


@contextmanager
def plain_words() -> Iterator[None]:
    """PTB's errors leave as ours."""
    try:
        yield
    except TelegramError as error:
        raise translate(error) from error
    except TimeoutError as error:
        raise Uncertain("Telegram took too long") from error
    except _MISREAD as error:
        raise Uncertain("Telegram's answer made no sense") from error


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """As `plain_words`, for requests that may run twice without harm: nothing is uncertain."""
    try:
        with plain_words():
            yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def translate(error: TelegramError) -> SendFailed:
    match error:
        case Throttled():
            return Retryable("Telegram asks us to slow down", error.seconds)
        case RetryAfter():
            return Retryable("Telegram asks us to slow down", _seconds(error.retry_after))
        case InvalidToken():
            return Retryable(BAD_TOKEN, TOKEN_PAUSE)
        case Forbidden():
            return Refused(_why_forbidden(error.message))
        case Conflict():
            return Refused("another program reads this bot's updates: stop it, or give this inbox a bot of its own")
        case BadRequest() if "temporarily" in error.message:  # of a file, or of a wrong id: they do not say which
            return Retryable("the file cannot be had from Telegram just now")
        case BadRequest():
            return Refused(f"Telegram refused: {clean_line(error.message, 200)}")
        case ServerFailed():
            reason = f"Telegram has trouble (status {error.status})"
            return Uncertain(reason) if error.status in _GATEWAY_GAVE_UP else Retryable(reason)
        case NetworkError() if isinstance(error.__cause__, _NOTHING_LEFT):
            return Retryable("Telegram could not be reached")
        case NetworkError():
            return Uncertain("the connection to Telegram broke before it answered")
        case _:
            return Uncertain("Telegram's answer made no sense")


def _why_forbidden(description: str) -> str:
    for theirs, ours in _NOT_ALLOWED.items():
        if theirs in description.lower():
            return ours
    return f"Telegram does not let the bot write here: {clean_line(description, 200)}"


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else wait
