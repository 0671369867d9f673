"""python -m etl: look at a file, load it or the sample, tell the account of a load, take a load out again."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from console import complain, complaints, console, progress, says_errors
from db import accounts, loads, rejects, runs, snapshot
from db.engine import make_engine
from db.queries.findings import of_load
from db.secret import FORGOTTEN, secret
from errors import ConfigurationError, InputError, SpectrumError, one_line
from etl import mapping_file
from etl.inspection import inspected
from etl.load import Outcome
from etl.load import load as load_source
from etl.mapping import Layout, detect, given
from etl.meanings import Kind
from etl.readers import READERS, expand, open_source, shown
from etl.readers.base import UNKNOWN, Form, Source
from etl.readers.folder import Found
from etl.rejected import mapping_of, write_csv
from etl.report import account, counted, found, listed, summary
from etl.shown import inspection
from settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
@says_errors
def load(
    what: Annotated[
        str,
        typer.Argument(
            metavar="sample|FILE|FOLDER|ADDRESS",
            help=f"The sample; a file ({', '.join(READERS)}), also s3://, gs:// or https://; a folder or a quoted "
            "pattern such as 'exports/*.csv', each file a load of its own; or with --query a database.",
        ),
    ],
    keep_duplicates: Annotated[bool, typer.Option(help="Accept rows that repeat an earlier row exactly.")] = False,
    households: Annotated[int | None, typer.Option(help="Cut the sample to its first so many households.")] = None,
    query: Annotated[str | None, typer.Option(help="The SELECT whose rows are loaded from the database.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="The mapping file to go by; `inspect` writes one.")] = None,
    kind: Annotated[Kind | None, typer.Option("--as", help="What a row of the file is about, if not orders.")] = None,
    replace: Annotated[
        int | None,
        typer.Option(metavar="LOAD", help="Take this load out in the same step."),
    ] = None,
    progress_file: Annotated[
        Path | None, typer.Option(help="Keep this file telling how far the load is, as JSON, for another program.")
    ] = None,
) -> None:
    """Load one file or several; the same content twice counts once."""
    settings = load_settings()
    layout, form = mapping_file.read(mapping) if mapping else (None, UNKNOWN)
    how = _How(keep_duplicates, layout, form, kind, replace)
    files = expand(what) if households is None and query is None else None
    if files is not None:
        if replace is not None:
            raise ConfigurationError("--replace takes one file for one load; name that file alone.")
        _load_each(files, settings, how)
        return
    with progress() as bar:
        bar.add_task("Opening", total=None)
        source = open_source(what, households, how.form, query=query)
    layout = how.fitting(source)
    engine = make_engine(settings)
    outcome = _load(engine, source, layout, how, settings, progress_file)
    if progress_file:  # from here on the load stands, whatever becomes of the snapshot
        _tell_progress(progress_file, load=outcome.load.load_id, fresh=outcome.fresh)
    name = escape(source.name)
    if outcome.fresh:
        console.print(*account(accounts.report(engine, outcome.load.load_id)), sep="\n")
        console.print(f"{name} is loaded (load {outcome.load.load_id}).")
    else:
        console.print(f"{name} is already loaded (load {outcome.load.load_id}); nothing was changed.")
        if how.layout is not None or how.keep_duplicates:
            console.print(f"To load it anew with these options, add --replace {outcome.load.load_id}.")
    _write_snapshot(engine, settings)
    if outcome.fresh:
        _tell_findings(settings, outcome.load.load_id)


@dataclass(frozen=True)
class _How:
    """What the options of `load` say of every file."""

    keep_duplicates: bool
    layout: Layout | None
    form: Form
    kind: Kind | None
    replace: int | None

    def fitting(self, source: Source) -> Layout | None:
        """The layout of the mapping file, or of the kind that was said; None: that of orders."""
        if self.layout is None:
            return None if self.kind is None else detect(source, self.kind)
        if self.kind not in (None, self.layout.kind):
            raise ConfigurationError(
                f"The mapping file is of {self.layout.kind}, and --as says {self.kind}; leave one of them out."
            )
        return given(self.layout, source)


def _load(
    engine: Engine,
    source: Source,
    layout: Layout | None,
    how: _How,
    settings: Settings,
    progress_file: Path | None = None,
) -> Outcome:
    read = 0

    def advance(rows: int) -> None:
        nonlocal read
        read += rows
        bar.advance(task, rows)
        if progress_file:
            _tell_progress(progress_file, rows=read, total=source.rows)

    with progress() as bar:
        task = bar.add_task(f"Loading {escape(source.name)}", total=source.rows)
        try:
            return load_source(
                engine,
                source,
                layout=layout,
                keep_duplicates=how.keep_duplicates,
                replaces=how.replace,
                advance=advance,
                key=partial(secret, settings, FORGOTTEN),
            )
        except KeyboardInterrupt:  # its traceback would keep threads waiting
            complaints.print(f"The load of {escape(source.name)} was broken off and nothing was changed.")
    sys.exit(130)


def _tell_progress(path: Path, **told: int | None) -> None:
    """Written beside and renamed, so that a reader never sees half of it."""
    beside = path.with_name(f"{path.name}.new")
    _write(beside, json.dumps(told))
    beside.replace(path)


def _load_each(named: Found, settings: Settings, how: _How) -> None:
    """Load files one after the other; one that cannot be loaded is told at once, and the others go on."""
    engine = make_engine(settings)
    outcomes: dict[str, Outcome | None] = {}
    for file in named.files:
        try:
            source = open_source(file, form=how.form)
            outcomes[file] = _load(engine, source, how.fitting(source), how, settings)
        except SpectrumError as error:
            outcomes[file] = None
            complain(error)
    console.print(summary({shown(file): outcome for file, outcome in outcomes.items()}))
    for remark, files in Counter(_remarks(outcomes.values())).items():
        console.print(f"{escape(one_line(remark))} ({counted(files, 'file')})")
    if named.skipped:
        console.print(f"Skipped, being hidden or of no known kind: {escape(one_line(', '.join(named.skipped)))}.")
    if any(outcomes.values()):
        _write_snapshot(engine, settings)
    if failed := sum(outcome is None for outcome in outcomes.values()):
        raise InputError(
            f"{failed} of {counted(len(outcomes), 'file')} could not be loaded; mend what is told above and load again."
        )


def _remarks(outcomes: Iterable[Outcome | None]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome is not None and outcome.fresh:
            yield from outcome.load.options.get("remarks", ())


@app.command()
@says_errors
def inspect(
    what: Annotated[str, typer.Argument(metavar="FILE", help="What `load` would take.")],
    kind: Annotated[Kind, typer.Option("--as", help="What a row of the file is about.")] = "orders",
    mapping: Annotated[Path | None, typer.Option(help="The mapping file to go by.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write what was understood to this mapping file.")] = None,
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    query: Annotated[str | None, typer.Option(help="The SELECT whose rows are looked at.")] = None,
) -> None:
    """Show what is understood of a file, and what is not, without loading it; write a mapping file to mend."""
    layout, form = mapping_file.read(mapping) if mapping else (None, UNKNOWN)
    if write:
        _must_be_free(write, force)
    with progress() as bar:
        bar.add_task(f"Inspecting {escape(shown(what))}", total=None)
        seen = inspected(open_source(what, form=form, query=query), kind, layout)
    if json_:
        typer.echo(json.dumps(seen.as_json(), ensure_ascii=False, indent=2))
    else:
        console.print(*inspection(seen), sep="\n")
    if write:
        _write(write, seen.mapping_file())
        complaints.print(f"The mapping file {escape(str(write))} is written.")


@app.command()
@says_errors
def rejected(
    number: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.")],
    to: Annotated[Path | None, typer.Option(help="Write them to this CSV file, with its mapping file beside.")] = None,
    force: Annotated[bool, typer.Option(help="Write over files that are there.")] = False,
) -> None:
    """Give the rejected rows of a load as CSV, to be mended and loaded."""
    engine = make_engine(load_settings())
    load = rejects.load_of(engine, number)
    columns = load.options.get("columns") or rejects.columns(engine, number)
    if to is None:
        write_csv(rejects.rejects(engine, number), columns, sys.stdout)
        return
    if to.suffix.lower() != ".csv":
        raise ConfigurationError(f"The rejected rows are written as CSV, which {to} does not say; name it .csv.")
    beside = to.with_suffix(".toml")
    for path in (to, beside):
        _must_be_free(path, force)
    refused = rejects.rejects(engine, number)
    first = next(refused, None)
    if first is None:
        console.print(f"Load {number} has no rejected rows to mend; nothing is written.")
        return
    half = to.with_name(f"{to.name}.new")  # half of the rows must not pass for all of them
    try:
        with _writing(to):
            with half.open("w", encoding="utf-8", newline="") as sink:
                rows = write_csv(chain([first], refused), columns, sink)
            half.replace(to)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
    mapping = mapping_of(load, to.name)
    if mapping:
        _write(beside, mapping)
    by = f" --mapping {beside}" if mapping else ""
    console.print(
        f"{counted(rows, 'rejected row')} of load {number} {'is' if rows == 1 else 'are'} in {escape(str(to))}; mend "
        f"what is wrong and run `python -m etl load {escape(f'{to}{by}')}`."
    )


@app.command()
@says_errors
def report(
    number: Annotated[int | None, typer.Argument(metavar="LOAD", help="The load's number; none: all loads.")] = None,
) -> None:
    """Tell the account of a load again, or list all loads, the newest first."""
    settings = load_settings()
    engine = make_engine(settings)
    if number is not None:
        console.print(*account(accounts.report(engine, number)), sep="\n")
        _tell_findings(settings, number)
    elif all_loads := accounts.all_loads(engine):
        console.print(listed(all_loads))
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
        f"{counted(undone.products, 'product')} that no other load tells of."
    )
    if undone.heirs:
        heirs = ", ".join(map(str, undone.heirs))
        console.print(f"What other loads have too stays, and counts as theirs from now on: load {heirs}.")
    if any(runs.published(engine, kind) for kind in (runs.SEGMENTS, runs.RECOMMENDATIONS)):
        console.print(
            "The published segments and recommendations still rest on the data before; run `python -m models run`."
        )
    _write_snapshot(engine, settings)


def _must_be_free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise ConfigurationError(f"There is a file {path} already; name another, or write over it with --force.")


def _write(path: Path, text: str) -> None:
    with _writing(path):
        path.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror or error}); name another.") from error


def _write_snapshot(engine: Engine, settings: Settings) -> None:
    with progress() as bar:
        bar.add_task("Writing the snapshot", total=None)
        loads.gather_statistics(engine)
        snapshot.refresh(engine, settings.data_dir)


def _tell_findings(settings: Settings, number: int) -> None:
    """What the snapshot says of a load's lines; before the first snapshot it says nothing."""
    if snapshot.newest_version(settings.data_dir) is None:
        return
    if findings := of_load(snapshot.open_newest(settings.data_dir), number):
        console.print(found(findings))


if __name__ == "__main__":
    app()
