"""Who a customer is: segment, scores, attributes, what is expected of them, and what to do."""

import json

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components.card import segment_chip
from dashboard.components.states import empty
from dashboard.measures import COVERED
from dashboard.view import Component, View
from db.queries import customers as queries
from db.queries import segments as segment_queries
from db.queries.value import PROBABLY


def head(view: View) -> Component:
    """Segment, scores and attributes."""
    customer = queries.one(view.snapshot, view.subject)
    if customer is None:
        return empty(
            f"No customer {view.subject}",
            "Nobody with this id has a purchase in the published run. ",
            dcc.Link("Look through the list", href=view.href("/customers")),
            ".",
        )
    profiles = segment_queries.profiles(view.snapshot).set_index("segment")
    profile = profiles.loc[customer["segment"]]
    silence = fmt.plural(int(customer["recency_days"]), "day")
    facts = [
        ("Last order", f"{silence} ago, {fmt.day(customer['last_ordered_at'])}"),
        ("Orders", fmt.number(customer["frequency"])),
        ("Spend", fmt.money(customer["monetary"], view.currency)),
        ("Scores R F M", f"{customer['r_score']} · {customer['f_score']} · {customer['m_score']} of 5"),
    ]
    if not fmt.missing(customer["country"]):
        facts.append(("Country", customer["country"]))
    facts += [(name.replace("_", " ").capitalize(), str(value)) for name, value in _attributes(customer).items()]
    return html.Section(
        [
            html.P(dcc.Link("← All customers", href=view.href("/customers")), className="crumb"),
            html.Div(
                [
                    html.H2(f"Customer {view.subject}", className="name"),
                    segment_chip(customer["segment"], profile["colour"], profile["emoji"]),
                    *_group(customer, view),
                ],
                className="bar start",
            ),
            html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts"),
            *_forecast(customer, view),
            html.P([html.Strong("What to do: "), advice(customer, profile)]),
        ],
        className="panel",
    )


def advice(customer: pd.Series, profile: pd.Series) -> str:
    """The segment's playbook; first what the forecast says, where the playbook takes for granted that they come."""
    risk = customer["churn_risk"]
    if fmt.missing(risk) or risk < PROBABLY or profile["play"] not in ("retain", "grow"):
        return str(profile["playbook"])
    first = f"Win back first: no order within 90 days is likely ({fmt.percent(risk, 0)})."
    return f"{first} Then, as with all {customer['segment']}: {profile['playbook']}"


def _group(customer: pd.Series, view: View) -> list[Component]:
    group = customer["rfm_group"]
    if fmt.missing(group):
        return []
    colour = queries.colours(view.snapshot).get(("rfm_group", group), "other")
    return [html.Span(["RFM group ", segment_chip(group, colour)], className="about")]


def _forecast(customer: pd.Series, view: View) -> list[Component]:
    """What is expected of the customer, in words; nothing where the run made no forecast.

    The model lets nobody leave before a second order: of who ordered once it cannot tell whether they are active.
    """
    if fmt.missing(customer["p_alive"]):
        return []
    parts = [f"{fmt.percent(customer['p_alive'], 0)} likely still active"] if customer["frequency"] > 1 else []
    if not fmt.missing(customer["next_order_at"]):
        parts.append(f"next order expected about {fmt.day(customer['next_order_at'])}")
    if not fmt.missing(customer["churn_risk"]):
        parts.append(f"{fmt.percent(customer['churn_risk'], 0)} risk of no order within 90 days")
    if not fmt.missing(customer["clv"]):
        low, high = (fmt.money(customer[end], view.currency) for end in ("clv_low", "clv_high"))
        expected = f"{fmt.money(customer['clv'], view.currency)} expected in the next 365 days"
        parts.append(f"{expected} ({fmt.percent(COVERED, 0)} between {low} and {high})")
    words = ", ".join(parts)
    return [html.P([html.Strong("Forecast: "), f"{words}."])]


def _attributes(customer: pd.Series) -> dict[str, object]:
    if fmt.missing(customer["attributes"]):
        return {}
    return {name: value for name, value in json.loads(customer["attributes"]).items() if value is not None}
