"""What the installation stands on: SQLite and memory in one process, or PostgreSQL and Redis for several."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huey.serializer import SignedSerializer

from project import env

POOL = 8  # connections a process keeps at most; docs/operations.md has the sum
POOL_PATIENCE = 10  # seconds that a query waits for a free connection


def read_database(data_dir: Path) -> dict[str, Any]:
    """The database that DATABASE_URL names, else SQLite in `data_dir`."""
    address = env.read("DATABASE_URL")
    return _postgres(address) if address else _sqlite(data_dir)


def _postgres(address: str) -> dict[str, Any]:
    try:
        is_ours = urlsplit(address).scheme in ("postgres", "postgresql")
        named = env.env.db_url_config(address) if is_ours else {}
    except Exception:  # noqa: BLE001  # a broken address fails in many ways; the address itself holds a password
        named = {}
    if not named.get("NAME"):
        env.refuse("DATABASE_URL", "must be like postgres://user:password@host:5432/name")
    options = {"pool": {"min_size": 1, "max_size": POOL, "timeout": POOL_PATIENCE}, **named.get("OPTIONS", {})}
    return {**named, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def _sqlite(data_dir: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data_dir / "rapport.sqlite3",
        "CONN_MAX_AGE": None,  # a thread keeps its connection
        "OPTIONS": {
            # WAL and IMMEDIATE: of 1,000 concurrent writes none fails, where the defaults lose a quarter.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
        },
        "TEST": {"NAME": data_dir / "test.sqlite3"},
    }


def read_redis() -> str:
    """The address of Redis, or ''."""
    address = env.read("REDIS_URL")
    parts = urlsplit(address)
    number = parts.path.strip("/")
    if address and (parts.scheme not in ("redis", "rediss") or not parts.hostname or not (number or "0").isdigit()):
        env.refuse("REDIS_URL", "must be like redis://host:6379/0")
    return address


def redis_prefix(address: str) -> str:
    """Pub/sub knows no database numbers: the prefix keeps two installations on one Redis apart."""
    return f"rapport{urlsplit(address).path.strip('/') or '0'}"


def channel_layer(redis: str) -> dict[str, Any]:
    if not redis:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
    config = {"hosts": [{"address": redis}], "prefix": redis_prefix(redis)}
    return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}


def cache(redis: str) -> dict[str, Any]:
    if not redis:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    prefix = redis_prefix(redis)
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis, "KEY_PREFIX": prefix}


def queue(redis: str, data_dir: Path, secret: str) -> dict[str, Any]:
    """Huey's settings. Its tasks are pickles: they are signed, so that nobody who reaches the store can run code."""
    shared: dict[str, Any] = {"immediate": False, "serializer": SignedSerializer(secret=secret, salt="rapport.tasks")}
    if redis:
        return {"huey_class": "huey.RedisHuey", "name": redis_prefix(redis), "url": redis, **shared}
    # its own file: no fight with the main one over the write lock
    return {"huey_class": "huey.SqliteHuey", "name": "rapport", "filename": str(data_dir / "huey.sqlite3"), **shared}
