"""What the segments are like, what to do with them and why they are called so: the tables of the Segments page."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card, pill, segment_chip
from dashboard.components.choice import panes
from dashboard.components.graph import graph
from dashboard.components.segment_card import PLAYS
from dashboard.components.spread import ranges
from dashboard.components.table import Column, table
from dashboard.pages import grouping
from dashboard.view import Component, View
from db.queries import segments as queries
from db.queries import value

_MEASURES = (
    ("recency_days", "Days since the last order"),
    ("frequency", "Orders"),
    ("monetary", "Spend ({})"),
    ("average_order", "Average order ({})"),
    ("gap_days", "Days from order to order"),
    ("tenure_days", "Days since the first order"),
    ("category_breadth", "Categories bought from"),
    ("discount_share", "Share bought on discount"),
    ("return_rate", "Share of sales returned"),
)
_PANES = (("Recency, orders, spend", 0), ("Order value and rhythm", 3), ("Breadth, discounts, returns", 6))
_SHARES = ("discount_share", "return_rate")
AGAIN = "This run was made before these figures were kept; the next python -m models run has them."


def _chips(view: View) -> tuple[pd.DataFrame, Column]:
    """The profiles with a chip each, and the column of it that leads to the segment's customers."""
    profiles = grouping.profiles(view)
    chips = [
        html.Span([segment_chip(p["segment"], p["colour"], p["emoji"]), " ", pill("new") if p["is_new"] else None])
        for _, p in profiles.iterrows()
    ]
    frame = profiles.assign(chip=pd.Series(chips, index=profiles.index, dtype=object))
    return frame, Column(
        "chip", "Segment", lambda chip: chip, href=lambda r: grouping.customers_href(view, r["segment"])
    )


def profile(view: View) -> Component:
    """Sizes and medians side by side, and how the measures spread within each segment."""
    frame, chip = _chips(view)
    if frame.empty:
        return []
    columns = [
        chip,
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("customer_share", "Share", fmt.percent, numeric=True),
        Column("revenue", f"Net revenue ({view.currency})", fmt.number, numeric=True),
        Column("revenue_share", "Share", fmt.percent, numeric=True),
        Column("pareto_share", "Among the best", fmt.percent, numeric=True),
        Column("recency_median", "Days since last order", fmt.number, numeric=True),
        Column("frequency_median", "Orders", lambda v: fmt.number(v, 0 if v == int(v) else 1), numeric=True),
        Column("monetary_median", f"Spend ({view.currency})", lambda v: fmt.number(v, 2), numeric=True),
    ]
    about = (
        "Medians over the whole history of a segment's customers; shares of all customers and of their revenue. "
        "Among the best: the share of the segment's customers who are among the fewest that bring 80% of the revenue"
    )
    return card(_finding(frame), table(frame, columns), _spreads(view), about=about)


def _finding(frame: pd.DataFrame) -> str:
    best = frame.iloc[0]
    share = (
        f"{fmt.percent(best['customer_share'], 0)} of customers and {fmt.percent(best['revenue_share'], 0)} of revenue"
    )
    return f"{best['segment']} are {share}"


def _spreads(view: View) -> Component:
    """The middle half of each segment's customers, a small plot a measure."""
    measured = queries.measures(view.snapshot, grouping.shown(view))
    measured = measured[measured["segment"].isin(grouping.profiles(view)["segment"])]
    if measured.empty:
        return html.P(AGAIN, className="about")
    shown = []
    for name, first in _PANES:
        plots = []
        for measure, title in _MEASURES[first : first + 3]:
            rows = measured[measured["measure"] == measure]
            if len(rows):
                title = title.format(view.currency)
                drawn = ranges(rows, view.theme, is_share=measure in _SHARES)
                label = f"{title} by segment: the middle half of the customers as a bar, the median as a mark"
                height = 40 + 26 * len(rows)
                plots.append(html.Figure([html.Figcaption(title), graph(f"spread-{measure}", drawn, height, label)]))
        if plots:
            shown.append((name, html.Div(plots, className="spreads")))
    legend = "The middle half of each segment's customers as a bar, the median as a mark"
    return html.Div([html.P(legend, className="about spreads-about"), panes(shown)])


def plays(view: View) -> Component:
    """Retain, grow, win back or leave alone, and the number it rests on."""
    frame, chip = _chips(view)
    if frame.empty:
        return []
    said = [PLAYS.get(play, "") for play in frame["play"]]
    reasons = zip(frame["play_reason"].fillna(""), said, strict=True)
    because = [_capital(str(reason).removeprefix(f"{play}: ")) for reason, play in reasons]
    frame = frame.assign(play=said, play_reason=because)
    columns = [
        chip,
        Column("play", "Play", lambda play: html.Strong(play), style="date"),
        Column("play_reason", "Because", style="words"),
        Column("playbook", "How", style="words"),
    ]
    about = None if any(because) else AGAIN
    return card(_first(frame, view), table(frame, columns), about=about)


def _first(frame: pd.DataFrame, view: View) -> str:
    """The segment whose revenue is most at stake, of those that something is to be done about."""
    risk = value.at_risk_by(view.snapshot, grouping.shown(view)).set_index("segment")["risk"]
    at_stake = frame.assign(risk=frame["segment"].map(risk)).dropna(subset=["risk"])
    at_stake = at_stake[~at_stake["play"].isin(["", PLAYS["leave"]])].sort_values("risk", ascending=False)
    if at_stake.empty:
        return "What to do with each segment"
    most = at_stake.iloc[0]
    worth = fmt.short_money(most["risk"], view.currency)
    return f"{most['segment']} have most at stake: {worth} of last year's revenue may not come again"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def names(view: View) -> Component:
    """Why each segment is called what it is called, and since when."""
    frame, chip = _chips(view)
    if frame.empty:
        return []
    columns = [
        chip,
        Column("since", "Called so since", fmt.day, style="date"),
        Column("reason", "Why this name", style="words"),
    ]
    about = "A segment keeps its name from run to run for as long as the name is true"
    return card("Each name rests on the numbers of its customers", table(frame, columns), about=about)
