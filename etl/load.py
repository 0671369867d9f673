"""One file into the record: idempotent by content, all or nothing, in memory that does not grow with the file."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile, gettempdir

from sqlalchemy import Engine

from db import known, loads
from db.accounts import Load
from db.forgotten import Key, no_key
from db.tally import ALREADY_LOADED
from errors import InputError
from etl import kinds
from etl.clean import Marks
from etl.dates import with_day_order
from etl.intake import Intake, typed, with_service
from etl.mapping import Layout, detect, remarks
from etl.numbers import with_decimal_marks
from etl.readers.base import Source
from etl.rejected import noted
from etl.rules import RULES

_AHEAD = timedelta(days=2)  # a shop's clock may be a zone ahead of UTC, and a little wrong


@dataclass(frozen=True)
class Outcome:
    """What came of a load. `fresh` is false where the same content was there already: nothing was changed."""

    load: Load
    fresh: bool


def load(
    engine: Engine,
    source: Source,
    *,
    layout: Layout | None = None,
    keep_duplicates: bool = False,
    replaces: int | None = None,
    advance: Callable[[int], None] = lambda rows: None,
    key: Key = no_key,
) -> Outcome:
    """Load a source in one transaction, by a layout or else by the one that its columns show.

    Exact duplicates within the file are rejected unless they are to be kept, and lines dated more than two days after
    now in any case. The load that this one `replaces` is taken out in the same transaction. `advance` hears of each
    batch's rows; `key` gives what knows the forgotten customers, where there are any.
    Raises InputError where the file cannot be read or none of its rows can be accepted, ConfigurationError where there
    is nothing to replace, DatabaseError where the database fails; either way nothing is changed.
    """
    with typed(source.name):
        layout = layout or detect(source)
        remarked = remarks(layout, source)
    if layout.kind != "orders":
        return _load_other(engine, source, layout, remarked, replaces, advance, key)
    told: list[int] = []

    def hear(rows: int) -> None:
        told.append(rows)
        advance(rows)

    options = {"keep_duplicates": keep_duplicates}
    try:
        return _load(engine, source, _Settled(layout, whole=False), remarked, options, replaces, hear, key)
    except _Unsettled:  # nearly every file shows in its first rows all that there is to know
        advance(-sum(told))
        with typed(source.name):
            layout = with_decimal_marks(with_day_order(layout, source), source)
        return _load(engine, source, _Settled(layout, whole=True), remarked, options, replaces, advance, key)


@dataclass
class _Settled:
    """A layout, and whether the whole file was asked what its dates and numbers mean; else each batch is looked at."""

    layout: Layout
    whole: bool
    _shown: bool = False

    def check(self, marks: Marks) -> None:
        """Raises _Unsettled where the file must be asked as a whole, which a first look did not show."""
        self._shown = self._shown or marks.shown
        if not self.whole and (marks.strange or (marks.open and not self._shown)):
            raise _Unsettled


class _Unsettled(Exception):  # noqa: N818 (no error: it is caught, and the file is read with more care)
    pass


def _load(
    engine: Engine,
    source: Source,
    settled: _Settled,
    remarked: Sequence[str],
    options: Mapping[str, object],
    replaces: int | None,
    advance: Callable[[int], None],
    key: Key,
) -> Outcome:
    latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
    with _room(source.name), loads.transaction(engine, source.name) as connection, ExitStack() as files:
        existing = loads.find(connection, source.sha256)
        if existing is not None and existing.load_id != replaces:
            return Outcome(existing, fresh=False)
        notes = {**options, **noted(settled.layout, source.form, source.columns)}
        load_id = loads.begin(connection, source.name, source.sha256, notes, replaces=replaces)
        intake = Intake(
            source,
            settled.layout,
            latest,
            spool=lambda: files.enter_context(TemporaryFile()),
            keep_duplicates=bool(options["keep_duplicates"]),
            write=lambda accepted: loads.lines_of(load_id, accepted),
        )
        with closing(_lines(intake, settled, advance)) as lines:  # interrupted, its threads would wait for a taker
            loads.add_lines(connection, lines)
        loads.add_rejected(connection, load_id, intake.rejected.batches())
        known.stage_customers(connection, intake.customers())
        known.stage_products(connection, intake.products())
        if source.customers is not None:
            known.stage_customers(connection, source.customers.to_batches())
        if source.products is not None:
            known.stage_products(connection, with_service(source.products).to_batches())
        known.merge_customers(connection, load_id)
        known.merge_products(connection, load_id)
        loads.add_carried(connection, load_id, source.carried)
        done = loads.finish(connection, load_id, intake.rows, intake.amount, sorted(intake.months), key=key)
        done = loads.explain(
            connection, done, {rule.reason: rule.meaning for rule in RULES}, [*remarked, *intake.remarks()]
        )
        _refuse_nothing(done, intake.examples)
    return Outcome(done, fresh=True)


def _load_other(
    engine: Engine,
    source: Source,
    layout: Layout,
    remarked: Sequence[str],
    replaces: int | None,
    advance: Callable[[int], None],
    key: Key,
) -> Outcome:
    """A file about customers, products, events or campaigns; the mapping's kind says which."""
    with typed(source.name):
        layout = kinds.settled(layout, source)
    latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
    with _room(source.name), loads.transaction(engine, source.name) as connection, ExitStack() as files:
        existing = loads.find(connection, source.sha256, layout.kind)
        if existing is not None and existing.load_id != replaces:
            return Outcome(existing, fresh=False)
        notes = noted(layout, source.form, source.columns)
        load_id = loads.begin(connection, source.name, source.sha256, notes, kind=layout.kind, replaces=replaces)
        taken = kinds.take_in(source, layout, latest, lambda: files.enter_context(TemporaryFile()), advance)
        loads.add_rejected(connection, load_id, taken.rejected.batches())
        for table, spool in taken.accepted.items():
            loads.add_rows(connection, load_id, table, spool.batches())
        done = loads.finish(connection, load_id, taken.rows, Decimal(), key=key)
        done = loads.explain(connection, done, kinds.REASONS, remarked)
        _refuse_nothing(done, taken.examples)
    return Outcome(done, fresh=True)


@contextmanager
def _room(name: str) -> Iterator[None]:
    """A disk that is full, or fails, is one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{name} cannot be loaded ({error.strerror or error}) and nothing was changed; see that there is room in "
            f"{gettempdir()}, and load it again."
        ) from error


def _lines(intake: Intake, settled: _Settled, advance: Callable[[int], None]) -> Generator[bytes, None, None]:
    for part in intake.parts():
        settled.check(part.marks)
        advance(part.rows)
        yield part.lines


def _refuse_nothing(load: Load, examples: Mapping[str, str]) -> None:
    if load.rows_read == 0:
        raise InputError(f"{load.name} has column names and no rows; export it again.")
    if load.rows_accepted == 0 and ALREADY_LOADED not in load.rejected:
        such = {reason: f", such as {cell[:40]!r}" for reason, cell in examples.items()}
        reasons = "; ".join(f"{reason}: {rows}{such.get(reason, '')}" for reason, (rows, _) in load.rejected.items())
        raise InputError(
            f"None of the {load.rows_read} rows of {load.name} can be accepted ({reasons}); "
            "mend them and load the file again."
        )
