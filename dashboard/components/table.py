"""Small tables; long lists are the customer grid's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from dash import dcc, html

from dashboard.view import Component


@dataclass(frozen=True)
class Column:
    """One column: what it is called, how a value reads, and where a row leads."""

    name: str
    title: str
    show: Callable[[Any], Component] = str
    numeric: bool = False
    href: Callable[[pd.Series], str] | None = None
    style: Literal["plain", "date", "words", "prose", "secondary"] = "plain"
    """A date stays on one line; words and prose keep room to read; prose and what is secondary give way on a phone."""
    means: str | None = None
    """What it means, for the mouse."""

    @property
    def css(self) -> str:
        """The CSS classes of its cells."""
        return f"{self.style} number" if self.numeric else self.style


def table(frame: pd.DataFrame, columns: list[Column]) -> Component:
    """A frame as a table, numbers to the right; scrolls sideways within itself where the page is narrow."""

    def cell(row: pd.Series, column: Column) -> Component:
        content = column.show(row[column.name])
        if column.href is not None:
            content = dcc.Link(content, href=column.href(row))
        return html.Td(content, className=column.css)

    head = html.Tr([html.Th(c.title, className=c.css, scope="col", **_said(c.means)) for c in columns])
    body = [html.Tr([cell(row, column) for column in columns]) for _, row in frame.iterrows()]
    return html.Div(html.Table([html.Thead(head), html.Tbody(body)]), className="table-frame", tabIndex=0)


def _said(means: str | None) -> dict[str, str]:
    return {"title": means} if means else {}
