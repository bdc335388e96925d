"""What a connection to LINE asks for."""

from channels_adapters.contract import Setting

FORM = (
    Setting(
        "channel_secret",
        "Channel secret",
        "LINE Developers Console, your Messaging API channel, Basic settings.",
        secret=True,
    ),
    Setting(
        "channel_access_token",
        "Channel access token",
        "The same console, Messaging API, at the end of the page: issue a long-lived one.",
        secret=True,
    ),
    Setting(
        "bot_user_id",
        "The bot's user id",
        "Leave it empty: the connection test fills it in.",
        required=False,
        by_hand=False,
    ),
    Setting(
        "api_url",
        "Address of the API",
        "Leave it empty for LINE itself. For another one: scheme, host and port.",
        required=False,
        by_hand=False,
    ),
)
