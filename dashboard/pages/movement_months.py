"""The customers and the revenue of the Movement page month by month."""

from datetime import timedelta

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import panes
from dashboard.components.flows import STANDINGS, parted_columns
from dashboard.components.graph import graph
from dashboard.components.table import Column
from dashboard.pages.movement_bridge import mark, money_columns, unlisted
from dashboard.view import Component, View
from db.queries import movement as queries
from db.standing import first_of_month, whole_month

_MOST_MONTHS = 24


def months(view: View) -> Component:
    """New, kept, won back and lapsed customers and their revenue, month by month."""
    last_day = view.span.end
    last = whole_month(last_day)
    if last.end > last_day:
        last = whole_month(last.start - timedelta(days=1))
    first = first_of_month(view.span.start)
    if whole_month(first).end >= last.start:
        return card("Month by month", html.P("The data hold no two whole months to compare.", className="about"))
    frame = queries.monthly(view.snapshot, view.filters, whole_month(first).end + timedelta(days=1), last.start)
    frame = frame[frame["standing"].isin(["new", "kept", "won_back", "lapsed"])]
    if frame.empty:
        return card("Month by month", html.P("Nobody bought in this view.", className="about"))
    starts = sorted(frame["month"].unique())[-_MOST_MONTHS:]
    frame = frame[frame["month"].isin(starts)]
    names = [f"{pd.Timestamp(start):%b %Y}" for start in starts]
    counts, sums, hovers, hrefs = {}, {}, {}, {}
    for standing in ("kept", "won_back", "new", "lapsed"):
        rows = frame[frame["standing"] == standing].set_index("month").drop(columns="standing")
        rows = rows.reindex(starts, fill_value=0)
        lapsed = standing == "lapsed"
        counts[standing] = list(-rows["customers"] if lapsed else rows["customers"])
        sums[standing] = list(-rows["before"] if lapsed else rows["now"])
        hovers[standing] = [
            _of_month(row, name, standing, view) for (_, row), name in zip(rows.iterrows(), names, strict=True)
        ]
        hrefs[standing] = [mark(view, standing, whole_month(pd.Timestamp(start).date())) for start in starts]
    label = "New, kept, won back and lapsed customers by month"
    plots = [
        ("Customers", graph("months-customers", parted_columns(names, counts, hovers, hrefs, view.theme), 320, label)),
        (
            "Revenue",
            graph("months-revenue", parted_columns(names, sums, hovers, hrefs, view.theme, view.currency), 320, label),
        ),
    ]
    about = (
        "Each month against the month before; above the line who bought, below it who lapsed (with what they brought "
        f"the month before){view.leads('. Click a part for its customers')}"
    )
    if last.end < last_day:
        about += f". {fmt.month_so_far(last_day)} and is left out"
    shown = frame.assign(
        name=[STANDINGS[s][0] for s in frame["standing"]],
        href=[
            mark(view, standing, whole_month(pd.Timestamp(month).date()))
            for standing, month in zip(frame["standing"], frame["month"], strict=True)
        ],
        label=[f"{m:%b %Y}" for m in pd.to_datetime(frame["month"])],
    )
    columns = [Column("label", "Month", style="date"), *money_columns(view)]
    return card(_monthly_finding(frame, starts[-1], names[-1]), panes(plots), about=about, twin=(shown, columns))


def _monthly_finding(frame: pd.DataFrame, month: pd.Timestamp, name: str) -> str:
    of = frame[frame["month"] == month].set_index("standing")["customers"]
    came, went = int(of.get("new", 0)) + int(of.get("won_back", 0)), int(of.get("lapsed", 0))
    return f"In {name} {fmt.number(came)} customers came or came back, {fmt.number(went)} lapsed"


def _of_month(row: pd.Series, month: str, standing: str, view: View) -> str:
    brought = f"{fmt.money(row['now'], view.currency)}"
    if standing == "lapsed":
        brought = f"{fmt.money(row['before'], view.currency)} the month before"
    who = f"{fmt.plural(int(row['customers']), 'customer')}{unlisted(row)}"
    return f"{month}, {STANDINGS[standing][0].lower()}: {who}, {brought}"
