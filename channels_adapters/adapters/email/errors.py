"""What mail servers say, in plain words, and what it means for a mail on its way out.

421, 450, 451, other 4xx      Retryable: greylisted, busy; the first three not before five minutes
530, 534, 535                 Retryable in five minutes: someone has to mend the login
552, 5.2.3, 5.3.4             Refused: too large
550, 551, 553, 5.1.x          Refused: no such address
5.7.x, 554                    Refused: unwanted, or not from us
no connection                 Retryable
anything after the mail left  Uncertain, unless the server says 4xx or 5xx
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiosmtplib
import imap_tools

from channels_adapters.adapters.email.account import SETTINGS_PAUSE, Server
from channels_adapters.contract import Refused, Retryable, SendFailed, Uncertain
from conversations.text import clean_line

GREYLISTED = 300.0  # seconds
_BUSY = (421, 450, 451)
_LOGIN = (530, 534, 535, 538)
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_PERMANENT = 500


def bad_login(server: Server) -> str:
    return f"{server.host} does not accept the login: check the user name and the password, or the app password"


@contextmanager
def plain_words(server: Server) -> Iterator[None]:
    """What goes wrong on the way to a server leaves as ours: Retryable, or Refused where it says no for good."""
    try:
        yield
    except SendFailed:
        raise
    except aiosmtplib.SMTPConnectError as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise _about_tls(error.__cause__, server) from error
        if isinstance(error, aiosmtplib.SMTPConnectResponseError):
            raise answered(error.code, error.message, server) from error
        raise Retryable(f"{server.host} could not be reached on port {server.port}") from error
    except aiosmtplib.SMTPResponseException as error:
        raise answered(error.code, error.message, server) from error
    except imap_tools.MailboxLoginError as error:
        raise Retryable(bad_login(server), SETTINGS_PAUSE) from error
    except ssl.SSLError as error:
        raise _about_tls(error, server) from error
    except (TimeoutError, aiosmtplib.SMTPTimeoutError) as error:
        raise Retryable(f"{server.host} took too long") from error
    except OSError as error:
        raise Retryable(f"{server.host} could not be reached on port {server.port}") from error
    except aiosmtplib.SMTPNotSupported as error:
        raise Retryable(f"{server.host} lacks what we need: {clean_line(str(error), 120)}", SETTINGS_PAUSE) from error
    except (aiosmtplib.SMTPException, imaplib.IMAP4.error, imap_tools.ImapToolsError, ValueError) as error:
        raise Retryable(f"{server.host} answered: {clean_line(str(error), 160)}") from error


def _about_tls(error: ssl.SSLError, server: Server) -> Retryable:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the certificate of {server.host} is not valid: {clean_line(error.verify_message, 100)}"
    else:
        words = f"{server.host} does not speak TLS on port {server.port}: choose another encryption or port"
    return Retryable(words, SETTINGS_PAUSE)


@contextmanager
def once_it_left(server: Server) -> Iterator[None]:
    """As `plain_words`, when the mail may have arrived: only the server's own no is a no."""
    try:
        with plain_words(server):
            yield
    except SendFailed as error:
        if isinstance(error.__cause__, aiosmtplib.SMTPResponseException):
            raise
        raise Uncertain(f"the connection to {server.host} broke before it said that it has the mail") from error


def answered(code: int, message: str, server: Server, address: str = "") -> SendFailed:
    """What the server's answer means; `address` is whom the mail was for."""
    found = _ENHANCED.search(message)
    enhanced, words = found[0] if found else "", clean_line(_ENHANCED.sub("", message), 160)
    said = f": {words}" if words else ""
    if code in _LOGIN:
        return Retryable(bad_login(server), SETTINGS_PAUSE)
    if code < _PERMANENT:
        return Retryable(f"{server.host} asks us to come later{said}", GREYLISTED if code in _BUSY else None)
    if code == 552 or enhanced in ("5.2.3", "5.3.4"):
        return Refused(f"the mail is too large{said}")
    if enhanced.startswith("5.7.") or code == 554:
        return Refused(f"{server.host} refuses it as unwanted or not allowed{said}")
    if address and (code in (550, 551, 553) or enhanced.startswith("5.1.")):
        return Refused(f"the address {address} takes no mail{said}")
    return Refused(f"{server.host} refuses it{said}")
