"""Overview: what happened, why, and what to do, readable in half a minute."""

from dash import html

from dashboard import helps
from dashboard.components.states import slot
from dashboard.pages.overview_actions import actions
from dashboard.pages.overview_concentration import concentration
from dashboard.pages.overview_dimensions import movers, where
from dashboard.pages.overview_kpis import kpis
from dashboard.pages.overview_segments import segments
from dashboard.pages.overview_sentence import sentence
from dashboard.pages.overview_shares import shares
from dashboard.pages.overview_state import state
from dashboard.pages.overview_trend import trend
from dashboard.view import Component, Ignores, Page, View


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Overview", className="visually-hidden"),
        slot("overview.sentence", "sentence"),
        slot("overview.kpis", "cards"),
        slot("overview.actions", "sentence", "to-do"),
        html.Div(
            [
                slot("overview.trend", "chart"),
                slot("overview.segments", "chart"),
                slot("overview.movers", "chart"),
                slot("overview.where", "chart"),
                slot("overview.shares", "chart"),
                slot("overview.concentration", "chart"),
            ],
            className="grid pairs",
        ),
        slot("overview.state", "strip"),
    ]


PAGE = Page(
    path="/",
    title="Overview",
    help=helps.OVERVIEW,
    icon="overview",
    layout=layout,
    slots={
        "overview.sentence": sentence,
        "overview.kpis": kpis,
        "overview.actions": actions,
        "overview.trend": trend,
        "overview.segments": segments,
        "overview.movers": movers,
        "overview.where": where,
        "overview.shares": shares,
        "overview.concentration": concentration,
        "overview.state": state,
    },
    ignoring={
        "overview.shares": Ignores(frozenset({"days", "move"}), "All dates of the run"),
        "overview.state": Ignores(of="All that is loaded"),
    },
    compares=True,
)
