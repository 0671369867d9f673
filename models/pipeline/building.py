"""A run that is being built: whatever goes wrong, it closes with the reason, and what was published stays."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from db import runs
from db.snapshot import Snapshot
from errors import DatabaseError, NotEnoughDataError, SpectrumError

REASON = "reason"
"""The metric of every run that came to a decision; one broken off has none."""


@contextmanager
def building(
    engine: Engine, kind: str, as_of: datetime, parameters: Mapping[str, Any], data: Snapshot
) -> Iterator[int]:
    """An open run, refused with the reason should anything go wrong."""
    run_id = runs.open_run(engine, kind, as_of, parameters, data.manifest.data_version)
    try:
        yield run_id
    except NotEnoughDataError as error:
        runs.refuse(engine, run_id, str(error), metrics={REASON: str(error)})
        raise
    except BaseException as error:
        # the words of an error that nobody foresaw may name customers, and the record keeps the message
        cause = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else type(error).__name__
        message = str(error) if isinstance(error, SpectrumError) else f"Broken off by {cause}; run the models again."
        with suppress(DatabaseError):  # the run is closed already, or the database is gone: the first error says more
            runs.refuse(engine, run_id, message)
        raise
    runs.prune(engine, kind)


def must_stand(run_id: int, published: bool) -> None:
    """Raise where a newer run was published while this one was computed."""
    if not published:
        raise SpectrumError(f"While run {run_id} was computed a newer one was published; that one stays.")
