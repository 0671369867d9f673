"""The secret of the installation, made on first use, and the keys derived from it."""

import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from errors import ConfigurationError
from settings import Settings

_BYTES = 32


def secret(settings: Settings, purpose: str) -> bytes:
    """The key of 32 bytes for a purpose: HMAC-SHA-256 of its name under the secret, so that no key tells of another.

    The secret is SPECTRUM_SECRET_KEY, or else the file `data_dir/secret`, which the first who asks makes. Raises
    ConfigurationError where the file cannot be made or read, or is damaged.
    """
    if settings.secret_key is not None:
        return hmac.digest(settings.secret_key.get_secret_value().encode(), purpose.encode(), "sha256")
    return hmac.digest(_kept(settings.data_dir / "secret"), purpose.encode(), "sha256")


def _kept(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        kept = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise ConfigurationError(
            f"The secret in {path} cannot be kept ({error.strerror or error}); let this user write there, or set "
            "SPECTRUM_SECRET_KEY."
        ) from error
    except ValueError:
        kept = b""
    if len(kept) != _BYTES:
        raise ConfigurationError(f"The secret in {path} is damaged; bring it back from a backup.")
    return kept


def _make(path: Path) -> None:
    """Written beside and linked: of several processes one makes it, and nobody ever reads a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # which nobody else may read
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        os.unlink(beside)
