"""Small tables; long lists are the customer grid's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.view import Component


@dataclass(frozen=True)
class Column:
    """One column: what it is called, how a value reads, and where a row leads."""

    name: str
    title: str
    show: Callable[[Any], Component] = str
    numeric: bool = False
    href: Callable[[pd.Series], str] | None = None
    """Where a row leads; nowhere by an empty address."""
    style: Literal["plain", "date", "words", "prose", "secondary"] = "plain"
    """A date stays on one line; words and prose keep room to read; prose and what is secondary give way on a phone."""
    means: str | None = None
    """What it means, for the mouse."""

    @property
    def css(self) -> str:
        """The CSS classes of its cells."""
        return f"{self.style} number" if self.numeric else self.style


def table(frame: pd.DataFrame, columns: list[Column]) -> Component:
    """A frame as a table, numbers to the right; scrolls sideways within itself where the page is narrow.

    Beside what is read, a cell carries the exact number or day, for the CSV that `assets/save.js` makes of the table.
    """

    def cell(row: pd.Series, column: Column) -> Component:
        content = column.show(row[column.name])
        address = column.href(row) if column.href is not None else ""
        if address:
            content = dcc.Link(content, href=address)
        return html.Td(content, className=column.css, **exact(row[column.name]))

    head = html.Tr([html.Th(c.title, className=c.css, scope="col", **_said(c.means)) for c in columns])
    body = [html.Tr([cell(row, column) for column in columns]) for _, row in frame.iterrows()]
    return html.Div(html.Table([html.Thead(head), html.Tbody(body)]), className="table-frame", tabIndex=0)


def exact(value: Any) -> dict[str, str]:
    """A number or a day as a program reads it, where what people read is rounded or in words."""
    if isinstance(value, bool) or fmt.missing(value):
        return {}
    if isinstance(value, Decimal):
        return {"data-value": str(value)}
    if isinstance(value, Real):
        return {"data-value": f"{float(value):.15g}"}
    if isinstance(value, date):
        midnight = not isinstance(value, pd.Timestamp) or value == value.normalize()
        return {"data-value": str(value)[:10] if midnight else str(value)}
    return {}


def _said(means: str | None) -> dict[str, str]:
    return {"title": means} if means else {}
