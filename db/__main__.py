"""python -m db: the address, the schema, the snapshot and the backups of the database in use, and whom it forgets."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from console import console, progress, says_errors
from db import audit, backup, checksums, embedded, engine, erasure, privacy, restore, run_checksums, snapshot
from db.checksums import Content
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


@app.command()
@says_errors
def check() -> None:
    """Compare the published results with what they were when they were published."""
    checked = run_checksums.check(engine.make_engine(load_settings()))
    told = ", ".join(f"run {run_id}" for run_id in checked) or "there are none"
    console.print(f"The published results are as they were published ({told}).")


@app.command("snapshot")
@says_errors
def refresh_snapshot() -> None:
    """Bring the Parquet snapshot up to the database (as loads and published runs do), and mend damaged files in it."""
    settings = load_settings()
    path = snapshot.refresh(engine.make_engine(settings), settings.data_dir, wholly=True)
    console.print(f"The newest snapshot is {path}.")


@app.command("backup")
@says_errors
def back_up(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, a new one.")],
) -> None:
    """Write all of the record into one file, as it is at one moment, while loads go on. It holds personal data."""
    database = engine.make_engine(load_settings())
    _note(database, "backup")
    with _counted("Backing up", len(checksums.tables())) as advance:
        written = backup.backup(database, path, advance)
    console.print(
        f"{escape(str(path))} holds {len(written.tables)} tables with {_rows(written.tables)} rows of schema "
        f"{written.revision}, as of {written.taken_at}; only you may read it, for it holds personal data."
    )


@app.command("restore")
@says_errors
def restore_backup(path: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")]) -> None:
    """Fill a database that has no data from a backup, of this version or an earlier one; all of it or nothing."""
    settings = load_settings()
    database = engine.engine_as_it_is(settings)
    with _counted("Restoring", 2 * len(checksums.tables())) as advance:
        restored = restore.restore(database, path, advance)
    console.print(
        f"{len(restored.tables)} tables with {_rows(restored.tables)} rows are restored, as of {restored.taken_at}; "
        "each holds what the backup says."
    )
    snapshot.refresh(database, settings.data_dir)


@app.command("checksums")
@says_errors
def print_checksums(
    path: Annotated[Path | None, typer.Argument(metavar="FILE", help="A backup; without it the database.")] = None,
) -> None:
    """Print SHA-256 and rows of each table, to compare two servers, or a server and a backup of the same schema."""
    if path is not None:
        with backup.opened(path) as there:
            tables = there.manifest.tables
    else:
        with _counted("Adding up", len(checksums.tables())) as advance:
            tables = checksums.of_all(engine.make_engine(load_settings()), advance)
    for name, content in sorted(tables.items()):
        print(f"{content.sha256} {content.rows:>12} {name}")


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
        if not typer.confirm(f"Forget {_number_of(len(set(customers)), 'customer')}? This cannot be undone."):
            console.print("Nothing was changed.")
            return
    with progress() as bar:
        bar.add_task("Forgetting", total=None)
        database, key = engine.make_engine(settings), partial(secret, settings, FORGOTTEN)
        _note(database, "forget")
        erased = privacy.forget(database, settings.data_dir, customers, key)
    _tell(erased, "forgotten")


@app.command()
@says_errors
def remember(customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The exact id.")]) -> None:
    """Let later loads know a forgotten customer again, who orders again and agrees; what was erased stays so."""
    settings = load_settings()
    database, key = engine.make_engine(settings), partial(secret, settings, FORGOTTEN)
    _note(database, "remember")
    privacy.remember(database, customer, key)
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
        now, database = as_of or datetime.now(UTC).replace(tzinfo=None), engine.make_engine(settings)
        _note(database, "retain")
        erased = privacy.retain(database, settings.data_dir, settings.retention_months, now)
    _tell(erased, "made anonymous")


def _note(database: Engine, command: str) -> None:
    """Who ran it stands in the audit log; of whom, not."""
    audit.note(database, audit.operator(), "ran command", f"db {command}")


def _tell(erased: Erased, done: str) -> None:
    are = "is" if erased.customers == 1 else "are"
    console.print(f"{_number_of(erased.customers, 'customer')} {are} {done}.")
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


def _number_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _counted(doing: str, steps: int) -> Iterator[Callable[[], None]]:
    with progress() as display:
        task = display.add_task(doing, total=steps)
        yield lambda: display.advance(task)


def _rows(tables: Mapping[str, Content]) -> str:
    return f"{sum(content.rows for content in tables.values()):,}"


if __name__ == "__main__":
    app()
