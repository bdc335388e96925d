"""Columns that are ciphertext at rest, with keys that rotate: the first key encrypts, all decrypt."""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


class EncryptedBytes(models.BinaryField):
    """Bytes that only this installation can read. Raises InvalidToken when no key fits."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else cipher().encrypt(bytes(value))

    def from_db_value(self, value: Any, expression: object, connection: object) -> bytes | None:
        return None if value is None else cipher().decrypt(bytes(value))


class EncryptedJSON(EncryptedBytes):
    """A JSON value that only this installation can read."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(None if value is None else json.dumps(value).encode())

    def from_db_value(self, value: Any, expression: object, connection: object) -> Any:
        plain = super().from_db_value(value, expression, connection)
        return None if plain is None else json.loads(plain)
