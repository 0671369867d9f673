"""python -m models: from the newest snapshot to published segments and recommendations."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.markup import escape

from console import console, progress, says_errors
from db.engine import make_engine
from db.queries.features import Returns
from errors import ConfigurationError, RefreshError
from models import pipeline
from models.configuration import read_plan
from models.pipeline import schedule as daily
from models.points import Transform
from models.rules import read_rules
from models.segments import MAX_CLUSTERS
from settings import MAX_SEED, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main() -> None:
    """Segments and recommendations."""


@app.command()
@says_errors
def run(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look back from this midnight; default: the last order plus one day."),
    ] = None,
    returns: Annotated[Returns, typer.Option(help="net: returns are no purchases; raw: every order counts.")] = "net",
    transform: Annotated[
        Transform, typer.Option(help="What clusters are made of: logarithms of the features, or them as they are.")
    ] = "log",
    clusters: Annotated[str, typer.Option(help="auto (3 to 8, by four criteria) or a number up to 20.")] = "auto",
    n_init: Annotated[int, typer.Option(min=1, help="Starts of the clustering; the best is kept.")] = 10,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Of every random choice; default SPECTRUM_SEED.")
    ] = None,
    segments: Annotated[
        Path | None,
        typer.Option(
            help="A file that sets scores, groups and clusters; default SPECTRUM_SEGMENTS, else the built-in."
        ),
    ] = None,
    months: Annotated[int, typer.Option(min=0, max=36, help="Months back that customers' moves are followed.")] = 12,
    at: Annotated[
        list[datetime] | None,
        typer.Option(formats=["%Y-%m-%d"], help="Another day at which to tell how customers stood; may be repeated."),
    ] = None,
    holdout_days: Annotated[
        int | None,
        typer.Option(min=1, max=3_650, help="Days held out to test recommendations; default 28 or 60, by rhythm."),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="A file of what may be recommended; default SPECTRUM_RULES, else the built-in."),
    ] = None,
    windows: Annotated[
        int, typer.Option(min=1, max=12, help="Windows of the past to test recommendations on, each a holdout earlier.")
    ] = 1,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Try several settings of the baselines first, on the windows before each test."),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Recommendations by fewer models, trained shorter.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Publish recommendations whatever their test says; the run records it.")
    ] = False,
    if_changed: Annotated[bool, typer.Option("--if-changed", help="Only where data or options changed.")] = False,
) -> None:
    """Compute segments and recommendations and publish them; what was published before stays until there is better."""
    settings = load_settings()
    engine = make_engine(settings)
    options = pipeline.Options(
        as_of=as_of,
        returns=returns,
        transform=transform,
        clusters=_clusters(clusters),
        n_init=n_init,
        seed=settings.seed if seed is None else seed,
        holdout_days=holdout_days,
        months=months,
        at=tuple(at or ()),
        plan=read_plan(segments or settings.segments),
        rules=read_rules(rules or settings.rules),
        windows=windows,
        tune=tune,
        quick=quick,
        force=force,
    )
    if if_changed and pipeline.is_current(engine, settings, options):
        console.print("Segments and recommendations are current; nothing to do.")
        return
    with progress() as display:
        outcome = pipeline.run(engine, settings, options, display)
    console.print(f"Segments are published: {outcome.segments}")
    for sentence in outcome.unmet:
        console.print(f"[yellow]The rule[/] {escape(sentence)}")
    if outcome.published:
        console.print(f"Recommendations are published: {outcome.recommendations}")
    else:
        console.print(f"[yellow]Recommendations are not published[/]; any from before stay. {outcome.recommendations}")


@app.command()
@says_errors
def schedule(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER]", help="Whose new files are loaded first; whatever `etl load` takes."),
    ] = None,
    now: Annotated[bool, typer.Option("--once", help="Refresh now, and end.")] = False,
) -> None:
    """Each day at SPECTRUM_REFRESH_AT load new files and run the models; a time that was missed is made up for."""
    settings = load_settings()
    engine = make_engine(settings)
    with _told_to_stop() as stop:
        work = partial(daily.refresh, settings, what, stop)
        if not now:
            daily.keep(engine, time.fromisoformat(settings.refresh_at), work, stop, _tell)
        elif not daily.once(engine, work):
            raise RefreshError("Another refresh is going on, here or on another machine; wait for its end.")


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """Set by Ctrl-C and by SIGTERM."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(sentence: str) -> None:
    console.print(escape(sentence))


def _clusters(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_CLUSTERS:
        raise ConfigurationError(f"--clusters takes auto or a number from 1 to {MAX_CLUSTERS}, not {text}.")
    return int(text)


if __name__ == "__main__":
    app()
