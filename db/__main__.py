"""python -m db: the address, the schema and the snapshot of the database in use, and whom it knows no longer."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from rich.markup import escape

from console import console, progress, says_errors
from db import embedded, engine, erasure, privacy, snapshot
from db.privacy import Erased
from db.secret import FORGOTTEN, secret
from errors import ConfigurationError, one_line
from settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
@says_errors
def url() -> None:
    """Print the address of the database in use, for any SQL client; the embedded server stays up until `stop`."""
    settings = load_settings()
    address = engine.database_url(settings, keep_running=True)
    engine.make_engine(settings).dispose()
    print(address)


@app.command()
@says_errors
def stop() -> None:
    """Stop the embedded server that `url` kept running, once nobody else uses it."""
    embedded.stop(load_settings().data_dir)


@app.command()
@says_errors
def migrate() -> None:
    """Bring the schema up to this version (every other command does so too)."""
    engine.make_engine(load_settings()).dispose()
    console.print("The schema is current.")


@app.command("snapshot")
@says_errors
def refresh_snapshot() -> None:
    """Bring the Parquet snapshot up to the database (as loads and published runs do), and mend damaged files in it."""
    settings = load_settings()
    path = snapshot.refresh(engine.make_engine(settings), settings.data_dir, wholly=True)
    console.print(f"The newest snapshot is {path}.")


@app.command()
@says_errors
def forget(
    customers: Annotated[list[str], typer.Argument(metavar="CUSTOMER...", help="Exact ids.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase customers for good: their lines become a guest's, all else of them goes, and no load brings them back."""
    settings = load_settings()
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigurationError("Nobody is there to confirm it and nothing was changed; say --yes.")
        if not typer.confirm(f"Forget {_counted(len(set(customers)), 'customer')}? This cannot be undone."):
            console.print("Nothing was changed.")
            return
    with progress() as bar:
        bar.add_task("Forgetting", total=None)
        key = partial(secret, settings, FORGOTTEN)
        erased = privacy.forget(engine.make_engine(settings), settings.data_dir, customers, key)
    _tell(erased, "forgotten")


@app.command()
@says_errors
def remember(customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The exact id.")]) -> None:
    """Let later loads know a forgotten customer again, who orders again and agrees; what was erased stays so."""
    settings = load_settings()
    key = partial(secret, settings, FORGOTTEN)
    privacy.remember(engine.make_engine(settings), customer, key)
    console.print(f"What is loaded from now on of customer {escape(one_line(customer))} is theirs again.")


@app.command()
@says_errors
def retain(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Look back from this midnight; default: now.")
    ] = None,
) -> None:
    """Erase who did nothing for SPECTRUM_RETENTION_MONTHS; called daily, it keeps nobody longer."""
    settings = load_settings()
    if settings.retention_months is None:
        console.print("Everybody is kept: SPECTRUM_RETENTION_MONTHS is not set.")
        return
    with progress() as bar:
        bar.add_task("Erasing", total=None)
        now = as_of or datetime.now(UTC).replace(tzinfo=None)
        erased = privacy.retain(engine.make_engine(settings), settings.data_dir, settings.retention_months, now)
    _tell(erased, "made anonymous")


def _tell(erased: Erased, done: str) -> None:
    are = "is" if erased.customers == 1 else "are"
    console.print(f"{_counted(erased.customers, 'customer')} {are} {done}.")
    kept = {table.name for table in erasure.ANONYMOUS}
    _tell_rows("Nobody's now", {name: rows for name, rows in erased.removed.items() if name in kept})
    _tell_rows("Blank now", {name: rows for name, rows in erased.removed.items() if name == "rejected_row"})
    _tell_rows("Removed", {n: rows for n, rows in erased.removed.items() if n not in {*kept, "rejected_row"}})
    if erased.uploads:
        console.print(f"Uploaded files removed, whoever was in them: {erased.uploads}; drop them again to load them.")
    if erased.still_read:
        numbers = ", ".join(map(str, erased.still_read))
        console.print(
            f"The newest snapshot holds nothing of them; version {numbers} is still being read, and goes with its last "
            "reader: the dashboard lets go of it at its next page."
        )


def _tell_rows(what: str, removed: Mapping[str, int]) -> None:
    if removed:
        console.print(f"{what}: {', '.join(f'{rows:,} of {name}' for name, rows in removed.items())}.")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    app()
