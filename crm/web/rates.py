"""How often something may happen, counted in one place: on Redis for every process, or in this process's memory.

Redis that cannot be reached refuses nobody: each process then counts for itself until it is back.
"""

import logging
from functools import cached_property

from django.conf import settings
from limits import RateLimitItem
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

logger = logging.getLogger(__name__)
PATIENCE = 0.5  # seconds for Redis to answer


class Rates:
    """Moving windows per rate and name. `purpose` keeps the names of two users of this class apart."""

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self._memory = MovingWindowRateLimiter(MemoryStorage())

    @cached_property
    def _shared(self) -> MovingWindowRateLimiter:
        return MovingWindowRateLimiter(_shared_storage()) if settings.REDIS_URL else self._memory

    def hit(self, rate: RateLimitItem, *names: str) -> bool:
        """Counts one; False when there were too many."""
        try:
            return self._shared.hit(rate, self._purpose, *names)
        except Exception:  # noqa: BLE001  # whatever the store's client raises
            self._note()
            return self._memory.hit(rate, self._purpose, *names)

    def test(self, rate: RateLimitItem, *names: str) -> bool:
        """Whether one more may come; counts nothing."""
        try:
            return self._shared.test(rate, self._purpose, *names)
        except Exception:  # noqa: BLE001
            self._note()
            return self._memory.test(rate, self._purpose, *names)

    def forget(self) -> None:
        """Everybody may start over."""
        for limiter in (self._memory, self._shared):
            limiter.storage.reset()

    def _note(self) -> None:
        logger.warning("Redis cannot be reached; this process counts for itself", extra={"purpose": self._purpose})


def _shared_storage() -> Storage:
    patience = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    storage = storage_from_string(settings.REDIS_URL, key_prefix=f"{settings.REDIS_PREFIX}.rates", **patience)
    assert isinstance(storage, Storage)  # noqa: S101  # not one of its async kind
    return storage
