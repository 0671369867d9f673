"""python -m etl: load the sample or a file of a shop's own, tell the account of a load, take a load out again."""

from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from console import console, progress, says_errors
from db import accounts, loads, runs, snapshot
from db.engine import make_engine
from etl.load import load as load_source
from etl.readers import READERS, open_source
from etl.report import account, counted, listed
from settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
@says_errors
def load(
    what: Annotated[str, typer.Argument(metavar="sample|FILE", help=f"The sample, or a file: {', '.join(READERS)}.")],
    keep_duplicates: Annotated[bool, typer.Option(help="Accept rows that repeat an earlier row exactly.")] = False,
    households: Annotated[int | None, typer.Option(help="Cut the sample to its first so many households.")] = None,
) -> None:
    """Load one file; the same content twice counts once."""
    settings = load_settings()
    source = open_source(what, households)
    engine = make_engine(settings)
    with progress() as bar:
        task = bar.add_task(f"Loading {source.name}", total=source.rows)
        outcome = load_source(
            engine, source, keep_duplicates=keep_duplicates, advance=lambda rows: bar.advance(task, rows)
        )
    name = escape(source.name)
    if outcome.fresh:
        console.print(*account(accounts.report(engine, outcome.load.load_id)), sep="\n")
        console.print(f"{name} is loaded (load {outcome.load.load_id}).")
    else:
        console.print(f"{name} is already loaded (load {outcome.load.load_id}); nothing was changed.")
    _write_snapshot(engine, settings)


@app.command()
@says_errors
def report(
    number: Annotated[int | None, typer.Argument(metavar="LOAD", help="The load's number; none: all loads.")] = None,
) -> None:
    """Tell the account of a load again, or list all loads, the newest first."""
    engine = make_engine(load_settings())
    if number is not None:
        console.print(*account(accounts.report(engine, number)), sep="\n")
    elif found := accounts.all_loads(engine):
        console.print(listed(found))
    else:
        console.print("Nothing has been loaded yet; run `python -m etl load sample` or `python -m etl load FILE`.")


@app.command()
@says_errors
def undo(number: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.")]) -> None:
    """Take a load out again, whole; its content can be loaded again."""
    settings = load_settings()
    engine = make_engine(settings)
    with progress() as bar:
        bar.add_task(f"Taking load {number} out", total=None)
        undone = loads.undo(engine, number)
    taken = undone.account.load
    console.print(*account(undone.account), sep="\n")
    console.print(
        f"{escape(taken.name)} is taken out again (load {number}): {counted(taken.rows_accepted, 'line')} and "
        f"{counted(taken.rows_rejected, 'rejected row')}, and {counted(undone.customers, 'customer')} and "
        f"{counted(undone.products, 'product')} that no other load has lines of."
    )
    if any(runs.published(engine, kind) for kind in (runs.SEGMENTS, runs.RECOMMENDATIONS)):
        console.print(
            "The published segments and recommendations still rest on the data before; run `python -m models run`."
        )
    _write_snapshot(engine, settings)


def _write_snapshot(engine: Engine, settings: Settings) -> None:
    with progress() as bar:
        bar.add_task("Writing the snapshot", total=None)
        snapshot.refresh(engine, settings.data_dir)


if __name__ == "__main__":
    app()
