"""What is done to messages that exist: ours edited and deleted, any of them reacted to by Slack's names of emoji."""

import re

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from channels_adapters.adapters.slack.client import Client
from channels_adapters.adapters.slack.markup import escaped
from channels_adapters.adapters.slack.sending import Place, channel_of
from channels_adapters.contract import OutboundAct, Refused
from conversations.text import clean

NAMES = {  # what agents choose from: Slack takes names
    "👍": "thumbsup",
    "❤️": "heart",
    "😂": "joy",
    "🎉": "tada",
    "🙏": "pray",
    "👀": "eyes",
    "✅": "white_check_mark",
    "😮": "open_mouth",
    "😢": "cry",
}
_DONE_BEFORE = (
    ("chat.delete", "message_not_found"),
    ("reactions.add", "already_reacted"),
    ("reactions.remove", "no_reaction"),
)
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}", re.ASCII)


async def do(client: Client, act: OutboundAct) -> None:
    """Do it; a second time it changes nothing. Raises the SDK's errors, or Refused where it makes no sense."""
    if not _TS.fullmatch(act.target):
        raise Refused("this is no Slack message")  # a pressed button, a slash command, a file
    channel = await channel_of(client, Place.of(act.thread_id))
    if act.kind == "edit":
        await _once(client, "chat.update", channel=channel, ts=act.target, text=escaped(clean(act.text)))
    elif act.kind == "delete":
        await _once(client, "chat.delete", channel=channel, ts=act.target)
    elif act.kind == "react":
        await _react(client, act, channel)
    else:
        raise Refused("Slack cannot do this")


async def _react(client: Client, act: OutboundAct, channel: str) -> None:
    """One reaction of ours stands: the one before goes."""
    if act.before and act.before != act.text:
        await _once(client, "reactions.remove", channel=channel, timestamp=act.target, name=_name(act.before))
    if act.text:
        await _once(client, "reactions.add", channel=channel, timestamp=act.target, name=_name(act.text))


async def _once(client: Client, method: str, **fields: str) -> None:
    try:
        await client.call(method, **fields)
    except SlackApiError as error:
        said = error.response.data if isinstance(error.response, AsyncSlackResponse) else None
        code = said.get("error") if isinstance(said, dict) else None
        if (method, code) not in _DONE_BEFORE:
            raise


def _name(emoji: str) -> str:
    if emoji not in NAMES:
        raise Refused("Slack has no name for this reaction")
    return NAMES[emoji]
