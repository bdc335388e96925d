"""Database work away from the event loop, in a pool of threads.

Never thread-sensitive: that would put every socket behind one slow query.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, done in a thread of the pool."""
    return await sync_to_async(_with_connection, thread_sensitive=False)(work, *args, **kwargs)


def _with_connection(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return work(*args, **kwargs)
    finally:
        # SQLite's is kept, PostgreSQL's goes back to the process's few: there are more threads than connections
        connection.close_if_unusable_or_obsolete()
