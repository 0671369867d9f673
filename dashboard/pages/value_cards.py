"""The cards of the Value page: expected revenue and orders, how many come back, what is at risk."""

from statistics import NormalDist

from dash import html

from dashboard import format as fmt
from dashboard.components.fact_card import fact_card
from dashboard.measures import COVERED
from dashboard.pages.value_words import off_in_test, risk_was
from dashboard.view import Component, View
from db.drill import Range
from db.queries import shop
from db.queries import value as queries
from db.runs import SEGMENTS

_INDEPENDENT = NormalDist().inv_cdf((1 + 0.95) / 2) / NormalDist().inv_cdf((1 + COVERED) / 2)
"""From half the width of an 80% interval to that of a 95% one."""


def cards(view: View) -> Component:
    """Expected revenue and orders, how many come back, what is at risk."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    of = queries.totals(view.snapshot, view.filters)
    if not of["forecast"]:
        return []
    half = of["half"] * _INDEPENDENT
    each_30, each_90 = (fmt.number(of[f"orders_{days}"] / of["forecast"], 2) for days in (30, 90))
    low, high = (fmt.short_money(max(of["expected"] + sign * half, 0), view.currency) for sign in (-1, 1))
    risky = Range("churn_risk", queries.PROBABLY, None)
    held, word = risk_was(run.metrics) if run else ("", "")
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
                f"{each_30} a customer",
                "Orders expected of these customers in the next 30 days.",
            ),
            fact_card(
                "Orders in 90 days",
                fmt.number(of["orders_90"]),
                f"{each_90} a customer{off_in_test(run.metrics) if run else ''}",
                "Orders expected of these customers in the next 90 days.",
            ),
            fact_card(
                "Back within 90 days",
                fmt.number(of["back"]),
                f"{fmt.percent(of['back'] / of['forecast'], 0)} of {fmt.number(of['forecast'])} customers",
                "How many of these customers are expected to order in the next 90 days: the sum of each one's "
                "probability. Who has not left for good, and who may have, stands below.",
            ),
            fact_card(
                "High churn risk",
                fmt.number(of["at_risk"]),
                f"{fmt.percent(of['at_risk'] / of['customers'], 0)} of {fmt.number(of['customers'])} customers{held}",
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
