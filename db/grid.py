"""What a data grid asks for (rows from-to, sort, column filters) as SQL, with nothing of it trusted.

Columns are taken from a whitelist, values are bound, and whatever does not fit is left out. The form is AG Grid's
`getRowsRequest`: startRow, endRow, sortModel, filterModel, and in its context the columns that are seen and what was
typed into the search box.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db.conditions import ANY, Condition

ColumnKind = Literal["text", "number", "date"]
_MOST_ROWS = 1000
_LARGEST = 1e300
_LONGEST_TEXT = 200
_COMPARISONS = {
    "equals": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
_TEXT_TESTS = {
    "contains": "contains(lower({c}), lower(?))",
    "notContains": "({c} IS NULL OR NOT contains(lower({c}), lower(?)))",
    "equals": "lower({c}) = lower(?)",
    "notEqual": "({c} IS NULL OR lower({c}) <> lower(?))",
    "startsWith": "starts_with(lower({c}), lower(?))",
    "endsWith": "ends_with(lower({c}), lower(?))",
}


@dataclass(frozen=True)
class Tested:
    """What was asked of one column, and kept: tests with their values, all of which hold or (`either`) one of which."""

    column: str
    tests: tuple[tuple[str, tuple[Any, ...]], ...]
    either: bool = False


@dataclass(frozen=True)
class GridRequest:
    """One page of a grid, or with `rows=None` all of it; `tested` says what `where` holds.

    What the search box means is a matter of the list.
    """

    first: int = 0
    rows: int | None = 100
    order: str = ""
    where: Condition = ANY
    columns: tuple[str, ...] = ()
    """Those that are seen, in their order; none where the browser did not say."""
    tested: tuple[Tested, ...] = ()
    search: str = ""

    @classmethod
    def parse(cls, request: Any, columns: Mapping[str, ColumnKind]) -> "GridRequest":
        """Read a request; anything malformed or outside `columns` (name -> kind) is left out. Never raises."""
        if not isinstance(request, Mapping):
            return cls()
        first = max(_whole(request.get("startRow"), 0), 0)
        rows = min(max(_whole(request.get("endRow"), first + 100) - first, 0), _MOST_ROWS)
        context = request.get("context")
        told = context if isinstance(context, Mapping) else {}
        where, tested = _where(request.get("filterModel"), columns)
        return cls(
            first,
            rows,
            _order(request.get("sortModel"), columns),
            where,
            known(told.get("columns"), columns),
            tested,
            _searched(told.get("search")),
        )

    def sql(self, relation: str, key: str) -> str:
        """The SELECT over a relation of the whitelisted columns; `key` makes the order total."""
        order = ", ".join(part for part in (self.order, key) if part)
        limit = "" if self.rows is None else f" LIMIT {self.rows} OFFSET {self.first}"
        return f"SELECT * FROM ({relation}) WHERE {self.where.sql} ORDER BY {order}{limit}"

    def count_sql(self, relation: str) -> str:
        """How many rows the request has without its paging."""
        return f"SELECT count(*) AS rows FROM ({relation}) WHERE {self.where.sql}"


def _order(model: Any, columns: Mapping[str, ColumnKind]) -> str:
    asked = [item for item in model if isinstance(item, Mapping)] if isinstance(model, list) else []
    parts = [
        f'"{item["colId"]}" {"DESC" if item.get("sort") == "desc" else "ASC"} NULLS LAST'
        for item in asked
        if isinstance(item.get("colId"), str) and item["colId"] in columns
    ]
    return ", ".join(parts[: len(columns)])


def known(asked: Any, columns: Collection[str]) -> tuple[str, ...]:
    """The names that are columns, each once, in the order asked for."""
    names = asked if isinstance(asked, list | tuple) else []
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name in columns))


def _searched(text: Any) -> str:
    return text.strip() if isinstance(text, str) and len(text) <= _LONGEST_TEXT and _is_text(text) else ""


def _where(model: Any, columns: Mapping[str, ColumnKind]) -> tuple[Condition, tuple[Tested, ...]]:
    condition, tested = ANY, []
    for name, asked in model.items() if isinstance(model, Mapping) else []:
        if name in columns and isinstance(asked, Mapping):
            of_column, kept = _column_condition(name, asked, columns[name])
            condition &= of_column
            tested += [kept] if kept.tests else []
    return condition, tuple(tested)


def _column_condition(name: str, asked: Mapping[str, Any], kind: ColumnKind) -> tuple[Condition, Tested]:
    parts = asked.get("conditions")
    given = [part for part in parts[:4] if isinstance(part, Mapping)] if isinstance(parts, list) else [asked]
    found = [(str(part.get("type")), _test(name, part, kind)) for part in given]
    either = isinstance(parts, list) and asked.get("operator") == "OR"
    if either and any(test == ANY for _, test in found):
        return ANY, Tested(name, ())
    kept = [(test, condition) for test, condition in found if condition != ANY]
    tested = Tested(name, tuple((test, condition.values) for test, condition in kept), either)
    if not kept:
        return ANY, tested
    glue = " OR " if either else " AND "
    whole = glue.join(condition.sql for _, condition in kept)
    values = tuple(value for _, condition in kept for value in condition.values)
    return Condition(f"({whole})" if len(kept) > 1 else whole, values), tested


def _test(name: str, asked: Mapping[str, Any], kind: ColumnKind) -> Condition:
    test = str(asked.get("type"))
    column = f'"{name}"'
    if test == "blank":
        return Condition(f"{column} IS NULL")
    if test == "notBlank":
        return Condition(f"{column} IS NOT NULL")
    if kind == "text":
        value = asked.get("filter")
        if test in _TEXT_TESTS and isinstance(value, str) and len(value) <= _LONGEST_TEXT and _is_text(value):
            return Condition(_TEXT_TESTS[test].format(c=column), (value,))
        return ANY
    low, high = (_number, _moment)[kind == "date"](asked)
    shown = f"{column}::DATE" if kind == "date" else column
    if test == "inRange" and low is not None and high is not None:
        return Condition(f"{shown} BETWEEN ? AND ?", (low, high))
    if test in _COMPARISONS and low is not None:
        return Condition(f"{shown} {_COMPARISONS[test]} ?", (low,))
    return ANY


def _number(asked: Mapping[str, Any]) -> tuple[float | None, float | None]:
    def read(value: Any) -> float | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
        return float(value) if fits else None

    return read(asked.get("filter")), read(asked.get("filterTo"))


def _moment(asked: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    def read(value: Any) -> datetime | None:
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            return None

    return read(asked.get("dateFrom")), read(asked.get("dateTo"))


def _is_text(value: str) -> bool:
    """Whether it is whole Unicode: half a surrogate pair, which JSON lets through, is not."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else otherwise
