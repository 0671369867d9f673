"""The installation's secret: one random key, from which a key for each purpose is derived."""

import hmac
import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from errors import ConfigurationError
from settings import Settings

SESSIONS, PSEUDONYMS, FORGOTTEN, DATABASE = "sessions", "pseudonyms", "forgotten customers", "dashboard's database role"
"""Purposes."""

_FILE = "secret"
_BYTES = 32


def secret(settings: Settings, purpose: str) -> bytes:
    """32 bytes for a purpose, always the same ones for the same installation.

    Derived (HMAC-SHA-256) from SPECTRUM_SECRET_KEY or the file `data_dir/secret`, made on first use. Raises
    ConfigurationError where that cannot be read or made.
    """
    key = settings.secret_key.get_secret_value().encode() if settings.secret_key else _kept(settings.data_dir)
    return hmac.digest(key, purpose.encode(), sha256)


def _kept(data_dir: Path) -> bytes:
    path = data_dir / _FILE
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The secret of this installation in {path} cannot be read ({error.strerror}); mend that, or set "
            "SPECTRUM_SECRET_KEY."
        ) from error
    if len(key) != _BYTES:
        raise ConfigurationError(
            f"The secret in {path} is damaged; put it back from a copy: by a new one forgotten customers are not known."
        )
    return key


def _make(path: Path) -> None:
    """Whole or not at all; of two processes that make it at once the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{_FILE}.{uuid4().hex}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
