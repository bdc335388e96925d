"""The form of a mailbox's connection."""

from channels_adapters.contract import Setting

_YES = "yes", ("yes", "no")
_STARTTLS, _TLS = ("starttls", ("starttls", "tls", "none")), ("tls", ("tls", "starttls", "none"))
_PROVIDERS = "Your provider's help page calls it"


def _optional(key: str, label: str, text: str, default: str = "", choices: tuple[str, ...] = ()) -> Setting:
    return Setting(key, label, text, required=False, default=default, choices=choices)


def _secret(key: str, label: str, text: str) -> Setting:
    return Setting(key, label, text, secret=True, required=False)


FORM = (
    Setting("address", "Address", "What customers write to: help@example.org."),
    _optional("from_name", "Name beside the address", "What customers read as the sender: Example Support."),
    _optional("aliases", "Other addresses", "Addresses that end in the same mailbox, with commas between them."),
    _optional("domain", "Domain", "Stands in the ids of our mails. Empty: that of the address."),
    _optional("username", "Login", "Usually the address itself. Empty: no login."),
    _secret("password", "Password", "The mailbox's, or an app password where the provider asks for one."),
    _optional("smtp_host", "Outgoing server (SMTP)", f"{_PROVIDERS} SMTP: smtp.example.org. Empty: nothing is sent."),
    _optional("smtp_port", "Its port", "Empty: 587, or 465 with tls."),
    _optional("smtp_security", "Its encryption", "Almost always starttls or tls.", *_STARTTLS),
    _optional("imap_host", "Incoming server (IMAP)", f"{_PROVIDERS} IMAP. Empty: mail is posted to us."),
    _optional("imap_port", "Its port", "Empty: 993, or 143 with starttls or none."),
    _optional("imap_security", "Its encryption", "Almost always tls.", *_TLS),
    _optional("imap_folder", "Folder that is read", "Mail that arrives in it from now on is taken in.", "INBOX"),
    _optional("sent_folder", "Folder for sent mail", "Empty: the one that the server names as such."),
    _optional("mark_read", "Mark as read", "Whether what was taken in is marked as read in the mailbox.", *_YES),
    _optional(
        "plus_addresses",
        "Plus addresses",
        "yes: answers go to help+…@ of your address, which finds their conversation whatever the mail program does; "
        "no: where your server refuses such addresses.",
        *_YES,
    ),
    _optional(
        "auth_server",
        "Server that checks senders",
        "The first word of Authentication-Results in mail that you get, as mx.example.org: only its word on SPF, DKIM "
        "and DMARC is believed. The connection test names those it sees. Empty: nobody's is.",
    ),
    _optional("smtp_username", "Another login for SMTP", "Only where it differs."),
    _secret("smtp_password", "Another password for SMTP", "Only where it differs."),
    _optional("oauth_url", "OAuth: where tokens are given", "For Google and Microsoft 365, which take no password."),
    _optional("oauth_client_id", "OAuth: client id", "Of the app that you registered with the provider."),
    _secret("oauth_client_secret", "OAuth: client secret", "Of the same app."),
    _secret("oauth_refresh_token", "OAuth: refresh token", "What the provider gave when the mailbox's owner agreed."),
    Setting(
        "hook_secret",
        "Secret of the hook",
        "Proves mail that is posted here. Left empty, it is made up.",
        secret=True,
        required=False,
        by_hand=False,
        made=True,
    ),
    Setting(
        "token_secret",
        "Secret of our addresses",
        "Makes the addresses that answers come back to. Left empty, it is made up; changed, old answers start anew.",
        secret=True,
        required=False,
        by_hand=False,
        made=True,
    ),
    Setting("hook_url", "Address of the hook", "The connection test fills it in.", required=False, by_hand=False),
    Setting(
        "api_url",
        "A mail server inside your network",
        "smtp://10.0.0.5: a server of this name or number may have a private address.",
        required=False,
        by_hand=False,
    ),
)
