"""A run that is being built: whatever goes wrong, it closes with the reason, and what was published stays."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from traceback import format_tb
from typing import Any

from sqlalchemy import Engine

from db import runs
from db.snapshot import Snapshot
from errors import DatabaseError, ModelError, NotEnoughDataError, SpectrumError

REASON = "reason"
"""The metric of every run that came to a decision; one broken off has none."""


@contextmanager
def building(
    engine: Engine, kind: str, as_of: datetime, parameters: Mapping[str, Any], data: Snapshot
) -> Iterator[int]:
    """An open run, refused with the reason should anything go wrong. Raises ModelError for what nobody foresaw."""
    run_id = runs.open_run(engine, kind, as_of, parameters, data.manifest.data_version)
    try:
        yield run_id
    except NotEnoughDataError as error:
        runs.refuse(engine, run_id, str(error), metrics={REASON: str(error)})
        raise
    except SpectrumError as error:
        _refuse(engine, run_id, str(error))
        raise
    except Exception as error:  # whatever the data make a model do is one sentence
        # its own words may name customers, and the record keeps them: its kind and the places say enough
        message = (
            f"The {kind} could not be computed from these data ({type(error).__name__}) and what was published before "
            f"stays; please report this with the traceback that the metrics of run {run_id} hold."
        )
        _refuse(engine, run_id, message, {"traceback": format_tb(error.__traceback__)})
        raise ModelError(message) from error
    except BaseException as error:
        cause = "Ctrl-C" if isinstance(error, KeyboardInterrupt) else type(error).__name__
        _refuse(engine, run_id, f"Broken off by {cause}; run the models again.")
        raise
    runs.prune(engine, kind)


def _refuse(engine: Engine, run_id: int, message: str, metrics: Mapping[str, Any] | None = None) -> None:
    with suppress(DatabaseError):  # the run is closed already, or the database is gone: the first error says more
        runs.refuse(engine, run_id, message, metrics=metrics)


def must_stand(run_id: int, published: bool) -> None:
    """Raise where a newer run was published while this one was computed."""
    if not published:
        raise SpectrumError(f"While run {run_id} was computed a newer one was published; that one stays.")
