"""What a connection to Viber asks for."""

from channels_adapters.contract import Setting

FORM = (
    Setting("auth_token", "Authentication token", "Viber Admin Panel, Edit info of your bot.", secret=True),
    Setting("bot_name", "Name", "What customers see above each message, at most 28 characters.", required=False),
    Setting("bot_avatar", "Picture", "The https address of a picture of at most 100 kB. May be empty.", required=False),
    Setting(
        "welcome",
        "Welcome",
        "Said to whoever opens the bot for the first time, before they wrote. Empty: nothing.",
        required=False,
    ),
    Setting(
        "api_url",
        "Address of the API",
        "Leave it empty for Viber itself. For another one: scheme, host and port.",
        required=False,
        by_hand=False,
    ),
)
