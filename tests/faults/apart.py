"""Work done in a process of its own, which can be killed: at a named step, or by somebody else at any moment."""

import importlib
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from typer.testing import CliRunner

import dashboard.app
import db.__main__
import etl.__main__
import models.__main__
from console import progress
from db import result_schema, runs, snapshot
from db.columns import Columns as C
from db.engine import make_engine
from errors import SpectrumError, one_line
from etl.load import load
from etl.readers import open_source
from models import pipeline
from models.pipeline import Options
from settings import Settings

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
CUSTOMERS = 40_000
"""Of the results that `publish` writes, so that writing them lasts."""
APPS: Mapping[str, typer.Typer] = {"db": db.__main__.app, "etl": etl.__main__.app, "models": models.__main__.app}
assert dashboard.app  # preloaded


def load_file(settings: Settings, path: Path) -> None:
    """What `python -m etl load` does."""
    engine = make_engine(settings)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)


def load_only(settings: Settings, path: Path) -> None:
    """A load that the snapshot does not follow."""
    load(make_engine(settings), open_source(str(path)))


def refresh(settings: Settings) -> None:
    """What `python -m db snapshot` does."""
    snapshot.refresh(make_engine(settings), settings.data_dir, wholly=True)


def publish(settings: Settings, customers: int = CUSTOMERS) -> None:
    """A run of segments whose results are many."""
    engine = make_engine(settings)
    with runs.one_at_a_time(engine):
        run_id = runs.open_run(engine, runs.SEGMENTS, AS_OF, {"by": "hand"}, "x")
        runs.publish(engine, run_id, {result_schema.customer_segment: many_segments(customers)}, {"k": 1})
    snapshot.refresh(engine, settings.data_dir)


AS_OF = datetime(2030, 1, 1)  # noqa: DTZ001


def many_segments(customers: int) -> pd.DataFrame:
    """Results of so many customers, made at random."""
    rng = np.random.default_rng(5)
    known: dict[str, Any] = {name: rng.integers(1, 6, customers) for name in (C.R_SCORE, C.F_SCORE, C.M_SCORE)}
    known |= {
        C.RECENCY: rng.integers(0, 900, customers),
        C.FREQUENCY: 1,
        C.MONETARY: rng.random(customers),
        C.CLUSTER: 0,
    }
    ids = [f"m{number}" for number in range(customers)]
    return pd.DataFrame({C.CUSTOMER_ID: ids, C.LAST_ORDERED_AT: pd.Timestamp("2029-01-01"), C.SEGMENT: "X", **known})


def run_models(settings: Settings, seed: int = 7) -> None:
    """What `python -m models run --quick --force` does."""
    with progress() as display:
        options = Options(quick=True, force=True, months=2, holdout_days=28, seed=seed)
        pipeline.run(make_engine(settings), settings, options, display)


def migrate(settings: Settings) -> None:
    """What `python -m db migrate` does."""
    make_engine(settings)


def start(work: Callable[..., None], *args: Any, step: str | None = None) -> BaseProcess:
    """Begin work; it kills itself as it comes to the step, which is `module:function#call` or `...+` for after it."""
    process = PROCESSES.Process(target=_work, args=(work, args, step))
    process.start()
    return process


def done(work: Callable[..., None], *args: Any) -> None:
    """Work until it is done."""
    process = start(work, *args)
    process.join(120)
    assert process.exitcode == 0


def killed_at(work: Callable[..., None], *args: Any, step: str) -> None:
    """Work until it kills itself."""
    process = start(work, *args, step=step)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"nobody came to {step} ({process.exitcode})"


def failed(work: Callable[..., None], *args: Any) -> tuple[int, str]:
    """What a command would have said of work that fails: exit code and stderr."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_failed, args=(work, args, theirs))
    process.start()
    assert ours.poll(120)
    code, said = ours.recv()
    process.join()
    return code, said


def command(settings: Settings, app: str, *arguments: str, most_bytes: int | None = None) -> tuple[int, str]:
    """Exit code and stderr of `python -m ...` in a process that may write so many bytes to a file."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_command, args=(settings, app, arguments, most_bytes, theirs))
    process.start()
    assert ours.poll(120)
    code, said = ours.recv()
    process.join()
    return code, said


def _work(work: Callable[..., None], args: Sequence[Any], step: str | None) -> None:
    os.fsync = _unsynced  # type: ignore[assignment]
    if step:
        _kill_at(step)
    work(*args)


def _unsynced(_: object) -> None:
    """Nobody cuts the power: what a killed process wrote is written, and a busy disk need not be waited for."""


def _failed(work: Callable[..., None], args: Sequence[Any], answer: "Connection[Any, Any]") -> None:
    try:
        work(*args)
        answer.send((0, ""))
    except SpectrumError as error:
        answer.send((2, f"error: {one_line(str(error))}\n"))
    except Exception as error:
        answer.send((1, repr(error)))


def _kill_at(step: str) -> None:
    module_name, _, rest = step.partition(":")
    name, _, call = rest.removesuffix("+").partition("#")
    module = importlib.import_module(module_name)
    owner = module
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real, left = getattr(owner, last), int(call or 1)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and not step.endswith("+"):
            os.kill(os.getpid(), signal.SIGKILL)
        given = real(*args, **kwargs)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    setattr(owner, last, stepped)


def _command(
    settings: Settings, app: str, arguments: Sequence[str], most_bytes: int | None, answer: "Connection[Any, Any]"
) -> None:
    os.fsync = _unsynced  # type: ignore[assignment]
    if most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    done = CliRunner().invoke(APPS[app], list(arguments), env=settings.environment())
    odd = done.exception is not None and not isinstance(done.exception, SystemExit)
    answer.send((done.exit_code, repr(done.exception) if odd else done.stderr))
