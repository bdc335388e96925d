"""What a connection to Twilio asks for."""

from channels_adapters.contract import Setting

FORM = (
    Setting("account_sid", "Account SID", "Twilio's console, on its first page: AC and 32 letters and digits."),
    Setting("auth_token", "Auth token", "Beside the account SID in Twilio's console.", secret=True),
    Setting(
        "sms_number",
        "Number for SMS",
        "With a plus and the country: +46701234567. Phone Numbers, Manage, Active numbers. Empty: no SMS.",
        required=False,
    ),
    Setting(
        "whatsapp_number",
        "Number for WhatsApp",
        "With a plus and the country. Messaging, Senders, WhatsApp senders: let it post to this inbox's hook there.",
        required=False,
    ),
    Setting(
        "messaging_service_sid",
        "Messaging service",
        "MG and 32 letters and digits: Twilio then chooses which of the service's numbers sends. May be empty.",
        required=False,
    ),
    Setting(
        "webhook_base",
        "Address of a proxy",
        "Where Twilio calls a proxy of yours that hands its calls on to us: https://proxy.example/hooks. Else empty.",
        required=False,
        by_hand=False,
    ),
    Setting(
        "webhook_path",
        "Path on the proxy",
        "What follows it in the address that Twilio calls there.",
        required=False,
        default="/twilio/inbound",
        by_hand=False,
    ),
    Setting("hook_url", "Hook", "Leave it empty: the connection test fills it in.", required=False, by_hand=False),
    Setting(
        "api_url",
        "Address of the API",
        "Leave it empty for Twilio itself. For another one: scheme, host and port.",
        required=False,
        by_hand=False,
    ),
)
