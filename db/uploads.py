"""The files that the dashboard was given to load (`data_dir/uploads`, a folder each): removed, whoever is in them.

What is packed or in a workbook cannot be searched, so nobody asks who is in a file.
"""

import fcntl
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

LOCK = "lock"
"""The file of a folder that is locked for as long as its load runs."""


def remove(data_dir: Path, before: datetime | None = None) -> int:
    """Remove all uploads, or those last touched before a moment (with its zone); gives how many.

    One that is being loaded is waited for.
    """
    removed = 0
    for folder in (data_dir / "uploads").glob("*"):
        with suppress(FileNotFoundError):  # somebody else was faster
            if not folder.is_dir() or (before and folder.stat().st_mtime >= before.timestamp()):
                continue
            _wait(folder / LOCK)
            shutil.rmtree(folder)
            removed += 1
    return removed


def _wait(lock: Path) -> None:
    with suppress(FileNotFoundError), lock.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
