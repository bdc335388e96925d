"""What Mastodon's statuses mean for us. Posts carry an Idempotency-Key: a repeat does no harm, nothing is uncertain.

429                     ->  Retryable, when the server says that its limit is over
401                         Retryable in five minutes: the token was taken back, or the account is locked out
403 of the scope            Retryable in five minutes: the token lacks a permission
403, 404, 410, 422          Refused, in the server's words
5xx                         Retryable
other, or no sense          Retryable: something between us and the server
"""

from channels_adapters.answers import PAUSE, Answer
from channels_adapters.contract import Refused, Retryable, SendFailed
from conversations.text import clean_line

BAD_TOKEN = "Mastodon does not accept the access token: copy it again from Preferences, Development"
_SHUT_OUT = ("currently disabled", "suspended", "pending approval", "confirmed e-mail")
_FINAL = (400, 403, 404, 405, 410, 413, 415, 422)


class Gone(Refused):
    """The post is there no longer, or is not shown to us."""


def problem(answer: Answer) -> SendFailed:
    """Why the answer is no good one."""
    said = clean_line(answer.fields().text("error") or answer.fields().text("error_description"), 200)
    if answer.status == 429:
        return Retryable("Mastodon asks us to slow down", answer.pause("x-ratelimit-reset"))
    if answer.status == 401:
        return Retryable(BAD_TOKEN, PAUSE)  # not Refused: what waits goes out when the token is mended
    if answer.status == 403 and "scope" in said:
        return Retryable("the access token lacks a permission: it needs the scopes read and write", PAUSE)
    if answer.status == 403 and any(words in said for words in _SHUT_OUT):
        return Retryable(f"the server has shut the account out: {said}", PAUSE)
    if answer.status in (404, 410) and said:
        return Gone("the post is gone, or its writer has blocked us")
    if answer.status in _FINAL and said:
        return Refused(f"Mastodon refused: {said}")
    if answer.status >= 500:
        return Retryable(f"the Mastodon server has trouble (status {answer.status})")
    return Retryable(f"something between us and Mastodon answered {answer.status}")
