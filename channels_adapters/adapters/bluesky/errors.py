"""What the errors of an AT Protocol server mean for us: `{"error": NAME, "message": words}` with a status.

429 RateLimitExceeded                        ->  Retryable, when the server says that its limit is over
ExpiredToken, InvalidToken                       `client` signs in again; when that does not help: as 401
401, AuthFactorTokenRequired, AccountTakedown    Retryable in five minutes: someone has to mend the account
the recipient does not want it, is gone          Refused, in plain words
other 4xx of the server                          Refused, in its words
502, 503, 504, Upstream*                         Uncertain: another server stood behind it
other 5xx, or no sense                           Retryable

Posts have keys of our own, so for them nothing is uncertain; direct messages have none, and are looked up.
"""

from channels_adapters.answers import PAUSE, Answer
from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

BAD_PASSWORD = "Bluesky does not accept the name and app password: make a new one in Settings, Privacy and security"
_SIGNED_OUT = ("ExpiredToken", "InvalidToken")
_ACCOUNT = {
    "AuthFactorTokenRequired": "this is the account's own password: give an app password",
    "AccountTakedown": "Bluesky has taken the account down",
    "AccountDeactivated": "the account is deactivated",
    "AccountSuspended": "Bluesky has suspended the account",
}
_WORDS = {
    "BlockedActor": "the customer has blocked us, or we them",
    "BlockedByActor": "the customer has blocked us",
    "MessagesDisabled": "the customer takes no direct messages",
    "NotFollowedBySender": "the customer takes direct messages only from those they follow",
    "RecipientNotFound": "the customer's account is gone",
    "ConvoLocked": "this conversation is locked",
    "InvalidConvo": "this conversation is gone",
    "BlobTooLarge": "the file is larger than Bluesky takes",
    "InvalidMimeType": "Bluesky does not show files of this type",
}
_DISABLED = "disabled incoming messages"
_LACKS_CHAT = ("bad token scope", "bad token method", "not authorized", "privileged")


class Gone(Refused):
    """The post is there no longer."""


def is_expired(answer: Answer) -> bool:
    return answer.status in (400, 401) and answer.fields().text("error") in _SIGNED_OUT


def problem(answer: Answer) -> SendFailed:
    """Why the answer is no good one."""
    name = answer.fields().text("error")
    said = clean_line(answer.fields().text("message") or name, 200)
    if answer.status == 429:
        return Retryable("Bluesky asks us to slow down", answer.pause("ratelimit-reset"))
    if any(words in said.lower() for words in _LACKS_CHAT):
        return Retryable("the app password may not use direct messages: make one that may", PAUSE)
    if name in _ACCOUNT and (answer.status == 401 or name != "AccountSuspended"):
        return Retryable(_ACCOUNT[name], PAUSE)
    if name in _WORDS or _DISABLED in said:
        return Refused(_WORDS.get(name, _WORDS["MessagesDisabled"]))
    if answer.status == 401 or name in _SIGNED_OUT:
        return Retryable(BAD_PASSWORD, PAUSE)  # not Refused: what waits goes out when it is mended
    if name in ("NotFound", "RecordNotFound") or said.startswith("Could not locate record"):
        return Gone("the post is gone")
    if answer.status in (502, 503, 504) or name.startswith("Upstream"):
        return Uncertain(f"Bluesky has trouble (status {answer.status})")
    if answer.status >= 500:
        return Retryable(f"Bluesky has trouble (status {answer.status})")
    if answer.status >= 400 and name:
        return Refused(f"Bluesky refused: {said}")
    return Retryable(f"something between us and Bluesky answered {answer.status}")
