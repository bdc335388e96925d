"""Of several processes one at a time takes an inbox's deliveries in: two would read the same messages for nothing.

The claim is PostgreSQL's own lock of a session: it is gone the moment its process or its connection is. That no
delivery is taken in twice does not rest on it, but on the rows.
"""

import contextlib
from collections.abc import Iterator

from django.db import Error, connection

_TAKING_IN = 7_269_844  # any number of our own: it names the kind of lock


def is_shared() -> bool:
    """Whether another process may be at the same inbox. On SQLite there is none."""
    return connection.vendor == "postgresql"


@contextlib.contextmanager
def alone_with(inbox_id: int) -> Iterator[bool]:
    """Whether the inbox is ours until the end of the block; False when another process is at it."""
    if not is_shared():
        yield True
        return
    names = [_TAKING_IN, inbox_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", names)
        is_ours: bool = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours:
            with contextlib.suppress(Error), connection.cursor() as cursor:  # with a broken connection it is gone
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", names)
