"""Revenue by category, country and department on the Overview: what moved most, and where it comes from."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components import charts
from dashboard.components.card import as_table, card
from dashboard.components.choice import panes
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.theme import token
from dashboard.view import Component, View
from db.filters import Period
from db.queries import overview as queries

_EACH = 5
FIELDS: dict[queries.Dimension, tuple[str, str]] = {
    "category": ("categories", "Categories"),
    "country": ("countries", "Countries"),
    "department": ("departments", "Departments"),
}
"""Dimension -> the field of `db.filters.Filters` that restricts it, and its name for many."""
_MANY = 10
_LEAST = 0.005
"""A change of less money than a cent is none."""


def movers(view: View) -> Component:
    """Of categories, of countries and of departments, each where there are several, what moved revenue most."""
    title = "What rose and what fell"
    if view.before is None:
        return card(title, html.P(view.no_before_in_words))
    frames = {dimension: moved(view, view.before, dimension) for dimension in FIELDS}
    found = {dimension: frame for dimension, frame in frames.items() if frame["value"].nunique() > 1}
    if not found:
        return card(title, html.P("This view has not two categories, countries or departments whose revenue moved."))
    shown = [(FIELDS[dimension][1], _pane(view, dimension, frame)) for dimension, frame in found.items()]
    return card(
        _finding(next(iter(found.values())), view.currency),
        shown[0][1] if len(shown) == 1 else panes(shown),
        about=f"Rises and falls of net revenue against the {view.before_in_words}; click one to see it alone",
    )


def moved(view: View, before: Period, dimension: queries.Dimension) -> pd.DataFrame:
    """What changed since the period before by at least a cent, most risen first."""
    frame = queries.moved(view.snapshot, view.filters, view.period, before, dimension)
    return frame[frame["change"].abs() >= _LEAST]


def _finding(frame: pd.DataFrame, currency: str) -> str:
    """The best and the worst, said."""
    named = frame.dropna(subset=["value"])
    ends = (("rose", named[named["change"] > 0].head(1)), ("fell", named[named["change"] < 0].tail(1)))
    return ", ".join(
        f"{value} {verb} most ({fmt.money_change(change, currency)})"
        for verb, rows in ends
        for value, change in zip(rows["value"], rows["change"], strict=True)
    )


def _pane(view: View, dimension: queries.Dimension, frame: pd.DataFrame) -> Component:
    named = frame.dropna(subset=["value"])
    up, down = named[named["change"] > 0].head(_EACH), named[named["change"] < 0].tail(_EACH)[::-1]
    drawn = pd.concat([up, down])  # bars both ways would leave a phone no room for the words
    field, name = FIELDS[dimension]
    colours = [token("up" if change > 0 else "down", view.theme) for change in drawn["change"]]
    texts = [_words(*pair, view.currency) for pair in zip(drawn["change"], drawn["before"], strict=True)]
    hrefs = [view.href("/", **{field: (value,)}) for value in drawn["value"]]
    picture = charts.bars(
        list(drawn["value"]), list(drawn["change"].abs()), texts, view.theme, colours=colours, hrefs=hrefs
    )
    picture.update_layout(margin={"r": 130})
    columns = _columns(view, dimension, before="Before", revenue="Now", change="Change")
    drawing = graph(f"movers-{dimension}", picture, 40 + 28 * len(drawn), f"{name} that moved most")
    return html.Div([drawing, as_table(frame, columns)])


def _words(change: float, before: float, currency: str) -> str:
    """`+$1,200 · +14%`; of what grew tenfold, how many times it was; of what had no revenue before, that it is new."""
    share = change / before if before > 0 else None
    of = "new" if share is None else fmt.percent_change(share, 0)
    if share is not None and share >= _MANY - 1:
        of = f"{fmt.number(1 + share)} times"
    return f"{fmt.money_change(change, currency)} · {of}"


def where(view: View) -> Component:
    """Revenue by country where there are several, else by department, else by category."""
    dimension, frame = _telling(view)
    total = frame["revenue"].sum()
    named = frame.dropna(subset=["value"]).head(12)
    if named.empty or total <= 0:
        words = "The data of this view name no country, department or category."
        if frame.empty:
            words = "Nothing sold in this view."
        elif not named.empty:
            words = "There is no revenue to share."
        return card(f"Revenue by {dimension}", html.P(words))
    first = named.iloc[0]
    title = f"{first['value']} brings {fmt.percent(first['revenue'] / total, 0)} of revenue"
    field, _ = FIELDS[dimension]
    hrefs = [view.href("/", **{field: (value,)}) for value in named["value"]]
    texts = [f"{fmt.short_money(r, view.currency)} · {fmt.percent(r / total)}" for r in named["revenue"]]
    picture = charts.bars(list(named["value"]), list(named["revenue"]), texts, view.theme, hrefs=hrefs)
    picture.update_layout(margin={"r": 110})
    columns = [
        *_columns(view, dimension, revenue="Net revenue"),
        Column("orders", "Orders", fmt.number, numeric=True),
    ]
    about = f"Net revenue by {dimension}, {len(named)} of {frame['value'].nunique()}; click one to see it alone"
    if unnamed := frame.loc[frame["value"].isna(), "revenue"].sum():
        about += f". {fmt.percent(unnamed / total)} of revenue names no {dimension}"
    return card(title, graph("where", picture, 40 + 28 * len(named), title), about=about, twin=(frame, columns))


def _telling(view: View) -> tuple[queries.Dimension, pd.DataFrame]:
    """The first dimension that splits this view's revenue; where none does, the first that names any of it."""
    frames = {d: queries.breakdown(view.snapshot, view.filters, view.period, d) for d in queries.DIMENSIONS}
    dimension = max(frames, key=lambda d: min(frames[d]["value"].nunique(), 2))  # the first of the best
    return dimension, frames[dimension]


def _columns(view: View, dimension: queries.Dimension, **money: str) -> list[Column]:
    """The value's name and amounts of money: column -> title."""
    field, _ = FIELDS[dimension]
    return [
        Column(
            "value",
            dimension.capitalize(),
            lambda v: "not named" if fmt.missing(v) else str(v),
            href=lambda row: "" if fmt.missing(row["value"]) else view.href("/", **{field: (row["value"],)}),
        ),
        *[
            Column(key, f"{name} ({view.currency})", lambda v: fmt.number(v, 2), numeric=True)
            for key, name in money.items()
        ],
    ]
