"""Passwords: hashed with argon2id, and tried in the same time whether there is such a user or not."""

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from errors import InputError

SHORTEST, LONGEST = 12, 256
_hasher = PasswordHasher()
_NO_ONES = _hasher.hash("nobody has this password")


def hashed(password: str, name: str) -> str:
    """The hash to keep. Raises InputError where the password is too short, too long or the user's name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"A password has {SHORTEST} to {LONGEST} characters; choose a longer one, such as four words.")
    if len(set(password)) < 5 or name.lower() in password.lower():
        raise InputError("This password is too easy to guess; choose one of several words, without your name.")
    return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was hashed; None, the hash of nobody, takes as long and is never right."""
    try:
        return _hasher.verify(kept or _NO_ONES, password[: LONGEST + 1]) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False
