"""What stands of a download: how far it is, and once all of it has arrived the manifest that says so.

A list is whole when as many rows were written as were counted, all bytes were taken by the other side, and it did not
hang up. Until then nothing says that it is; the state is kept in memory under a name that cannot be guessed.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any, Literal

State = Literal["waiting", "running", "complete", "broken"]
Piece = tuple[bytes, int]
"""Bytes of a file, and how many rows are finished with them."""

_MOST = 1_000


@dataclass
class Delivery:
    """One download. `told` is what the manifest says of it besides rows, size and checksum."""

    rows: int
    told: Mapping[str, Any]
    state: State = "running"
    delivered: int = 0
    size: int = 0
    sha256: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None

    def progress(self) -> dict[str, Any]:
        """How far it is."""
        return {"state": self.state, "file": self.told.get("file"), "rows": self.rows, "delivered": self.delivered} | (
            {"sha256": self.sha256} if self.state == "complete" else {}
        )

    def manifest(self) -> dict[str, Any] | None:
        """Everything there is to say of the list; None unless it is complete."""
        if self.state != "complete" or self.finished_at is None:
            return None
        return {
            **self.told,
            "complete": True,
            "rows": self.rows,
            "bytes": self.size,
            "sha256": self.sha256,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "finished_at": self.finished_at.isoformat(timespec="seconds"),
        }

    def end(self, *, complete: bool) -> None:
        """Say how it ended; what is broken stays so."""
        if self.state == "running":
            self.state = "complete" if complete else "broken"
            self.finished_at = datetime.now(UTC)


class Sending:
    """The bytes of a delivery as a server takes them; `close` is called in any case, at the end or before it."""

    def __init__(self, delivery: Delivery, pieces: Iterator[Piece]) -> None:
        self.arrived: Callable[[], bool] = lambda: True
        """Tells, after the last byte is handed over, whether the other side took all of them."""
        self._delivery = delivery
        self._pieces = pieces
        self._digest = sha256()
        self._rows = 0
        self._whole = False

    def __iter__(self) -> "Sending":
        return self

    def __next__(self) -> bytes:
        """The next bytes; the ones before are with the server then. Raises where the rows do not add up, which ends the
        response without its last chunk, so that no client takes it for whole."""
        told, content = self._delivery, b""
        try:
            while not content:  # an empty chunk would end the response
                told.delivered = self._rows
                content, rows = next(self._pieces)
                self._rows += rows
        except StopIteration:
            if self._rows != told.rows:
                told.end(complete=False)
                raise RuntimeError(f"The list has {told.rows} rows but {self._rows} were read.") from None
            told.sha256 = self._digest.hexdigest()
            self._whole = True
            raise
        except BaseException:
            told.end(complete=False)
            raise
        told.size += len(content)
        self._digest.update(content)
        return content

    def close(self) -> None:
        """Complete only where everything was read, handed over and taken."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
        self._delivery.end(complete=self._whole and self.arrived())


class Deliveries:
    """The newest deliveries by whose they are, and name."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Delivery | None] = OrderedDict()
        self._lock = Lock()

    def announce(self, whose: str) -> str:
        """A name for a download that is yet to begin."""
        return self._keep(whose, secrets.token_urlsafe(24), None)

    def begin(self, whose: str, name: str, delivery: Delivery) -> str:
        """Start under an announced name, or a new one where that is unknown or in use; gives the name."""
        with self._lock:
            before = self._known.get((whose, name))
            is_free = (whose, name) in self._known and (before is None or before.state == "broken")
        return self._keep(whose, name if is_free else secrets.token_urlsafe(24), delivery)

    def progress(self, whose: str, name: str) -> dict[str, Any] | None:
        """How far it is; None where the name is unknown."""
        with self._lock:
            if (whose, name) not in self._known:
                return None
            found = self._known[whose, name]
        return {"state": "waiting"} if found is None else found.progress()

    def manifest(self, whose: str, name: str) -> dict[str, Any] | None:
        """The manifest of a complete one, None of any other."""
        with self._lock:
            found = self._known.get((whose, name))
        return None if found is None else found.manifest()

    def _keep(self, whose: str, name: str, delivery: Delivery | None) -> str:
        with self._lock:
            self._known[whose, name] = delivery
            self._known.move_to_end((whose, name))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return name
