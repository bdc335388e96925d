"""What Viber's answers mean: always 200, with a status inside.

https://developers.viber.com/docs/api/rest-bot-api/#error-codes
"""

from channels_adapters.answers import Answer, trouble
from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

BAD_TOKEN = "Viber does not accept the bot's token: copy it again from the Viber Admin Panel"
TOKEN_PAUSE = 300  # seconds: what waits goes out when the token is mended
_SHUT_OUT = "Viber has closed or blocked this bot: look at it in the Viber Admin Panel"
_TOKEN = (2, 15)
_CLOSED = (7, 8, 9, 18)
_SLOW_DOWN = 12
_NO_WEBHOOK = 10
_WORDS = {
    1: "Viber could not reach our address: PUBLIC_URL must be a public https address with a known certificate",
    5: "this person has no Viber any more",
    6: "the customer has not subscribed to the bot, or has blocked it",
    11: "the customer's phone or Viber is too old for this",
    13: "the customer's Viber is too old for this",
    17: "Viber is not open to bots at the customer's phone",
    19: "Viber does not let bots send to this person",
    20: "Viber does not let bots send this",
    21: "Viber does not let bots write to this person's country",
    22: "the bot is not paid for: look at it in the Viber Admin Panel",
    23: "the bot's balance is used up",
    24: "this month's messages of the bot are used up",
}


def failure(answer: Answer) -> SendFailed | None:
    """What an answer means that is no success; None of one that is."""
    if not answer.is_good:
        return trouble("Viber", answer)
    said = answer.fields()
    status = said.number("status")
    if status == 0:
        return None
    if status is None:
        return Uncertain("Viber's answer made no sense")
    if status in _TOKEN:
        return Retryable(BAD_TOKEN, TOKEN_PAUSE)
    if status in _CLOSED:
        return Retryable(_SHUT_OUT, TOKEN_PAUSE)
    if status == _SLOW_DOWN:
        return Retryable("Viber asks us to slow down", answer.pause())
    if status == _NO_WEBHOOK:
        return Retryable("the bot has no webhook: test the connection once, which sets it", TOKEN_PAUSE)
    words = clean_line(said.text("status_message"), 200)
    return Refused(_WORDS.get(status) or f"Viber refused it (status {status}): {words}")
