"""How much one visitor, and one address, may do in a minute."""

from limits import RateLimitItemPerMinute

from crm.web.rates import Rates

MESSAGES = RateLimitItemPerMinute(20)
READ_MARKS = RateLimitItemPerMinute(120)
FILES = RateLimitItemPerMinute(5)
NEW_VISITORS = 30  # from one address; an inbox may set its own figure
RETRY_AFTER = 60  # seconds

_rates = Rates("webchat")


def may_write(visitor: str) -> bool:
    """Counts one message of the visitor; False when there were too many."""
    return _rates.hit(MESSAGES, "message", visitor)


def may_mark_read(visitor: str) -> bool:
    """Counts one read mark; False when there were too many."""
    return _rates.hit(READ_MARKS, "read", visitor)


def may_upload(visitor: str) -> bool:
    """Counts one file; False when there were too many."""
    return _rates.hit(FILES, "file", visitor)


def may_come(address: str, per_minute: int) -> bool:
    """Counts one new visitor from a network address; False when there were too many."""
    return _rates.hit(RateLimitItemPerMinute(per_minute), "visitor", address)


def forget() -> None:
    """Everybody may start over."""
    _rates.forget()
