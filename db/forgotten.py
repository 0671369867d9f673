"""Customers who asked to be forgotten: known by a keyed hash of the id alone, so that no later load brings them back.

The key is no part of the record: whoever has but the record can neither read who was forgotten nor try ids.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sqlalchemy import Connection, insert, text

from db import erasure
from db.schema import forgotten
from errors import ConfigurationError

Key: TypeAlias = Callable[[], bytes]
"""Gives the key (`db.secret`, for the purpose FORGOTTEN), where one is needed."""


def no_key() -> bytes:
    """Raises ConfigurationError: who gave no key cannot know the forgotten."""
    raise ConfigurationError("Customers were forgotten, and this load was not told the key that knows them.")


def keep(connection: Connection, ids: Iterable[str], key: Key) -> None:
    """Let the customers of these ids be forgotten; who is already stays so. Raises ConfigurationError."""
    by, kept = _checked(connection, key), _kept(connection)
    if fresh := sorted({_hash(by, customer) for customer in ids} - kept):
        connection.execute(insert(forgotten), [{"hash": of, "key": _which(by)} for of in fresh])


def among(connection: Connection, ids: Iterable[str], key: Key) -> set[str]:
    """Those of the ids whose customers are forgotten. Where nobody is, no id is looked at. Raises ConfigurationError
    where they were forgotten by another key."""
    kept = _kept(connection)
    if not kept:
        return set()
    by = _checked(connection, key)
    return {customer for customer in ids if _hash(by, customer) in kept}


def drop(connection: Connection, customer_id: str, key: Key) -> bool:
    """Let a customer be known again; False where they were not forgotten. Raises ConfigurationError."""
    of = _hash(_checked(connection, key), customer_id)
    return bool(connection.execute(forgotten.delete().where(forgotten.c.hash == of)).rowcount)


def leave_out(connection: Connection, load_id: int, kind: str, key: Key) -> int:
    """Erase from a load whoever is forgotten, as if guests had been there; gives how many of its rows named them.

    Where nobody was ever forgotten this costs nothing.
    """
    ids = among(connection, erasure.ids_of(connection, load_id), key)
    if not ids:
        return 0
    erasure.mark(connection, ids)
    return erasure.rows_of(erasure.erase(connection, load_id), kind)


def _checked(connection: Connection, key: Key) -> bytes:
    """The key. Raises ConfigurationError where customers were forgotten by another: they would come back."""
    by = key()
    others = text("SELECT EXISTS (SELECT FROM forgotten WHERE key <> :key)")
    if connection.execute(others, {"key": _which(by)}).scalar_one():
        raise ConfigurationError(
            "Customers were forgotten by another secret than this installation's and would not be known; bring back "
            "the file `secret` of SPECTRUM_DATA_DIR, or the SPECTRUM_SECRET_KEY, of that time."
        )
    return by


def _hash(key: bytes, customer_id: str) -> str:
    return hmac.digest(key, customer_id.encode(errors="surrogatepass"), "sha256").hex()


def _kept(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT hash FROM forgotten")).scalars())


def _which(key: bytes) -> str:
    """Which key it is, of which it tells nothing."""
    return _hash(key, "which key")[:16]
