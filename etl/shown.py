"""What is understood of a file, as the command prints it."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from db.columns import Columns as C
from errors import one_line
from etl.inspection import Dates, Inspection, Numbers

_THOUSANDS = {",": "commas", ".": "points", " ": "spaces", "\u00a0": "spaces", "\u2009": "spaces", "\u202f": "spaces"}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def inspection(found: Inspection) -> Iterator[RenderableType]:
    """All that there is to say of it, in parts for the console."""
    export = f", the export of {found.export}" if found.export else ""
    yield f"[bold]{_said(found.name)}[/]: {found.kind}{export}, about {found.rows:,} rows{_said(_written(found))}."
    yield _columns(found)
    if ignored := [column.name for column in found.columns if column.meaning is None]:
        yield f"{'Kept as attributes' if found.kind == 'customers' else 'Not used'}: {_said(', '.join(ignored))}"
    yield from (f"Each row has the {name} {_said(value)}." for name, value in found.constants.items())
    yield from (_said(_date(dates)) for dates in found.dates)
    yield from (_said(_number(numbers)) for numbers in found.numbers if numbers.thousands or numbers.decimal == ",")
    yield from map(_said, found.remarks)
    if found.preview:
        yield _preview(found)
    if found.rejected:
        yield f"Of the first {found.rows_looked_at:,} rows would be rejected:"
    for part in found.rejected:
        such = f", such as {part.example!r}" if part.example else ""
        yield _said(f"  {part.reason.replace('_', ' ')}: {part.rows:,}, first row {part.first_row:,}{such}")
    for asked in found.questions:
        answers = " Of these lines keep what is right in a mapping file:" if asked.lines else ""
        yield f"[bold]Open:[/] {_said(asked.question)}{answers}"
        yield from (f"  {_said(line)}" for line in asked.lines)
    if found.missing:
        yield f"[bold]Missing:[/] {', '.join(found.missing)}."
    if found.questions and not found.missing and not any(asked.lines for asked in found.questions):
        yield "It cannot be loaded so."
    elif found.missing or found.questions:
        yield "It cannot be loaded so; write a mapping file with --write, mend it, and load the file with --mapping."
    else:
        yield "It can be loaded as it is."


def _said(text: str) -> str:
    """What comes from the file, as harmless text."""
    return escape(one_line(text))


def _written(found: Inspection) -> str:
    form = found.form
    parts = []
    if form.encoding:
        parts.append(f"written in {form.encoding}")
    if form.delimiter:
        parts.append(f"parted by {_DELIMITERS[form.delimiter]}")
    if form.sheet:
        parts.append(f"on the sheet {form.sheet}")
    if form.header_line and form.header_line > 1:
        above = form.header_line - 1
        parts.append(f"the column names on line {form.header_line}, with {above} above that {_are(above)} left out")
    return "".join(f", {part}" for part in parts)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _columns(found: Inspection) -> Table:
    table = Table("column", "meaning", "found", "such as", box=None, header_style="dim")
    for column in found.columns:
        if column.meaning is not None:
            table.add_row(_said(column.name), column.meaning, column.why, _said(column.example))
    return table


def _preview(found: Inspection) -> Table:
    """A column a row, for a terminal has more lines than places on a line."""
    rows = [dict(row) for row in found.preview]
    numbers = [row.pop(C.ROW_NUMBER, None) or str(place) for place, row in enumerate(rows, start=1)]
    table = Table("The first rows", *(f"row {number}" for number in numbers), box=None, header_style="dim")
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max(map(len, rows[0]))
    for name in rows[0]:
        table.add_row(name, *(_said(row[name] or "") for row in rows))
    return table


def _date(dates: Dates) -> str:
    order = {True: " (the day first)", False: " (the month first)", None: ""}[dates.day_first]
    if dates.read_as is None:
        return f"{dates.column}: {dates.example} cannot be read yet."
    return f"{dates.column}: {dates.example} is read as {dates.read_as}{order}."


def _number(numbers: Numbers) -> str:
    decimal = "a decimal comma" if numbers.decimal == "," else "a decimal point"
    mark = numbers.thousands
    thousands = f", thousands parted by {_THOUSANDS.get(mark, mark)}" if mark else ""
    return f"{numbers.column}: {decimal}{thousands}, such as {numbers.example}."
