"""Value: what the customers are expected to bring, who is at risk, and how good the forecast is."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from dash import dcc, html

from dashboard import format as fmt
from dashboard.components import charts, report_card
from dashboard.components.card import card
from dashboard.components.fact_card import fact_card
from dashboard.components.graph import graph
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.measures import COVERED
from dashboard.pages.value_activity import activity
from dashboard.run_choice import run_choice
from dashboard.theme import token
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.drill import Range
from db.queries import shop
from db.queries import value as queries
from db.runs import SEGMENTS

_INDEPENDENT = NormalDist().inv_cdf((1 + 0.95) / 2) / NormalDist().inv_cdf((1 + COVERED) / 2)
"""From half the width of an 80% interval to that of a 95% one."""


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Value", className="visually-hidden"),
        html.Div([slot("value.sentence", "sentence"), slot("value.run", "strip")], className="bar"),
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
        return _without(view, _told(run.metrics), nobody=not of["customers"])
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
    return html.P([html.Strong(lead), f" {_verdict(run.metrics)}", as_of], className="sentence")


def _told(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the run tells of its forecast."""
    told = metrics.get("value")
    return told if isinstance(told, Mapping) else {}


def _tested(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The forecast's report card; empty where none could be made."""
    report = _told(metrics).get("report")
    return report if isinstance(report, Mapping) else {}


def _verdict(metrics: Mapping[str, Any]) -> str:
    report = _tested(metrics)
    if not report:
        why = _told(metrics).get("untested")
        return f"How good this forecast is could not be tested on the past: {why}" if why else ""
    days = report["days"]
    return f"Tested on the last {days} days, the forecast {finding(report)}. Beyond {days} days it is not tested."


def finding(report: Mapping[str, Any]) -> str:
    """Whether the forecast is better than the naive ones, and in what it is and is not."""
    judged = "in mean error of orders and in ranking revenue"
    if not report["beats"]:
        return f"does not beat both naive ones {judged}: read it with care"
    said = f"beats both naive ones {judged}" if report["surely"] else f"is better than both naive ones {judged}"
    not_in = " and ".join(_worse(report))
    return said + ("" if report["surely"] else ", though not surely") + (f", but not in {not_in}" if not_in else "")


def _worse(report: Mapping[str, Any]) -> list[str]:
    """The other measures in which one of the naive forecasts is better."""
    rows = {row["measure"]: row for row in report["measures"]}
    found = []
    if "rmse" in rows and any(by["value"] < 0 for by in rows["rmse"]["better_than"].values()):
        found.append("root mean square error")
    if "total" in rows:
        off = {name: abs(rows["total"][name] - rows["total"]["actual"]) for name in report_card.FORECASTS}
        if off["forecast"] > min(off.values()):
            found.append("the sum of all orders")
    return found


def _off(metrics: Mapping[str, Any]) -> str:
    """By how much the orders of all customers were wrong in the test."""
    totals = [row for row in _tested(metrics).get("measures", ()) if row["measure"] == "total" and row["actual"]]
    if not totals:
        return ""
    off = totals[0]["forecast"] / totals[0]["actual"] - 1
    return f"; in the test {fmt.percent(abs(off), 0)} too {'many' if off > 0 else 'few'}"


def risk_in_test(report: Mapping[str, Any]) -> tuple[float, float] | None:
    """The share of customers expected to place no order, and the share who placed none, in the test."""
    bins = report.get("risk", ())
    customers = sum(one["customers"] for one in bins)
    if not customers:
        return None
    expected, actual = (
        sum(one[name] * one["customers"] for one in bins) / customers for name in ("expected", "actual")
    )
    return expected, actual


def _risk_was(metrics: Mapping[str, Any]) -> tuple[str, str]:
    """How the churn risk held in the test: a clause with the numbers, and a word; empty where it was not tested."""
    tested = risk_in_test(_tested(metrics))
    if tested is None:
        return "", ""
    expected, actual = (fmt.percent(share, 0) for share in tested)
    word = "borne out" if expected == actual else "overstated" if tested[0] > tested[1] else "understated"
    return f"; {word} in the test: {expected} expected without an order, {actual} were", word


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


def cards(view: View) -> Component:
    """Expected revenue and orders, how many come back, what is at risk."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    of = queries.totals(view.snapshot, view.filters)
    if not of["forecast"]:
        return []
    half = of["half"] * _INDEPENDENT
    low, high = (fmt.short_money(max(of["expected"] + sign * half, 0), view.currency) for sign in (-1, 1))
    risky = Range("churn_risk", queries.PROBABLY, None)
    held, word = _risk_was(run.metrics) if run else ("", "")
    against = f"{fmt.short_money(of['past'], view.currency)} in the year before"
    return html.Div(
        [
            fact_card(
                "Expected revenue",
                fmt.short_money(of["expected"], view.currency),
                f"{low} to {high}; {against}",
                "Net revenue expected of these customers in the next 365 days; new customers come on top. The 95% "
                "interval takes customers as independent: what strikes all of them at once, and what the model gets "
                "wrong for all (see the report card), is not in it. The report card tests a shorter time.",
            ),
            fact_card(
                "Orders in 30 days",
                fmt.number(of["orders_30"]),
                f"{of['orders_30'] / of['forecast']:.2f} a customer",
                "Orders expected of these customers in the next 30 days.",
            ),
            fact_card(
                "Orders in 90 days",
                fmt.number(of["orders_90"]),
                f"{of['orders_90'] / of['forecast']:.2f} a customer{_off(run.metrics) if run else ''}",
                "Orders expected of these customers in the next 90 days.",
            ),
            fact_card(
                "Back within 90 days",
                fmt.number(of["back"]),
                f"{fmt.percent(of['back'] / of['forecast'], 0)} of {of['forecast']:,.0f} customers",
                "How many of these customers are expected to order in the next 90 days: the sum of each one's "
                "probability. Who has not left for good, and who may have, stands below.",
            ),
            fact_card(
                "High churn risk",
                fmt.number(of["at_risk"]),
                f"{fmt.percent(of['at_risk'] / of['customers'], 0)} of {of['customers']:,.0f} customers{held}",
                "Customers who with a probability of at least 50% place no order in the next 90 days.",
                view.behind(risky),
            ),
            fact_card(
                "Revenue at risk",
                fmt.short_money(of["risk"], view.currency),
                (f"{fmt.percent(of['risk'] / of['past'], 0)} of the last year's" if of["past"] > 0 else "")
                + (f"; the risk was {word} in the test" if word else ""),
                "Each customer's net revenue of the last 365 days times the probability of no order in the next 90 "
                "days, added up.",
            ),
        ],
        className="kpis",
    )


def deciles(view: View) -> Component:
    """Each tenth of the customers by expected revenue: its share of what is expected and of what was."""
    frame = queries.deciles(view.snapshot, view.filters)
    expected, past = frame["expected"].sum(), frame["past"].sum()
    if frame.empty:
        return []
    frame["of_expected"] = frame["expected"] / expected if expected > 0 else 0.0
    frame["of_past"] = frame["past"] / past if past > 0 else 0.0
    names = [_decile(int(decile)) for decile in frame["value_decile"]]
    frame["href"] = [view.behind(Range("value_decile", int(d), int(d))) for d in frame["value_decile"]]
    best = frame.iloc[0]
    title = f"{_decile(int(best['value_decile']))}: {fmt.percent(best['of_expected'], 0)} of the revenue to come"
    shares = (list(frame["of_expected"]), list(frame["of_past"]))
    colours = [token("accent", view.theme)] * len(frame)
    hovers = [
        f"{name}, {fmt.plural(int(customers), 'customer')}"
        for name, customers in zip(names, frame["customers"], strict=True)
    ]
    drawn = charts.paired_bars(
        names, shares, ("of expected revenue", "of last year's"), colours, view.theme, list(frame["href"]), hovers
    )
    columns = [
        Column("value_decile", "Tenth", lambda v: _decile(int(v)), href=lambda row: str(row["href"])),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("expected", f"Expected ({view.currency})", fmt.number, numeric=True),
        Column("of_expected", "Share", fmt.percent, numeric=True),
        Column("past", f"Last year ({view.currency})", fmt.number, numeric=True),
        Column("of_past", "Share", fmt.percent, numeric=True),
    ]
    about = (
        "Tenths of all customers by expected revenue: share of the net revenue of the next 365 days (colour) and of "
        "the last (grey); click one for its customers"
    )
    return card(title, graph("deciles", drawn, 30 + 40 * len(frame), title), about=about, twin=(frame, columns))


def _decile(decile: int) -> str:
    return {10: "Best tenth", 1: "Last tenth"}.get(decile, f"Tenth {11 - decile}")


def risk(view: View) -> Component:
    """The customers with most to lose."""
    frame = queries.at_risk(view.snapshot, view.filters)
    if frame.empty:
        return []
    title = f"{fmt.short_money(frame['risk'].sum(), view.currency)} at risk with {fmt.plural(len(frame), 'customer')}"
    columns = [
        Column("customer_id", "Customer", href=lambda row: view.customer_href(str(row["customer_id"]))),
        Column("segment", "Segment", style="secondary"),
        Column("past", f"Last year ({view.currency})", fmt.number, numeric=True),
        Column("churn_risk", "Churn risk", lambda v: fmt.percent(v, 0), numeric=True),
        Column("risk", f"At risk ({view.currency})", fmt.number, numeric=True),
    ]
    about = "Net revenue of the last 365 days times the churn risk: the customers with most to lose"
    every = dcc.Link(
        "All with a high risk", className="nowrap", href=view.behind(Range("churn_risk", queries.PROBABLY, None))
    )
    return card(title, table(frame, columns), about=about, aside=every)


def report(view: View) -> Component:
    """How good a forecast made in the same way was."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    told = _tested(run.metrics) if run else {}
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
