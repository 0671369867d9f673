"""The retention heatmap of the Movement page: cohorts by the month of the first order."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.choice import panes
from dashboard.components.graph import graph
from dashboard.components.heat import heatmap
from dashboard.components.table import Column
from dashboard.view import Component, View
from db.drill import Cohort
from db.queries import movement as queries
from db.standing import whole_month

_MOST = 18
_PARTIAL = "*"


def retention(view: View) -> Component:
    """Which share of each month's first buyers bought in each later month, and what they brought."""
    frame = queries.retention(view.snapshot, view.filters)
    if frame.empty:
        return card("Cohorts", html.P("Nobody bought in this view.", className="about"))
    last = view.span.end
    partial = whole_month(last).end > last
    frame["month"] = [c + pd.DateOffset(months=int(age)) for c, age in zip(frame["cohort"], frame["age"], strict=True)]
    frame["is_partial"] = partial & (frame["month"] == pd.Timestamp(whole_month(last).start))
    frame["href"] = [
        view.href("/customers", start=None, end=None, cohort=Cohort(row["cohort"].date(), int(row["age"])))
        for _, row in frame.iterrows()
    ]
    drawn = frame[(frame["cohort"].isin(sorted(frame["cohort"].unique())[-_MOST:])) & (frame["age"] < _MOST)].copy()
    drawn["star"] = np.where(drawn["is_partial"], _PARTIAL, "")
    drawn["hover"] = [_said(row, view.currency) for _, row in drawn.iterrows()]
    drawn["share_text"] = [fmt.percent(s, 0) for s in drawn["share"]] + drawn["star"]
    drawn["revenue_text"] = [fmt.short_money(r, "") for r in drawn["revenue"]] + drawn["star"]
    title = _finding(frame)
    height = 70 + 30 * drawn["cohort"].nunique()
    plots = [
        (
            name,
            html.Div(graph(f"retention-{column}", _cells(drawn, column, view), height, title), className="wide-plot"),
        )
        for name, column in (("Share of customers", "share"), (f"Revenue ({view.currency})", "revenue"))
    ]
    about = (
        "Customers by the month of their first order, and how many of them bought in each month after it"
        + view.leads(". Click a cell for them")
    )
    if partial:
        about += f". {_PARTIAL} {fmt.month_so_far(last)}, so its cells will still grow"
    if drawn["cohort"].nunique() < frame["cohort"].nunique():
        about += f". The latest {_MOST} cohorts; all stand in the table"
    columns = [
        Column("cohort", "First order in", lambda c: f"{c:%b %Y}", style="date"),
        Column("age", "Months since", fmt.number, numeric=True),
        Column("size", "Cohort", fmt.number, numeric=True),
        Column("customers", "Bought", fmt.number, numeric=True, href=lambda row: str(row["href"])),
        Column("share", "Share", fmt.percent, numeric=True),
        Column("revenue", f"Net revenue ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
    ]
    return card(title, panes(plots), about=about, twin=(frame, columns))


def _cells(drawn: pd.DataFrame, column: str, view: View) -> go.Figure:
    """The heatmap of one column; the month of the first order stands apart, as it is always all of them."""
    values = drawn.pivot(index="cohort", columns="age", values=column).astype(float)
    texts = {
        name: drawn.pivot(index="cohort", columns="age", values=name).fillna("").to_numpy().tolist()
        for name in (f"{column}_text", "hover", "href")
    }
    sizes = drawn.groupby("cohort")["size"].first()
    rows = [f"{cohort:%b %Y} · {fmt.number(size)}" for cohort, size in sizes.items()]
    if column == "share":
        values[0] = 0.0  # always 100%: in its true colour it would drown the others
    return heatmap(
        rows,
        [str(age) for age in values.columns],
        values.to_numpy(),
        texts[f"{column}_text"],
        texts["hover"],
        view.theme,
        hrefs=texts["href"],
        titles=("Months since the first order", ""),
    )


def _finding(frame: pd.DataFrame) -> str:
    """How many come back in the month after the first order, over all cohorts that had a whole one."""
    rows = frame[(frame["age"] == 1) & ~frame["is_partial"]]
    if not len(rows):
        return "Too little time has passed to tell who comes back"
    share = rows["customers"].sum() / rows["size"].sum()
    return f"{fmt.percent(share, 0)} of new customers buy again the month after their first order"


def _said(row: pd.Series, currency: str) -> str:
    of = f"{fmt.number(row['customers'])} of {fmt.number(row['size'])}"
    bought = f"{of} first buyers of {row['cohort']:%b %Y} bought in {row['month']:%b %Y}"
    return f"{bought} ({fmt.percent(row['share'])}), {fmt.money(row['revenue'], currency)} net"
