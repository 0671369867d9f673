"""python -m db: the address, the schema and the snapshot of the database in use."""

import typer

from console import console, says_errors
from db import checksums, embedded, engine, snapshot
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
    checked = checksums.check(engine.make_engine(load_settings()))
    told = ", ".join(f"run {run_id}" for run_id in checked) or "there are none"
    console.print(f"The published results are as they were published ({told}).")


@app.command("snapshot")
@says_errors
def refresh_snapshot() -> None:
    """Bring the Parquet snapshot up to the database (as loads and published runs do), and mend damaged files in it."""
    settings = load_settings()
    path = snapshot.refresh(engine.make_engine(settings), settings.data_dir, wholly=True)
    console.print(f"The newest snapshot is {path}.")


if __name__ == "__main__":
    app()
