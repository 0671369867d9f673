"""What a page shows under a visitor's filters, read from what goes to the browser, beside the record to ask."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isclose
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection, Engine, text

from dashboard import answers
from dashboard.components.plain import Plain
from dashboard.pages import OF_SLOT
from dashboard.view import View, Views
from db.filters import Filters
from tests.integration.plain import lines, who

Row = tuple[Any, ...]


@dataclass
class Shown:
    """One view of the shop, and a transaction of the record in which the view's lines and customers are tables."""

    view: View
    connection: Connection

    def tables(self, slot: str) -> list[tuple[list[str], list[Row]]]:
        """The tables of a slot: titles, and rows of exact numbers and of texts."""
        return [_read(table) for table in _all(self._slot(slot), "table")]

    def rows(self, slot: str) -> list[Row]:
        """The rows of a slot's only table; none where there is no table."""
        found = self.tables(slot)
        assert len(found) < 2
        return found[0][1] if found else []

    def words(self, slot: str) -> str:
        """All that a slot says."""
        return _text(self._slot(slot))

    def ask(self, sql: str, **values: Any) -> list[Row]:
        """What Postgres says of the record and of three tables.

        `line`: the view's lines, whatever the days. `everyone`: current_customer_segment. `person`: whom the filters
        leave, whatever the days, with `past`, their net revenue of the year before the run's moment, and `risk`, what
        of it may not come again. `:first` and `:last` are the days of the view.
        """
        given = {"first": self.view.period.start, "last": self.view.period.end} | values
        found = self.connection.execute(text(sql), {name: of for name, of in given.items() if f":{name}" in sql})
        return [tuple(float(v) if type(v).__name__ == "Decimal" else v for v in row) for row in found]

    def _slot(self, name: str) -> Any:
        view = self.view
        path = OF_SLOT[name].path
        return answers.filled(name, View(view.snapshot, view.filters, view.span, "light", view.currency, path=path))


@contextmanager
def shown(record: Engine, views: Views, filters: Filters) -> Iterator[Shown]:
    """The view under these filters, and the same said for Postgres."""
    view = views.view(filters.query())
    of_lines, values = lines(record, view.filters, None)
    persons = f"SELECT s.* FROM everyone AS s WHERE true {who(view.filters, values)}"
    if view.filters.departments or view.filters.categories or view.filters.products:
        persons += " AND customer_id IN (SELECT customer_id FROM line WHERE NOT is_return)"
    tables = {
        "everyone": "SELECT * FROM current_customer_segment",
        "line": of_lines.replace("line.*", "line.*, ordered_at::date AS day, department, category"),
        "person": _VALUED.format(persons=persons),
    }
    with record.connect() as connection:
        for name, sql in tables.items():
            connection.execute(text(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {sql}"), values)
            connection.execute(text(f"ANALYZE {name}"))
        yield Shown(view, connection)


_VALUED = """
SELECT person.*, coalesce(sold, 0) AS past, greatest(coalesce(sold, 0), 0) * churn_risk AS risk
FROM ({persons}) AS person LEFT JOIN (
    SELECT customer_id, sum(amount) AS sold FROM transaction_line CROSS JOIN model_run AS run
    WHERE run.kind = 'segments' AND run.status = 'published' AND ordered_at < as_of
        AND ordered_at >= as_of - INTERVAL '365 days' GROUP BY customer_id
) AS before USING (customer_id)
"""


def same(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> None:
    """The same keys, and equal values; sums to half a cent."""
    assert set(found) == set(expected)
    for key, values in expected.items():
        for one, other in zip(found[key], values, strict=True):
            equal = isclose(one, other, rel_tol=1e-9, abs_tol=0.005) if isinstance(one, float) else one == other
            assert equal, (key, found[key], values)


def _inner(part: Any) -> list[Any]:
    """What stands in a component, in something plain ([name, attributes, ...]), or in a list."""
    if isinstance(part, Plain):
        return list(part.tree)
    if isinstance(part, Component):
        part = getattr(part, "children", None)
        return part if isinstance(part, list) else [] if part is None else [part]
    return (part[2:] if _is_element(part) else part) if isinstance(part, list) else []


def _is_element(part: Any) -> bool:
    return isinstance(part, list) and len(part) > 1 and isinstance(part[0], str) and isinstance(part[1], dict)


def _all(part: Any, name: str) -> list[Any]:
    if _is_element(part) and part[0] == name:
        return [part]
    return [found for of in _inner(part) for found in _all(of, name)]


def _text(part: Any) -> str:
    return "".join(map(_text, _inner(part))) if isinstance(part, list | Component) else str(part)


def _read(table: Any) -> tuple[list[str], list[Row]]:
    head, *body = _all(table, "tr")
    return [_text(cell) for cell in head[2:]], [tuple(map(_value, row[2:])) for row in body]


def _value(cell: Any) -> Any:
    exact = cell[1].get("data-value")
    try:
        return float(exact) if exact is not None else _text(cell)
    except ValueError:
        return exact
