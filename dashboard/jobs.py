"""Files that were uploaded, and the commands run on them as processes of their own.

All state is files under `data_dir/uploads/<token>/`: a load goes on when the tab or the server ends, and any tab finds
it.
"""

import errno
import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from dashboard.who import viewer
from errors import InputError
from settings import Settings

SAMPLE = "sample"
_log = logging.getLogger(__name__)
_ROOT = Path(__file__).parents[1]
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_KEPT_SECONDS = 24 * 3600
_MOST_UPLOADS = 20
_INSPECT_SECONDS = 120
_BARE_KEY = re.compile(r"[a-z_]+")


@dataclass(frozen=True)
class Progress:
    """How far a load is. `load`: its number once it is in the record; `error`: the sentence that it ended with."""

    running: bool
    rows: int = 0
    total: int | None = None
    load: int | None = None
    fresh: bool = True
    error: str | None = None


class Upload:
    """One uploaded file, known by a token that cannot be guessed."""

    def __init__(self, settings: Settings, token: str) -> None:
        """Raises InputError where there is no such upload."""
        self._settings = settings
        self.token = token
        self.folder = settings.data_dir / "uploads" / token
        if not _TOKEN.fullmatch(token) or not self.folder.is_dir():
            raise InputError("This file is not here any more; drop it again.")

    @property
    def name(self) -> str:
        """The file's name; `sample` for the sample."""
        return self._read("name") or SAMPLE

    @property
    def what(self) -> str:
        """What the commands take."""
        return SAMPLE if self.name == SAMPLE else str((self.folder / "file" / self.name).resolve())

    def inspection(self) -> Mapping[str, Any]:
        """What `python -m etl inspect` understands of the file. Raises InputError with its sentence."""
        if not (self.folder / "inspection.json").exists():
            self.inspect("orders", None)
        told: Mapping[str, Any] = json.loads(self._read("inspection.json"))
        return told

    def inspect(self, kind: str, mapping: Mapping[str, Any] | None) -> None:
        """Look at the file again, by a mapping or else as a kind. Raises InputError; what was understood stays then."""
        options = ["--as", kind]
        with room():
            if mapping is not None:
                (self.folder / "asked.toml").write_text(toml(mapping), encoding="utf-8")
                options = ["--mapping", str((self.folder / "asked.toml").resolve())]
            told = _output(self._settings, "inspect", *options, "--json", "--", self.what)
            (self.folder / "inspection.json").write_text(told, encoding="utf-8")

    def start(self) -> None:
        """Load the file by what was understood of it; one load at a time. Raises InputError."""
        with room():
            self._start()

    def _start(self) -> None:
        if any(other.progress().running for other in uploads(self._settings)):
            raise InputError("Another load is running; press Load again when it is done.")
        options = []
        if self.what != SAMPLE:
            mapping = self.folder / "mapping.toml"
            mapping.write_text(toml(self.inspection()["mapping"]), encoding="utf-8")
            options = ["--mapping", str(mapping.resolve())]
        progress = self.folder / "progress.json"
        progress.unlink(missing_ok=True)
        command = _command("load", *options, "--progress-file", str(progress.resolve()), "--", self.what)
        with (self.folder / "lock").open("w") as lock, (self.folder / "errors").open("w") as errors:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held by the process for as long as it lives, whatever becomes of us
            process = subprocess.Popen(  # noqa: S603 (no shell, and after -- nothing is an option)
                command,
                cwd=_ROOT,
                env=_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(process.pid))
        _started.append(process)

    def cancel(self) -> None:
        """End a running load; its transaction leaves nothing behind. One that stands already is left to end."""
        progress = self.progress()
        if progress.running and progress.load is None and self._read("pid").isdigit():
            os.killpg(int(self._read("pid")), signal.SIGKILL)
            (self.folder / "errors").write_text("error: The load was cancelled.")

    def progress(self) -> Progress:
        """How far its load is."""
        _started[:] = [process for process in _started if process.poll() is None]  # or they stay as zombies
        if not (self.folder / "lock").exists():
            return Progress(running=False)
        told = json.loads(self._read("progress.json") or "{}")
        with (self.folder / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Progress(True, rows=told.get("rows") or 0, total=told.get("total"), load=told.get("load"))
        said = _sentence(self._read("errors"))
        if told.get("load") is not None:
            shutil.rmtree(self.folder / "file", ignore_errors=True)
            return Progress(False, load=told["load"], fresh=bool(told.get("fresh")), error=said or None)
        return Progress(running=False, error=said or "The load ended before it was done; nothing was changed.")

    def remove(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


_started: list[subprocess.Popen[bytes]] = []


def new(settings: Settings, name: str) -> Upload:
    """An upload of that name, its file yet to be written; old ones go. Raises InputError where there are too many."""
    there = uploads(settings)
    for upload in there:
        if upload.folder.stat().st_mtime < time.time() - _KEPT_SECONDS and not upload.progress().running:
            upload.remove()
    if sum((upload.folder / "file").exists() for upload in uploads(settings)) >= _MOST_UPLOADS:
        raise InputError(f"There are {_MOST_UPLOADS} files waiting to be loaded already; load or remove one first.")
    token = secrets.token_urlsafe(24)
    folder = settings.data_dir / "uploads" / token
    try:
        with room():
            (folder / "file").mkdir(parents=True, mode=0o700)
            (folder / "name").write_text(name, encoding="utf-8")
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Upload(settings, token)


@contextmanager
def room() -> Iterator[None]:
    """A disk that is full, or fails, is one sentence."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "there is no room left on the server's disk" if full else "the connection or the disk failed"
        raise InputError(f"The file could not be kept ({why}); try again.") from error


def uploads(settings: Settings) -> list[Upload]:
    """All that are kept."""
    folders = settings.data_dir.glob("uploads/*")
    return [Upload(settings, folder.name) for folder in folders if folder.is_dir() and _TOKEN.fullmatch(folder.name)]


def rejected_file(settings: Settings, load_id: int, suffix: str) -> BinaryIO | None:
    """The rejected rows of a load (`.csv`) or their mapping (`.toml`), as `python -m etl rejected` writes them.

    None where it writes no such file. Raises InputError with its sentence.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rejected-{load_id}.csv"
        _output(settings, "rejected", "--to", str(path), "--", str(load_id))
        wanted = path.with_suffix(suffix)
        return wanted.open("rb") if wanted.exists() else None  # it stays readable when its folder goes


def toml(mapping: Mapping[str, Any]) -> str:
    """A mapping as TOML: JSON's way of writing values is TOML's too, but for one control character."""
    plain = {name: value for name, value in mapping.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in mapping.items() if isinstance(value, Mapping)}
    lines = _pairs(plain)
    for name, table in tables.items():
        lines += [f"[{name}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(values: Mapping[str, Any]) -> list[str]:
    told = {name: json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") for name, value in values.items()}
    return [f"{name} = {value}" for name, value in told.items() if _BARE_KEY.fullmatch(name)]


def _command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "etl", *arguments]


def _output(settings: Settings, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (as above)
            _command(*arguments),
            cwd=_ROOT,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_INSPECT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"The file could not be read within {_INSPECT_SECONDS} seconds; load it with `python -m etl load FILE`."
        ) from error
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace")
        said = _sentence(errors)
        if not said:
            _log.error("python -m etl %s ended with %d: %s", " ".join(arguments), done.returncode, errors)
        raise InputError(said or "The file could not be read; try `python -m etl inspect FILE` on the server.")
    return done.stdout.decode(errors="replace")


def _sentence(errors: str) -> str:
    """What a command said to the user; a traceback is for the log, not for a page."""
    _, said, sentence = errors.rpartition("error:")
    return " ".join(sentence.split()) if said and "Traceback" not in errors else ""


def _environment(settings: Settings) -> dict[str, str]:
    """That of a command which is called in the role of whoever asks."""
    role = viewer().role
    return settings.environment() | ({} if role is None else {"SPECTRUM_ROLE": role.value})
