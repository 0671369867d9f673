"""A refresh a day: new files are loaded, the models run where data changed, and what passes the gate is published.

Each step is a command in a process of its own. The record of the last refresh says when the next is due, so that one
that was missed, or broken off, is made up for at once; one that failed waits for the next day.
"""

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine

from db import refreshes
from errors import RefreshError, SpectrumError
from settings import Settings

_POLL_SECONDS = 20.0
_PATIENCE_SECONDS = 6.0
"""What a command has to end in when it is told to; docker waits for ten seconds."""

Work = Callable[[], None]
Tell = Callable[[str], None]


def next_time(last: datetime, at: time) -> datetime:
    """The first moment after `last` at which the clock on the machine's wall shows `at`.

    Where the clock skips that time, it is the moment at which it would have been; where it shows it twice, the first.
    """
    day = last.astimezone().date()
    due = datetime.combine(day, at).astimezone()
    return due if due > last else datetime.combine(day + timedelta(days=1), at).astimezone()


def keep(engine: Engine, at: time, work: Work, stop: Event, tell: Tell) -> None:
    """Do the work each day, the first time at once, until told to stop; a failure is told and tried again next day."""
    told = ""
    while not stop.is_set():
        try:
            due = _due(engine, at)
            if due is not None:
                said = f"The next refresh is at {due:%Y-%m-%d %H:%M %Z}."
            else:
                said = "The refresh is done." if once(engine, work, at) else told
        except SpectrumError as error:
            said = str(error)
        if said != told:
            tell(said)
            told = said
        stop.wait(_POLL_SECONDS)


def once(engine: Engine, work: Work, at: time | None = None) -> bool:
    """Do the work now and record it; with `at`, only where it is due. False where it is not, or another refreshes.

    Raises what the work raises, which is recorded, but not if it was broken off; DatabaseError.
    """
    with refreshes.alone(engine) as began:
        if began is None or (at is not None and _due(engine, at) is not None):
            return False
        try:
            work()
        except SpectrumError as error:
            refreshes.record(engine, began, str(error))
            raise
        refreshes.record(engine, began, None)
        return True


def refresh(settings: Settings, what: str | None, stop: Event) -> None:
    """Load what is new in a folder, if one is given and has files; erase who is kept for too long, where a time is set;
    then run the models.

    Raises RefreshError where either fails, and KeyboardInterrupt where it is told to stop.
    """
    if what is not None and not _is_empty(Path(what)):
        _run(settings, stop, "etl", "load", "--", what)
    if settings.retention_months is not None:
        _run(settings, stop, "db", "retain")
    _run(settings, stop, "models", "run", "--if-changed")


def _due(engine: Engine, at: time) -> datetime | None:
    """When the next refresh is due; None: it is now."""
    last = refreshes.last(engine)
    due = None if last is None else next_time(last.started_at, at)
    return None if due is None or refreshes.has_come(engine, due) else due


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())


def _run(settings: Settings, stop: Event, *arguments: str) -> None:
    said: deque[str] = deque(maxlen=50)
    with subprocess.Popen(  # noqa: S603 (no shell, and after -- nothing is an option)
        [sys.executable, "-m", *arguments],
        env=settings.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches it through us alone
    ) as process:
        listener = Thread(target=_pass_on, args=(process.stderr or (), said), daemon=True)
        listener.start()
        while process.poll() is None:
            if stop.wait(0.1):
                _end(process)
                raise KeyboardInterrupt
        listener.join()
    if process.returncode != 0:
        command = " ".join(word for word in arguments if word != "--")
        sentence = " ".join("".join(said).rpartition("error:")[2].split())
        raise RefreshError(
            f"The refresh failed at `python -m {command}` ({sentence or f'exit code {process.returncode}'}); what is "
            "published stays, and the next refresh tries again."
        )


def _pass_on(lines: Iterable[str], said: deque[str]) -> None:
    for line in lines:
        sys.stderr.write(line)
        said.append(line)


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
