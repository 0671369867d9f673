"""What is understood of a file before it is loaded: what its columns mean, how it is written, what is open."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import kinds, mapping, mapping_file, parse
from etl.canonical import Cells
from etl.clean import Cleaned, clean
from etl.dates import with_day_order
from etl.intake import typed
from etl.mapping import Layout, Question, Understood
from etl.meanings import KINDS, MOMENTS, NUMBERS, Kind
from etl.numbers import with_decimal_marks
from etl.readers.base import Form, Source
from etl.told import Told

_PREVIEW_ROWS = 5
_LONGEST_CELL = 80
_MARKS = ".,'’ \u00a0\u2009\u202f"


@dataclass(frozen=True)
class Column:
    """One column of the file. `meaning` and `why` (by name, by content, given) are None where it is ignored."""

    name: str
    meaning: str | None
    why: str | None
    example: str
    """The first cell that is not blank; blank where there is none among the first rows."""


@dataclass(frozen=True)
class Dates:
    """How one column of dates is read, shown by one of its cells."""

    meaning: str
    column: str
    day_first: bool | None
    """None: the cells name the month or begin with the year, or the order is an open question."""
    example: str
    read_as: str | None
    """ISO 8601; None: it cannot be read so."""


@dataclass(frozen=True)
class Numbers:
    """How one column of numbers is written, shown by one of its cells."""

    meaning: str
    column: str
    decimal: str
    thousands: str | None
    example: str


@dataclass(frozen=True)
class Rejected:
    """Rows of the first batch that would be rejected, the number of the first, and a cell that is to blame if known."""

    reason: str
    rows: int
    first_row: int
    example: str | None


@dataclass(frozen=True)
class Inspection:
    """All that is understood of a file; `as_json` gives it as one document with these names.

    rows: how many the file has (a CSV counts its line breaks). rows_looked_at: how many the first batch has, of which
    `rejected` tells; repeats of earlier rows are found by a load alone. preview: the first accepted rows, canonical
    name -> cell. The file can be loaded where `missing` and `questions` are empty.
    """

    name: str
    kind: Kind
    export: str | None
    form: Form
    rows: int
    columns: Sequence[Column]
    constants: Mapping[str, str]
    dates: Sequence[Dates]
    numbers: Sequence[Numbers]
    missing: Sequence[str]
    questions: Sequence[Question]
    remarks: Sequence[str]
    rows_looked_at: int
    rejected: Sequence[Rejected]
    preview: Sequence[Mapping[str, str | None]]
    layout: Layout

    def as_json(self) -> dict[str, Any]:
        """For json.dumps; `mapping` in it is what a mapping file would say, `meanings` all that the kind has."""
        told = {name: value for name, value in asdict(self).items() if name != "layout"}
        meanings = list(KINDS[self.kind].names)
        return {
            **told,
            "kinds": list(KINDS),
            "meanings": meanings,
            "mapping": mapping_file.as_dict(self.layout, self.form),
        }

    def mapping_file(self) -> str:
        """The mapping file to start from."""
        return mapping_file.written(self.layout, self.form, self.name, [column.name for column in self.columns])


def inspected(source: Source, kind: Kind = "orders", layout: Layout | None = None) -> Inspection:
    """Look at a source, with the layout of a mapping file or else with what its columns show.

    Dates and numbers are settled by the whole file, as a load does. Raises InputError where the file cannot be read,
    and where the layout names a column that it does not have.
    """
    with typed(source.name):
        return _inspected(source, kind, layout)


def _inspected(source: Source, kind: Kind, layout: Layout | None) -> Inspection:
    if layout is None:
        found = mapping.understood(source, kind)
    else:
        layout = mapping.given(layout, source)
        why = dict.fromkeys(layout.columns, "given")
        found = Understood(layout, None, why, (), (), mapping.remarks(layout, source))
    questions = list(found.questions)
    settled = _settled(found.layout, source, questions)
    told = Told(source.name, settled, source.columns)
    try:
        _hear(told, settled, source)
    except InputError as error:
        questions.append(Question(str(error), ()))
    first = next((batch for batch in source.batches() if batch.num_rows), None)
    rejected, preview = _tried(settled, first) if first is not None and not mapping.missing(settled) else ([], [])
    meanings = {column: canonical for canonical, column in settled.columns.items()}
    return Inspection(
        name=source.name,
        kind=settled.kind,
        export=found.export,
        form=source.form,
        rows=source.rows,
        columns=[
            Column(name, meanings.get(name), found.why.get(meanings.get(name, "")), _example(first, name))
            for name in source.columns
        ],
        constants=settled.constants,
        dates=_dates(settled, first),
        numbers=_numbers(settled, first),
        missing=found.missing,
        questions=questions,
        remarks=[*found.remarks, *(told.remarks("all") if not questions else ())],
        rows_looked_at=0 if first is None else first.num_rows,
        rejected=rejected,
        preview=preview,
        layout=settled,
    )


def _hear(told: Told, layout: Layout, source: Source) -> None:
    """All rows of the file, where they tell anything together."""
    if C.CURRENCY not in layout.columns and not told.sums:
        return
    rows = 1
    for batch in source.batches():
        numbered = pa.array(range(rows, rows + batch.num_rows), pa.int64())
        told.see(batch.column(layout.columns[C.CURRENCY]) if C.CURRENCY in layout.columns else None, rows)
        told.add(batch, numbered, numbered)
        rows += batch.num_rows


def _settled(layout: Layout, source: Source, questions: list[Question]) -> Layout:
    """The layout with what the whole file tells of its dates and numbers; what it does not becomes a question."""
    written = [name for name in NUMBERS if name in layout.columns]
    ways: list[tuple[Callable[[Layout, Source], Layout], list[str]]] = [
        (with_day_order, ["day_first = true", "day_first = false"]),
        (with_decimal_marks, ["[decimals]", *(f'{name} = "{mark}"' for name in written for mark in ".,")]),
    ]
    if layout.kind != "orders":
        ways = [(kinds.settled, [line for _, lines in ways for line in lines])]
    for settle, lines in ways:
        try:
            layout = settle(layout, source)
        except InputError as error:
            questions.append(Question(str(error), lines))
    return layout


def _tried(layout: Layout, batch: pa.RecordBatch) -> tuple[list[Rejected], list[Mapping[str, str | None]]]:
    """What cleaning would reject of the batch, most rows first, and the first rows that it would accept."""
    cells = Cells(layout).of(batch)
    cleaned: Cleaned | kinds.Part
    if layout.kind == "orders":
        cleaned = clean(batch, cells, layout, pa.array(range(1, batch.num_rows + 1), pa.int64()))
        accepted = cleaned.accepted
    else:
        cleaned = kinds.part_of(batch, cells, layout, 1, None)
        accepted = next(iter(cleaned.accepted.values()))
    counted = pa.table(cleaned.rejected.select([C.REASON, C.ROW_NUMBER])).group_by(C.REASON)
    told = counted.aggregate([(C.ROW_NUMBER, "count"), (C.ROW_NUMBER, "min")]).to_pylist()
    rejected = [
        Rejected(
            row[C.REASON],
            row[f"{C.ROW_NUMBER}_count"],
            row[f"{C.ROW_NUMBER}_min"],
            cleaned.examples.get(row[C.REASON]),
        )
        for row in told
    ]
    shown = accepted.slice(0, _PREVIEW_ROWS)
    columns = {name: shown.column(name) for name in shown.schema.names if shown.column(name).null_count < len(shown)}
    return sorted(rejected, key=lambda part: (-part.rows, part.reason)), _rows(columns)


def _rows(columns: Mapping[str, pa.Array]) -> list[Mapping[str, str | None]]:
    texts = [[None if cell is None else _short(cell) for cell in _text(column)] for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*texts, strict=True)]


def _text(column: pa.Array) -> list[str | None]:
    if pa.types.is_decimal(column.type):
        return [None if cell is None else f"{cell.normalize():f}" for cell in column.to_pylist()]
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
    cells: list[str | None] = column.cast(pa.string()).to_pylist()
    return cells


def _dates(layout: Layout, batch: pa.RecordBatch | None) -> list[Dates]:
    found = []
    for meaning in MOMENTS:
        if batch is None or meaning not in layout.columns:
            continue
        cells = parse.text(batch.column(layout.columns[meaning])).drop_null()
        for cell in islice(cells, 1):
            moment = parse.moment(pa.array([str(cell)]), layout.day_first)[0].as_py()
            numeric = pc.match_substring_regex(pa.array([str(cell)]), parse.NUMERIC_DATE)[0].as_py()
            read_as = None if moment is None else moment.isoformat(sep=" ", timespec="seconds")
            day_first = layout.day_first if numeric else None
            found.append(Dates(meaning, layout.columns[meaning], day_first, _short(str(cell)), read_as))
    return found


def _numbers(layout: Layout, batch: pa.RecordBatch | None) -> list[Numbers]:
    found = []
    for meaning in NUMBERS:
        if batch is None or meaning not in layout.columns:
            continue
        written = pc.unique(parse.text(batch.column(layout.columns[meaning])).drop_null()).to_pylist()
        decimal = layout.decimals.get(meaning, ".")
        marks = {cell: mark for cell in written if meaning in layout.decimals and (mark := _thousands(cell, decimal))}
        example = next(iter([*marks, *(cell for cell in written if decimal in cell), *written]), "")
        found.append(Numbers(meaning, layout.columns[meaning], decimal, marks.get(example), _short(example)))
    return found


def _thousands(cell: str, decimal: str) -> str | None:
    mark = re.search(f"[0-9]([{_MARKS.replace(decimal, '')}])[0-9]{{3}}(?![0-9])", cell)
    return mark[1] if mark else None


def _example(batch: pa.RecordBatch | None, column: str) -> str:
    if batch is None:
        return ""
    cells = parse.text(batch.column(column).slice(0, 1000)).drop_null()
    return _short(str(cells[0])) if len(cells) else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
