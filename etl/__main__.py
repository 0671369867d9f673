"""python -m etl: load the sample, or a file of a shop's own."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from console import console, progress, says_errors
from db import loads, snapshot
from db.engine import make_engine
from etl.load import Outcome
from etl.load import load as load_source
from etl.readers import READERS, open_source
from settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def _commands() -> None:
    """Keep `load` a command of its own while it is the only one."""


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
        console.print(_reconciliation(outcome.load))
        console.print(_covered(outcome, loads.extent(engine, outcome.load.load_id)))
        console.print(f"{name} is loaded (load {outcome.load.load_id}).")
    else:
        console.print(f"{name} is already loaded (load {outcome.load.load_id}); nothing was changed.")
    with progress() as bar:
        bar.add_task("Writing the snapshot", total=None)
        snapshot.refresh(engine, settings.data_dir)


def _reconciliation(load: loads.Load) -> Table:
    table = Table("", "rows", "amount", box=None, header_style="dim")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("read", f"{load.rows_read:,}", f"{load.amount_read:,.2f}")
    table.add_row("accepted", f"{load.rows_accepted:,}", f"{load.amount_accepted:,.2f}")
    for reason, (rows, amount) in load.rejected.items():
        table.add_row(f"rejected: {reason.replace('_', ' ')}", f"{rows:,}", f"{amount:,.2f}")
    return table


def _covered(outcome: Outcome, extent: loads.Extent) -> str:
    guests = extent.guest_rows / outcome.load.rows_accepted
    return (
        f"{extent.orders:,} orders from {extent.first_ordered_at:%Y-%m-%d} to {extent.last_ordered_at:%Y-%m-%d}; "
        f"{extent.customers:,} customers ({outcome.customers_new:,} new), {extent.products:,} products "
        f"({outcome.products_new:,} new); {guests:.1%} of the lines are guests'."
    )


if __name__ == "__main__":
    app()
