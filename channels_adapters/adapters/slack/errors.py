"""What the Web API's errors mean for us.

SlackApiError, by its `error`          ->  of ours
429, ratelimited                           Retryable, after the seconds that Slack names
invalid_auth, token_revoked, ...           Retryable in five minutes: someone has to mend the token or the scopes
fatal_error, internal_error, 502, 504      Uncertain: Slack says that some of it may have been done
service_unavailable, other 5xx             Retryable
everything else that Slack says            Refused, in plain words
no connection was made                     Retryable: nothing left
any other failure of the connection        Uncertain
an answer that makes no sense              Uncertain
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

TOKEN_PAUSE = 300.0  # seconds
_LONGEST_PAUSE = 86_400.0
BAD_TOKEN = "Slack does not accept the token: copy it again from the app's settings, or install the app again"
_TOKENS = frozenset(
    "invalid_auth not_authed token_revoked token_expired account_inactive org_login_required ekm_access_denied "
    "team_access_not_granted two_factor_setup_required not_allowed_token_type".split()
)
_DONE_OR_NOT = ("fatal_error", "internal_error")
_NOT_NOW = ("service_unavailable", "request_timeout", "team_added_to_org", "accesslimited", "rollup_error")
_WORDS = {
    "channel_not_found": "Slack knows no such conversation, or the app may not see it",
    "not_in_channel": "the app is not in this channel: invite it there",
    "is_archived": "this channel is archived",
    "user_not_found": "Slack knows no such person",
    "user_disabled": "this person's Slack account is closed",
    "cannot_dm_bot": "Slack lets bots not write to other bots",
    "messages_tab_disabled": "the app's Messages tab is switched off: switch it on in Slack's app settings",
    "restricted_action": "the workspace's rules do not let the app write here",
    "restricted_action_read_only_channel": "only some people may write in this channel",
    "restricted_action_thread_only_channel": "in this channel one can only answer in threads",
    "restricted_action_thread_locked": "this thread is locked",
    "thread_not_found": "the message that this answers is gone",
    "message_not_found": "the message that this answers is gone",
    "msg_too_long": "the text is longer than Slack takes",
    "no_text": "there is nothing to send",
    "invalid_blocks": "Slack cannot show a message like this",
    "file_not_found": "the file is gone",
    "file_deleted": "the file was deleted",
}
_NOTHING_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_GATEWAY_GAVE_UP = (502, 504)
_TOO_MANY, _SERVER_ERRORS, _NOT_DONE, _GOOD = 429, 500, 300, 200
# What the SDK raises beside its own errors when an answer is not the Web API's.
_MISREAD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, SlackClientError)


@contextmanager
def plain_words() -> Iterator[None]:
    """The SDK's errors leave as ours."""
    try:
        yield
    except SlackApiError as error:
        raise translate(error) from error
    except _NOTHING_LEFT as error:
        raise Retryable("Slack could not be reached") from error
    except TimeoutError as error:
        raise Uncertain("Slack took too long") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Uncertain("the connection to Slack broke before it answered") from error
    except _MISREAD as error:
        raise Uncertain("Slack's answer made no sense") from error


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """As `plain_words`, for requests that may run twice without harm: nothing is uncertain."""
    try:
        with plain_words():
            yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def translate(error: SlackApiError) -> SendFailed:
    response: Any = error.response
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = getattr(response, "data", None)
    said = data.get("error") if isinstance(data, dict) else None
    code = said if isinstance(said, str) else ""
    if status == _TOO_MANY or code in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return Retryable("Slack asks us to slow down", _pause(response.headers.get("Retry-After")))
    if code in _TOKENS:
        return Retryable(BAD_TOKEN, TOKEN_PAUSE)  # not Refused: what waits goes out when the token is mended
    if code in ("missing_scope", "no_permission"):
        return Retryable(_missing(data), TOKEN_PAUSE)
    if code in _DONE_OR_NOT or status in _GATEWAY_GAVE_UP:
        return Uncertain(f"Slack has trouble ({code or f'status {status}'})")
    if code in _NOT_NOW or status >= _SERVER_ERRORS:
        return Retryable(f"Slack has trouble ({code or f'status {status}'})")
    if code:
        return Refused(_WORDS.get(code) or f"Slack refused: {clean_line(code, 100)}")
    if status >= _NOT_DONE:
        return Retryable(f"something between us and Slack answered {status}")
    return Uncertain("Slack's answer made no sense")


def _missing(data: Any) -> str:
    needed = data.get("needed") if isinstance(data, dict) else ""
    scope = clean_line(needed, 100) if isinstance(needed, str) else ""
    return f"the app lacks a permission: add the scope {scope or 'it needs'} and install it again"


def _pause(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
