"""The KPI cards of the Overview."""

import pandas as pd
from dash import html

from dashboard import kpis as entries
from dashboard.components.kpi_card import kpi_card
from dashboard.pages.overview_trend import bin_days
from dashboard.view import Component, View
from db.queries import overview as queries


def kpis(view: View) -> Component:
    """One card for each entry of `dashboard.kpis`."""
    days = bin_days(view.period)
    trend = queries.trend(view.snapshot, view.filters, view.period, days)
    risk = _risk(view, trend)
    trend["at_risk"] = risk.to_numpy()[1:]
    whole_bins = trend[trend["days"] == days]
    now = queries.totals(view.snapshot, view.filters, view.period)
    now["at_risk"] = risk.iloc[-1]
    before = pd.Series({kpi.column: float("nan") for kpi in entries.KPIS})
    if view.before:
        before = queries.totals(view.snapshot, view.filters, view.before)
        before["at_risk"] = risk.iloc[0]
    cards = [
        kpi_card(
            kpi,
            now[kpi.column],
            before[kpi.column],
            whole_bins[kpi.column].to_list(),
            view.before_in_words,
            view.currency,
            view.theme,
        )
        for kpi in entries.KPIS
    ]
    return html.Div(cards, className="kpis")


def _risk(view: View, trend: pd.DataFrame) -> pd.Series:
    """The share at risk at the end of the days compared with, and of each bin of the trend."""
    ends = [*(trend["start"].iloc[1:] - pd.Timedelta(days=1)), pd.Timestamp(view.period.end)]
    days = [pd.Timestamp(view.filters.compared(view.span).end), *ends]
    known = dict.fromkeys(day for day in days if day.date() <= view.span.end)  # each once: two ends may be of one day
    frame = queries.at_risk(view.snapshot, view.filters, list(known))
    return frame.set_index("day")["share"].reindex(days)
