"""Value: what the customers are expected to bring, who is at risk, and how good the forecast is."""

from collections.abc import Mapping
from typing import Any

from dash import dcc, html

from dashboard import format as fmt
from dashboard import helps
from dashboard.components import report_card
from dashboard.components.card import card
from dashboard.components.states import empty, slot
from dashboard.pages.value_activity import activity
from dashboard.pages.value_cards import cards
from dashboard.pages.value_customers import deciles, risk
from dashboard.pages.value_words import finding, tested_of, told_of, verdict
from dashboard.run_choice import run_choice
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.queries import shop
from db.queries import value as queries
from db.runs import SEGMENTS


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Value", className="visually-hidden"),
        html.Div([slot("value.sentence", "sentence"), slot("value.run", "controls")], className="bar"),
        slot("value.cards", "cards"),
        html.Div(
            [
                slot("value.deciles", "chart"),
                slot("value.risk", "table"),
                slot("value.activity", "chart", "full"),
                slot("value.report", "chart", "full"),
            ],
            className="grid",
        ),
    ]


def sentence(view: View) -> Component:
    """Where the money is expected from and whether to believe it; where there is no forecast, why."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    if run is None:
        words = "to compute segments and forecasts; they need orders that name a customer."
        return empty("No forecast yet", "Run ", html.Code("python -m models run"), f" {words}")
    of = queries.totals(view.snapshot, view.filters)
    if not of["forecast"]:
        return _without(view, told_of(run.metrics), nobody=not of["customers"])
    best = queries.deciles(view.snapshot, view.filters).iloc[0]
    share = best["expected"] / of["expected"] if of["expected"] > 0 else float("nan")
    who, verb = fmt.plural(int(best["customers"]), "customer"), "is" if best["customers"] == 1 else "are"
    narrowed = view.filters.but(start=None, end=None, run=None).active()
    whose = "the customers of this view" if narrowed else "today's customers"
    lead = (
        f"The {who} of the best tenth {verb} expected to bring {fmt.percent(share, 0)} of what {whose} bring next year."
    )
    if fmt.missing(share) or best["value_decile"] < 10:
        revenue = fmt.short_money(of["expected"], view.currency)
        lead = f"{revenue} of revenue are expected from {whose} in the next 365 days."
    as_of = f" As of {fmt.day(run.as_of)}, run {run.run_id}."
    return html.P([html.Strong(lead), f" {verdict(run.metrics)}", as_of], className="sentence")


def _without(view: View, told: Mapping[str, Any], *, nobody: bool) -> Component:
    if nobody:
        return empty("No customers in this view", "Choose fewer filters, or ", dcc.Link("reset them", href="?"), ".")
    if "reason" in told:
        return empty("No forecast in this run", str(told["reason"]))
    made = "This run was made before there were forecasts: choose a newer one, or run "
    return empty("No forecast in this run", made, html.Code("python -m models run"), ".")


def run_seen(view: View) -> Component:
    """Which run is seen."""
    return run_choice(view, "/value")


def report(view: View) -> Component:
    """How good a forecast made in the same way was."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    told = tested_of(run.metrics) if run else {}
    if "measures" not in told:
        return []
    title = f"The forecast {finding(told)}"
    about = (
        f"{fmt.plural(told['customers'], 'customer')} known on {fmt.day(told['split'])}; the intervals are 95%, by "
        "resampling customers"
    )
    return card(
        title,
        html.P(told["sentence"]),
        html.Div(report_card.errors(told), className="errors"),
        html.P(report_card.covered(told), className="about"),
        report_card.curves(told, view.theme),
        report_card.as_table(told),
        about=about,
    )


_AHEAD = ("sentence", "cards", "deciles", "risk", "activity")

PAGE = Page(
    path="/value",
    title="Value",
    help=helps.VALUE,
    icon="value",
    layout=layout,
    slots={
        "value.sentence": sentence,
        "value.run": run_seen,
        "value.cards": cards,
        "value.deciles": deciles,
        "value.risk": risk,
        "value.activity": activity,
        "value.report": report,
    },
    whole_history=True,
    ignoring={
        "value.run": CONTROL,
        "value.report": Ignores(of="All customers of the test"),
        **dict.fromkeys((f"value.{name}" for name in _AHEAD), Ignores(frozenset({"days"}))),
    },
)
