"""A folder or a pattern: the files that it names, each to be a load of its own."""

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import InputError
from etl.readers import remote

_SIGNS = "*?["


@dataclass(frozen=True)
class Found:
    """What a folder or a pattern holds, each in the order of the names."""

    files: Sequence[str]
    """Paths or addresses, as `open_source` takes them."""
    skipped: Sequence[str]
    """Names of hidden files, and of those of no known kind."""


def find(what: str, known: Callable[[str], bool]) -> Found | None:
    """The files of a folder (not of the folders in it) or of a pattern (** reaches deeper); None for a single file.

    `known` tells from a file's name whether it can be read. Raises InputError where there is no such file.
    """
    paths = remote.files(what) if remote.is_address(what) else _local(what)
    if paths is None:
        return None
    named = {path: remote.shown(path) if remote.is_address(path) else path for path in sorted(paths)}
    files = [path for path, name in named.items() if known(name) and not _hidden(name)]
    skipped = [name for path, name in named.items() if path not in files]
    if not files:
        where = remote.shown(what) if remote.is_address(what) else what
        others = f" ({', '.join(skipped[:5])} cannot)" if skipped else ""
        raise InputError(f"{where} has no file that can be read{others}; check the path.")
    return Found(files, skipped)


def _local(what: str) -> list[str] | None:
    try:
        if Path(what).is_dir():
            return [str(path) for path in Path(what).iterdir() if path.is_file()]
        if not Path(what).exists() and any(sign in what for sign in _SIGNS):
            return [path for path in glob.glob(what, recursive=True) if Path(path).is_file()]
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{what[:200]!r} cannot be looked into ({said}); check the path.") from error
    return None


def _hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith(".")
