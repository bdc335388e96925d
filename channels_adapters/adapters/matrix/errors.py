"""What a homeserver's errors mean for us.

    errcode                               ->  of ours
    M_LIMIT_EXCEEDED, any 429                 Retryable, after the time that the server names
    M_UNKNOWN_TOKEN, M_MISSING_TOKEN, ...     Retryable in five minutes: someone has to mend the token
    M_FORBIDDEN, M_TOO_LARGE, other 4xx       Refused, in plain words
    M_UNKNOWN, 5xx, a time-out, nonsense      Retryable

Nothing is uncertain here: every request that changes something carries an id of ours, and a homeserver carries the
same id out once.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from channels_adapters.contract import Refused, Retryable, SendFailed
from channels_adapters.reading import Broken, Fields
from conversations.text import clean_line
from crm.web.outgoing import NotAllowed

TOKEN_PAUSE = 300.0  # seconds
_LONGEST_PAUSE = 86_400.0
BAD_TOKEN = "the homeserver does not accept the access token: sign in again and copy the new one"
_TOKENS = frozenset("M_UNKNOWN_TOKEN M_MISSING_TOKEN M_USER_DEACTIVATED M_USER_SUSPENDED M_USER_LOCKED".split())
_WORDS = {
    "M_FORBIDDEN": "our account is not in this room any more, or may not write there",
    "M_TOO_LARGE": "this is larger than the homeserver takes",
    "M_NOT_FOUND": "the homeserver knows no such room or message",
    "M_CONSENT_NOT_GIVEN": "the homeserver wants its terms accepted first: sign in there with a Matrix program",
    "M_RESOURCE_LIMIT_EXCEEDED": "the homeserver has reached its limit of users",
    "M_DUPLICATE_ANNOTATION": "the message has this reaction already",
}
_TOO_MANY, _UNAUTHORIZED, _SERVER_ERRORS = 429, 401, 500


class TokenLost(Retryable):
    """The homeserver shut our account out."""

    def __init__(self) -> None:
        super().__init__(BAD_TOKEN, TOKEN_PAUSE)


@contextmanager
def plain_words() -> Iterator[None]:
    """The client's errors leave as ours."""
    try:
        yield
    except NotAllowed as error:
        raise Retryable(f"the homeserver cannot be called: {clean_line(str(error), 150)}", TOKEN_PAUSE) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise Retryable("the homeserver could not be reached") from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Retryable("the homeserver took too long") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Retryable("the connection to the homeserver broke") from error
    except Broken as error:
        raise Retryable("the homeserver's answer made no sense") from error


def failure(status: int, answer: Fields, pause: str | None) -> SendFailed:
    """The error that an answer with a bad status is. `pause`: its Retry-After."""
    code = clean_line(answer.text("errcode"), 60)
    if status == _TOO_MANY or code == "M_LIMIT_EXCEEDED":
        return Retryable("the homeserver asks us to slow down", _seconds(answer, pause))
    if code in _TOKENS or (status == _UNAUTHORIZED and not code):
        return TokenLost()
    if status >= _SERVER_ERRORS or code in ("M_UNKNOWN", ""):
        return Retryable(f"the homeserver has trouble (status {status})")
    return Refused(_WORDS.get(code) or f"the homeserver refused: {clean_line(answer.text('error'), 150) or code}")


def _seconds(answer: Fields, pause: str | None) -> float | None:
    milliseconds = answer.size("retry_after_ms")
    try:
        seconds = float(pause or "") if milliseconds is None else milliseconds / 1000
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
