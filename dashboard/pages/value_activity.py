"""Who is still active: the probability by how long customers are silent and how often they ordered."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.heat import heatmap
from dashboard.components.table import Column
from dashboard.measures import MEASURES, in_words
from dashboard.view import Component, View
from db.queries import value as queries
from db.queries.value import FREQUENCIES, RECENCIES, bin_range


def activity(view: View) -> Component:
    """The grid, each cell with the customers behind it; nothing where there is no forecast."""
    frame = queries.activity(view.snapshot, view.filters)
    if frame.empty:
        return []
    ranges = [
        (bin_range("frequency", FREQUENCIES, int(orders)), bin_range("recency_days", RECENCIES, int(silence)))
        for orders, silence in zip(frame["frequency"], frame["recency"], strict=True)
    ]
    frame["orders"] = [in_words(orders, view.currency) for orders, _ in ranges]
    frame["days"] = [in_words(silence, view.currency) for _, silence in ranges]
    frame["href"] = [view.behind(*pair) for pair in ranges]
    frame["text"] = [fmt.percent(share, 0) for share in frame["p_alive"]]
    frame["hover"] = [_said(cell, view.currency) for _, cell in frame.iterrows()]

    title = finding(frame)

    def grid(column: str, blank: str | float) -> pd.DataFrame:
        wide = frame.pivot(index="frequency", columns="recency", values=column).sort_index(ascending=False)
        return wide.where(wide.notna(), blank)

    shares = grid("p_alive", float("nan"))
    drawn = heatmap(
        [in_words(bin_range("frequency", FREQUENCIES, int(place)), view.currency) for place in shares.index],
        [in_words(bin_range("recency_days", RECENCIES, int(place)), view.currency) for place in shares.columns],
        shares.to_numpy(float),
        grid("text", "").to_numpy().tolist(),
        grid("hover", "").to_numpy().tolist(),
        view.theme,
        hrefs=grid("href", "").to_numpy().tolist(),
        titles=(MEASURES["recency_days"].label, MEASURES["frequency"].label),
    )
    columns = [
        Column("orders", "Orders", href=lambda row: str(row["href"])),
        Column("days", "Days since last order"),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("text", "Active", numeric=True),
        Column("expected", f"Expected ({view.currency})", fmt.number, numeric=True),
    ]
    about = (
        "Mean probability that a customer has not left for good, by orders and by days since the last one"
        f"{view.leads('; click a cell for its customers')}. The model lets nobody leave before a second order: for "
        "who ordered once see the churn risk"
    )
    plot = html.Div(graph("activity", drawn, 76 + 34 * len(shares), title), className="wide-plot")
    return card(title, plot, about=about, twin=(frame, columns))


def _said(cell: pd.Series, currency: str) -> str:
    who = f"{fmt.plural(int(cell['customers']), 'customer')} with {cell['orders']} orders"
    expected = fmt.short_money(cell["expected"], currency)
    return f"{who}, silent for {cell['days']} days: {fmt.percent(cell['p_alive'], 0)} active, {expected} expected"


def finding(frame: pd.DataFrame) -> str:
    """After which silence those who bring most are probably gone; who ordered once tells nothing of that."""
    again = frame[frame["frequency"] > 0]
    if again.empty:
        return "Nobody has ordered twice yet"
    row = again[again["frequency"] == again.groupby("frequency")["expected"].sum().idxmax()].sort_values("recency")
    who = f"Customers with {row['orders'].iloc[0]} orders"
    gone = row[row["p_alive"] < queries.PROBABLY]
    if gone.empty:
        return f"{who} are probably active even after {row['days'].iloc[-1]} days of silence, the longest seen"
    days = fmt.plural(RECENCIES[int(gone["recency"].iloc[0])], "day")
    return f"{who} are probably gone after {days} of silence"
