"""python -m db: the address, the schema, the snapshot and the backups of the database in use."""

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from console import console, progress, says_errors
from db import audit, backup, checksums, embedded, engine, restore, snapshot
from db.checksums import Content
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


@app.command("backup")
@says_errors
def back_up(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, a new one.")],
) -> None:
    """Write all of the record into one file, as it is at one moment, while loads go on. It holds personal data."""
    database = engine.make_engine(load_settings())
    audit.note(database, f"command ({getpass.getuser()})", "ran command", "db backup")
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


@contextmanager
def _counted(doing: str, steps: int) -> Iterator[Callable[[], None]]:
    with progress() as display:
        task = display.add_task(doing, total=steps)
        yield lambda: display.advance(task)


def _rows(tables: Mapping[str, Content]) -> str:
    return f"{sum(content.rows for content in tables.values()):,}"


if __name__ == "__main__":
    app()
