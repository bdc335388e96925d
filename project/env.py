"""The environment, read once. Wrong values stop the start with one line that names them."""

import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env") if (BASE_DIR / ".env").exists() else None


def refuse(name: str, reason: str) -> NoReturn:
    """Stop the start with one line on standard error."""
    sys.exit(f"Rapport cannot start: {name} {reason}")


def read(name: str) -> str:
    return os.environ.get(name, "").strip()


def read_bool(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if value == "" else value in ("1", "true", "yes", "on")
    refuse(name, f"must be true or false, not {value!r}")


def read_port(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value[:6]) < 65536:
        refuse(name, f"must be a port number from 1 to 65535, not {value!r}")
    return int(value)


def read_url(name: str, default: str) -> str:
    value = os.environ.get(name, "").strip().rstrip("/") or default
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        refuse(name, f"must be like https://desk.example.org, not {value!r}")
    return value


def read_list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def read_networks(name: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(part) for part in read_list(name)]
    except ValueError:
        refuse(name, "must be addresses or networks like 127.0.0.1,10.0.0.0/24")


def read_data_dir() -> Path:
    path = Path(os.environ.get("DATA_DIR", "").strip() or BASE_DIR / "data").resolve()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        refuse("DATA_DIR", f"{path} cannot be made: {error.strerror}")
    if not os.access(path, os.W_OK):
        refuse("DATA_DIR", f"{path} cannot be written to")
    return path


def read_keys(data_dir: Path) -> dict[str, Any]:
    """The secret key and the encryption keys: from the environment, else made once and kept in `data_dir`."""
    kept_at = data_dir / "keys.json"
    kept: dict[str, Any] = {}
    if kept_at.exists():
        try:
            kept = json.loads(kept_at.read_text())
        except ValueError:
            refuse("DATA_DIR", f"holds a damaged {kept_at.name}: restore it from a backup")
    keys: dict[str, Any] = {
        "secret": os.environ.get("SECRET_KEY", "").strip() or kept.get("secret"),
        "encryption": read_list("ENCRYPTION_KEYS") or kept.get("encryption"),
    }
    if not all(keys.values()):
        keys = _make_once(kept_at, keys)
    _check_encryption_keys(list(keys["encryption"]))
    return keys


def _make_once(kept_at: Path, keys: dict[str, Any]) -> dict[str, Any]:
    made = {
        "secret": keys["secret"] or get_random_secret_key(),
        "encryption": keys["encryption"] or [Fernet.generate_key().decode()],
    }
    try:
        descriptor = os.open(kept_at, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process of the same start was first: its keys count
        return {**made, **json.loads(kept_at.read_text())}
    with os.fdopen(descriptor, "w") as file:
        json.dump(made, file)
        file.flush()
        os.fsync(file.fileno())
    return made


def _check_encryption_keys(keys: list[str]) -> None:
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            refuse("ENCRYPTION_KEYS", "must be Fernet keys (32 bytes in url-safe base64), separated by commas")
