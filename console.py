"""What the commands share: one console, progress bars, and errors said in a sentence with exit code 2."""

import codecs
import functools
import io
import logging
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from errors import RightError, SpectrumError, one_line
from permissions import COMMANDS, Viewer
from settings import load_settings

P = ParamSpec("P")
R = TypeVar("R")

console = Console(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)


def progress() -> Progress:
    """A progress display for one command; silent where the output is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def complain(error: SpectrumError) -> None:
    """Say an error on stderr, in one line whatever names it holds."""
    complaints.print(Text.assemble(("error:", "bold red"), f" {one_line(str(error))}"))


def says_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command: a SpectrumError becomes one sentence on stderr and exit code 2, Ctrl-C one and 130."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _let_all_be_said()
        try:
            _must_be_allowed(command)
            return command(*args, **kwargs)
        except SpectrumError as error:
            logging.getLogger(__name__).debug("command failed", exc_info=error)
            complain(error)
            sys.exit(2)
        except KeyboardInterrupt:  # its traceback would keep threads waiting
            complaints.print("Stopped; what was not finished is as before.")
        sys.exit(130)

    return wrapped


def _must_be_allowed(command: Callable[..., object]) -> None:
    """Raise RightError where the role of the settings may not call a command."""
    name = f"{command.__globals__.get('__package__')}.{command.__name__}"
    role = load_settings().role
    if not Viewer("", role).may(COMMANDS.get(name)):
        raise RightError(f"The role {role} (SPECTRUM_ROLE) may not call this command ({name}); ask an admin.")


def _let_all_be_said() -> None:
    """A file may hold letters that the terminal's encoding lacks: ASCII becomes UTF-8, elsewhere they are escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if plain else None, errors="backslashreplace")
