"""How the segments' shares of the customers developed, on the Overview."""

from functools import partial

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.shares import stacked
from dashboard.components.table import Column
from dashboard.view import Component, View
from db.drill import Move
from db.queries.shares import over_time

_LEAST = 0.005
"""A share that changed by less has hardly changed."""


def shares(view: View) -> Component:
    """A column a moment of the run, parted by where the customers of that day stood."""
    found = over_time(view.snapshot, view.filters)
    days = list(found["day"].drop_duplicates())
    if len(days) < 2:
        link = dcc.Link("Movement", href=view.href("/movement"))
        return card("How the segments develop", html.P(["There are no two dates to compare; ", link, " says why."]))
    order = found.sort_values(["position", "segment"], na_position="last", kind="stable")
    names = list(order["segment"].drop_duplicates())
    counts = found.pivot_table(index="day", columns="segment", values="customers", aggfunc="sum", fill_value=0)
    parted = counts.div(counts.sum(axis=1), axis=0)
    title = _finding(parted, names)
    hrefs = {name: [_mark(view, days, at, name) for at in range(len(days))] for name in names}
    hovers = {
        name: [
            f"{fmt.day(day)}, {name}: {fmt.percent(parted.loc[day, name])}, "
            f"{fmt.plural(int(counts.loc[day, name]), 'customer')}"
            for day in days
        ]
        for name in names
    }
    colours = dict(zip(found["segment"], found["colour"], strict=True))
    parts = {name: list(parted[name]) for name in names}
    picture = stacked([f"{day:%b %Y}" for day in days], parts, colours, hovers, hrefs, view.theme)
    about = (
        "Share of the customers who had ordered by then, at each date of the run; the period does not apply"
        + view.leads(". Click a block for its customers")
    )
    return card(title, graph("shares", picture, 320, title), about=about, twin=_twin(view, days, counts, parted, names))


def _finding(parted: pd.DataFrame, names: list[str]) -> str:
    """The segment whose share changed most from the first date to the last."""
    change = (parted.iloc[-1] - parted.iloc[0])[names]
    most = str(change.abs().idxmax())
    since = fmt.day(parted.index[0])
    if abs(change[most]) < _LEAST:
        return f"The segments' shares have hardly changed since {since}"
    was, now = (fmt.percent(parted[most].iloc[at], 0) for at in (0, -1))
    return f"{most} {'rose' if change[most] > 0 else 'fell'} from {was} to {now} of customers since {since}"


def _mark(view: View, days: list[pd.Timestamp], at: int, segment: str) -> str:
    """The customers who stood in a segment at a date; an address names two dates, so the first one has none."""
    if not at:
        return ""
    move = Move("segment", days[at - 1].date(), days[at].date(), target=segment)
    return view.href("/customers", start=None, end=None, since=None, until=None, move=move)


def _twin(
    view: View, days: list[pd.Timestamp], counts: pd.DataFrame, parted: pd.DataFrame, names: list[str]
) -> tuple[pd.DataFrame, list[Column]]:
    """A row a date: all customers, then each segment's share."""
    frame = pd.DataFrame({f"s{at}": parted[name].to_numpy() for at, name in enumerate(names)})
    frame = frame.assign(day=days, customers=counts.sum(axis=1).to_numpy())
    for at, name in enumerate(names):
        frame[f"href{at}"] = [_mark(view, days, moment, name) for moment in range(len(days))]
    columns = [
        Column("day", "Date", fmt.day, style="date"),
        Column("customers", "Customers", fmt.number, numeric=True),
        *(
            Column(f"s{at}", name, fmt.percent, numeric=True, href=partial(_told, f"href{at}"))
            for at, name in enumerate(names)
        ),
    ]
    return frame, columns


def _told(column: str, row: pd.Series) -> str:
    return str(row[column])
