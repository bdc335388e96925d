"""What LINE's answers mean: https://developers.line.biz/en/reference/messaging-api/#status-codes"""

from channels_adapters.answers import Answer, trouble
from channels_adapters.contract import Refused, Retryable, SendFailed
from conversations.text import clean_line

BAD_TOKEN = "LINE does not accept the channel access token: issue a new one in the LINE Developers Console"
TOKEN_PAUSE = 300  # seconds: what waits goes out when the token is mended
_QUOTA = "monthly limit"
_USED_UP = "this month's messages of the LINE account are used up: answers within a minute of a message stay free"
_CONFLICT = 409


def failure(answer: Answer) -> SendFailed:
    """What an answer that is no success means."""
    said = answer.fields()
    words = said.text("message")
    if answer.status in (401, 403):
        return Retryable(BAD_TOKEN, TOKEN_PAUSE)
    if answer.status == 429 and _QUOTA in words.lower():
        return Refused(_USED_UP)
    if answer.status == 429 or answer.status >= 500 or not words:
        return trouble("LINE", answer)
    details = "; ".join(detail.text("message") for detail in said.many("details"))
    return Refused(f"LINE refused it: {clean_line(f'{words} {details}', 200)}")


def was_accepted_before(answer: Answer) -> bool:
    """A repeat of what LINE took already."""
    return answer.status == _CONFLICT and "x-line-accepted-request-id" in answer.headers


def is_spent(answer: Answer) -> bool:
    """The reply token was used, or is too old."""
    return answer.status == 400 and "reply token" in answer.fields().text("message").lower()
