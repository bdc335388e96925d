"""What the errors of X's API mean for us: problems of v2 (`title`, `detail`) or codes of v1.1 (`errors`).

429                                      ->  Retryable, when X says that its limit is over
401; 32, 89, 215                             Retryable in five minutes: someone has to mend the tokens
402, usage cap, client-not-enrolled          Retryable in an hour: someone has to look at the plan
226, 326, 64                                 Retryable in an hour: X has locked the account
187, duplicate                               Duplicate: `sending` looks whether it is there
other 400, 403, 404, 413, 422                Refused, in plain words or X's own
500                                          Retryable
502, 503, 504                                Uncertain
"""

from channels_adapters.answers import PAUSE, Answer
from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

BAD_TOKENS = "X does not accept the keys and tokens: copy all four again from the developer portal"
_HOUR = 3600.0
_TOKENS, _LOCKED = (32, 89, 135, 215), (64, 226, 326)
_PLAN = ("usagecapexceeded", "usage-capped", "client-not-enrolled", "client-forbidden", "creditsdepleted")
_WORDS = {
    144: "the post is gone",
    150: "the customer does not take direct messages from us",
    151: "X could not send the direct message",
    179: "this post is not shown to us",
    186: "the text is longer than X takes",
    349: "the customer does not take direct messages from us",
    385: "the post that this answers is gone, or not shown to us",
    433: "the writer of that post lets only some people answer",
}


class Duplicate(Refused):
    """X has a post of ours with these words already."""


class Gone(Refused):
    """The post, the message or the person is there no longer."""


def problem(answer: Answer) -> SendFailed:
    """Why the answer is no good one."""
    said = answer.fields()
    codes = {code for error in said.many("errors") if (code := error.number("code")) is not None}
    first = next(said.many("errors"), said)
    words = clean_line(said.text("detail") or first.text("message") or said.text("title"), 200)
    kind = f"{said.text('type')} {said.text('reason')} {said.text('title')}".lower()
    if answer.status == 402 or any(plan in kind for plan in _PLAN):
        return Retryable("the plan of the app does not allow this, or is used up: see the developer portal", _HOUR)
    if answer.status == 429:
        return Retryable("X asks us to slow down", answer.pause("x-rate-limit-reset"))
    if codes.intersection(_LOCKED) or "locked" in words:
        return Retryable("X has locked the account: sign in on x.com and follow what it says", _HOUR)
    if answer.status == 401 or codes.intersection(_TOKENS):
        return Retryable(BAD_TOKENS, PAUSE)  # not Refused: what waits goes out when they are mended
    if 187 in codes or "duplicate content" in words:
        return Duplicate("X takes no text twice: change a word")
    if "not permitted" in words and "oauth1" in kind:
        return Retryable("the app may only read: give it read, write and direct messages, and make new tokens", PAUSE)
    if known := next((_WORDS[code] for code in codes if code in _WORDS), ""):
        return Refused(known)
    if answer.status == 404 and words:
        return Gone("X knows it no longer, or does not show it to us")
    if answer.status in (400, 403, 413, 422) and words:
        return Refused(f"X refused: {words}")
    if answer.status in (502, 503, 504):
        return Uncertain(f"X has trouble (status {answer.status})")
    if answer.status >= 500:
        return Retryable(f"X has trouble (status {answer.status})")
    return Retryable(f"something between us and X answered {answer.status}")
