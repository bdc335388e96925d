"""Twilio's error numbers in plain words: https://www.twilio.com/docs/api/errors"""

from channels_adapters.answers import Answer, trouble
from channels_adapters.contract import Refused, Retryable, SendFailed
from channels_adapters.reading import Fields
from conversations.text import clean_line

BAD_TOKEN = "Twilio does not accept the account SID and token: copy them again from Twilio's console"
TOKEN_PAUSE = 300  # seconds: what waits goes out when the token is mended
_SLOW_DOWN = (20429, 14107, 63018, 30001)
_LATER = (20500, 20503, 21730)
_TOKEN = (20003, 20005, 20006, 90010, 10001, 20404)

OPTED_OUT = "the customer has written STOP: Twilio delivers nothing until they write START"
_NO_NUMBER = "this is not a number that Twilio can reach"
_OURS = "Twilio does not let us send from this number: look at it in Twilio's console"
_BLOCKED = "the network or Twilio took it for spam and stopped it"
_WORDS = {
    21211: _NO_NUMBER,
    21217: _NO_NUMBER,
    21265: _NO_NUMBER,
    21604: "there is nobody to send it to",
    21614: "this number takes no SMS: it may be a landline",
    21408: "SMS to this country is switched off in Twilio's console (geographic permissions)",
    21612: "Twilio has no way from our number to this one",
    21608: "a trial account sends only to numbers that were verified in Twilio's console",
    21610: OPTED_OUT,
    21606: _OURS,
    21603: _OURS,
    21212: _OURS,
    21659: _OURS,
    21660: _OURS,
    21703: "the messaging service has no number to send from",
    21704: "the messaging service has no number to send from",
    21705: "there is no such messaging service",
    21617: "the text is longer than 1,600 characters",
    21605: "the text is longer than 1,600 characters",
    21602: "there is nothing to send",
    21619: "there is nothing to send",
    21609: "Twilio cannot call our address back: set PUBLIC_URL to a public address",
    21620: "Twilio could not fetch the file: PUBLIC_URL must be an address that can be reached from outside",
    12300: "Twilio does not take files of this kind",
    11200: "Twilio could not fetch the file",
    30002: "the account is suspended",
    30003: "the phone cannot be reached: it is off, or has no network",
    30004: "the phone or its network blocks our messages",
    30005: "this number is not in use",
    30006: "this is a landline, or a network that Twilio does not reach",
    30007: _BLOCKED,
    30008: "the network lost it and does not say why",
    30010: "it would cost more than the limit that was set",
    30011: "MMS is not possible to this network",
    30017: "the phone's network is overloaded",
    30019: "the file is too large for the phone's network",
    30032: "the toll-free number is not verified",
    30034: "our number is not registered for messages of a business (A10DLC)",
    30410: "the phone's network did not answer in time",
    30450: "this person was sent too many messages within a short time",
    63001: "Twilio could not sign in to WhatsApp: look at the sender in Twilio's console",
    63003: "there is no WhatsApp at this number",
    63005: "WhatsApp does not take this content",
    63007: "there is no WhatsApp sender with our number",
    63010: "WhatsApp has trouble",
    63012: "WhatsApp has trouble",
    63013: "this breaks WhatsApp's rules",
    63015: "the customer has to join the WhatsApp sandbox first",
    63016: "WhatsApp takes free text only within 24 hours of the customer's last message: send a template",
    63019: "WhatsApp could not fetch the file",
    63021: "WhatsApp does not take this content",
    63024: "WhatsApp does not deliver to this number",
    63032: "WhatsApp limits what this person gets of marketing",
    63033: "the customer has blocked us on WhatsApp",
    63040: "this template was rejected",
    63041: "this template is paused",
    63042: "this template is switched off",
    63049: "WhatsApp limits what this person gets of marketing",
}


def words_of(code: int | None, said: str = "") -> str:
    """What an error means, for an agent: our words, else Twilio's, else its number."""
    if code in _WORDS:
        return _WORDS[code]
    named = f" (error {code})" if code else ""
    return f"Twilio refused it{named}: {clean_line(said, 200)}" if said else f"Twilio could not deliver it{named}"


def failure(answer: Answer) -> SendFailed:
    """What an answer that is no success means."""
    said = answer.fields()
    code = said.number("code")
    if code in _TOKEN or answer.status in (401, 403):
        return Retryable(BAD_TOKEN, TOKEN_PAUSE) if code in (None, *_TOKEN) else Refused(words_of(code))
    if code in _SLOW_DOWN:
        return Retryable("Twilio asks us to slow down", answer.pause())
    if code in _LATER:
        return Retryable("Twilio has trouble", answer.pause())
    if answer.status == 429 or answer.status >= 500 or not said:
        return trouble("Twilio", answer)
    return Refused(words_of(code, said.text("message")))


def failed_at_once(said: Fields) -> Refused | None:
    """A message that was taken and failed in the same answer."""
    if said.text("status") not in ("failed", "undelivered", "canceled"):
        return None
    return Refused(words_of(said.number("error_code"), said.text("error_message")))
