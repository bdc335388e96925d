"""What the Graph API's errors mean for us.

an answer with `error`, by its code       ->  of ours
the token                                     Retryable in five minutes: someone has to mend it
the account: unpaid, locked, blocked          Retryable in five minutes: someone has to see to it
too much, too fast                            Retryable, after the time Meta names
temporary, or `is_transient`                  Retryable
everything else                               Refused, in plain words
502, 504 without an `error`                   Uncertain: a gateway gave up waiting
other 5xx without one                         Retryable
no connection was made                        Retryable: nothing left
any other failure of the connection           Uncertain
a 200 that makes no sense                     Uncertain
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from channels_adapters.meta.readers import name_of
from channels_adapters.reading import Fields
from conversations.text import clean_line
from crm.web.outgoing import NotAllowed

MENDING_PAUSE = 300.0  # seconds
PAIR_PAUSE = 6.0
_LONGEST_PAUSE = 86_400.0
BAD_TOKEN = "Meta does not accept the access token: make a new one and put it into the inbox's settings"
_TOKEN = ("0", "102", "190", "463", "467")
_TOO_MANY_CODES = frozenset("4 17 32 341 613 1200 80001 80002 80004 80006 80007 80008 130429 131048 133016".split())
_TEMPORARY = frozenset("-1 1 2 131000 131016 131052 131053 131057 135000".split())
_TO_MEND = {
    "368": "Meta has blocked this account for a while because of its rules: see the Business Manager",
    "131031": "Meta has locked this WhatsApp account: see the Business Manager",
    "131037": "the display name of this number is not approved yet: see the WhatsApp Manager",
    "131042": "Meta could not take the payment for this account: see to the payment method in the Business Manager",
    "131045": "this number is not registered: register it in the WhatsApp Manager",
    "133010": "this number is not registered: register it in the WhatsApp Manager",
}
_OUTSIDE_THE_WINDOW = "Meta lets us write only within 24 hours of their last message"
_UNAVAILABLE = "this person cannot be written to: they have blocked us or are gone"
_WORDS = {  # by "code/subcode" or "code"
    "10": "the app may not do this: give it the permission in Meta's app settings",
    "10/2018278": _OUTSIDE_THE_WINDOW,
    "10/2534022": _OUTSIDE_THE_WINDOW,
    "2018065": _OUTSIDE_THE_WINDOW,
    "100/2018001": "Meta knows no such person",
    "100/2534014": "Meta knows no such person",
    "100/2018008": "Meta could not take the file",
    "100/2018047": "Meta could not take the file",
    "100/2018074": "Meta could not take the file",
    "546/2018294": "Meta could not take the file",
    "100/33": "what this is about is gone, or the app may not see it",
    "200/1545041": _UNAVAILABLE,
    "230": "they have not agreed yet that we see their profile",
    "551": _UNAVAILABLE,
    "9007": "this person cannot be written to",
    "100/2534068": "this person cannot be written to",
    "10900": "this comment was answered in private before: Instagram and Facebook allow that once",
    "2018300": "another app has this conversation just now",
    "2018304": "another app has this conversation just now",
    "36007": "this conversation is blocked",
    "36103": "this conversation is blocked",
    "130472": "Meta holds marketing messages to this person back in an experiment of its own",
    "130497": "Meta does not let this account write to people in that country",
    "131005": "the app may not do this: give it the permission in Meta's app settings",
    "131021": "this is our own number",
    "131026": "it cannot be delivered: they have no WhatsApp on this number, have an old version, or have blocked us",
    "131030": "this is a test number, and theirs is not on its list of allowed numbers",
    "131047": "more than 24 hours have passed since their last message: use a template",
    "131049": "Meta holds marketing messages to this person back for now: try again in a day at the earliest",
    "131050": "they do not want marketing messages from us any more",
    "131051": "WhatsApp does not take messages of this kind",
    "131062": "this person shows us no phone number, and messages of this kind need one",
    "131063": "marketing templates are switched off for this account",
    "132000": "the template was given too few or too many values",
    "132001": "there is no such template in this language",
    "132005": "the template is too long with these values",
    "132007": "the template breaks WhatsApp's rules",
    "132008": "the template does not take these values",
    "132012": "the template does not take these values",
    "132015": "Meta has paused this template because people complained about it",
    "132016": "Meta has switched this template off because people complained about it",
    "132068": "the form in this template is blocked",
    "137000": "their WhatsApp was set up anew: ask them whether it is still them",
}
_NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_GATEWAY_GAVE_UP = (502, 504)
_TOO_MANY, _SERVER_ERRORS = 429, 500


class Nonsense(Exception):
    """A good status with an answer that is not the Graph API's."""


@contextmanager
def plain_words() -> Iterator[None]:
    """Failures of the connection, and answers that make no sense, leave as ours."""
    try:
        yield
    except (*_NOTHING_LEFT, NotAllowed) as error:
        raise Retryable("Meta could not be reached") from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Uncertain("Meta took too long") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise Uncertain("the connection to Meta broke before it answered") from error
    except Nonsense as error:
        raise Uncertain("Meta's answer made no sense") from error


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """As `plain_words`, for requests that may run twice without harm: nothing is uncertain."""
    try:
        with plain_words():
            yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def translate(status: int, error: Fields, headers: Mapping[str, str]) -> SendFailed:
    """What an answer means that is no success. `error` is empty when there is none in it."""
    if not error:
        return _without_words(status, headers)
    code = name_of(error, "code")
    if code in _TOKEN:
        return Retryable(BAD_TOKEN, MENDING_PAUSE)  # not Refused: what waits goes out when the token is mended
    if code in _TO_MEND:
        return Retryable(_TO_MEND[code], MENDING_PAUSE)
    if code == "131056":
        return Retryable("WhatsApp takes no more messages to this person just now", _pause(headers) or PAIR_PAUSE)
    if code in _TOO_MANY_CODES or status == _TOO_MANY:
        return Retryable("Meta asks us to slow down", _pause(headers))
    reason = reason_of(error)
    is_known = code in _WORDS or f"{code}/{name_of(error, 'error_subcode')}" in _WORDS
    if code in _TEMPORARY or error.is_true("is_transient") or (status >= _SERVER_ERRORS and not is_known):
        return Retryable(f"Meta has trouble: {reason}")
    return Refused(reason)


def reason_of(error: Fields) -> str:
    """The error in plain words; in Meta's own where we have none for it."""
    code, subcode = name_of(error, "code"), name_of(error, "error_subcode")
    ours = _WORDS.get(f"{code}/{subcode}") or _WORDS.get(subcode) or _WORDS.get(code) or _TO_MEND.get(code)
    if ours:
        return ours
    told = error.text("error_user_msg") or error.one("error_data").text("details") or error.text("message")
    told = clean_line(told or error.text("title"), 200)
    return f"Meta says: {told}" if told else f"Meta gives no reason (code {code or 'unknown'})"


def _without_words(status: int, headers: Mapping[str, str]) -> SendFailed:
    if status == _TOO_MANY:
        return Retryable("Meta asks us to slow down", _pause(headers))
    reason = f"Meta has trouble (status {status})"
    return Uncertain(reason) if status in _GATEWAY_GAVE_UP else Retryable(reason)


def _pause(headers: Mapping[str, str]) -> float | None:
    """Seconds: of Retry-After, or of the minutes that Meta's report on our usage names."""
    told = headers.get("retry-after", "")
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), _LONGEST_PAUSE)
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", ""))
        minutes = [
            Fields(row).number("estimated_time_to_regain_access") or 0 for rows in usage.values() for row in rows
        ]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    longest = max(minutes, default=0)
    return min(longest * 60.0, _LONGEST_PAUSE) if longest > 0 else None
