"""A segment in a card: size, medians, persona and what to do."""

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components.card import pill
from dashboard.view import Component

PLAYS = {"retain": "Retain", "grow": "Grow", "win_back": "Win back", "leave": "Leave alone"}
"""What to do with a segment, in words."""


def segment_card(profile: pd.Series, href: str, currency: str) -> Component:
    """`profile` is a row of segment_profile with is_new; the card leads to the segment's customers."""
    numbers = (
        ("Last order", f"{fmt.number(profile['recency_median'])} d"),
        ("Orders", fmt.number(profile["frequency_median"], 0 if profile["frequency_median"] % 1 == 0 else 1)),
        ("Spend", fmt.short_money(profile["monetary_median"], currency)),
        ("Revenue", fmt.percent(profile["revenue_share"], 0)),
    )
    head = html.Header(
        [
            html.H2(dcc.Link(f"{profile['emoji']} {profile['segment']}", href=href)),
            html.Div(
                [pill("new") if profile["is_new"] else None, pill(fmt.plural(int(profile["customers"]), "customer"))]
            ),
        ]
    )
    figures = html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in numbers])
    play = PLAYS.get(profile["play"])
    advice = [html.Strong(f"{play}. ") if play else None, profile["playbook"]]
    playbook = html.Details([html.Summary("Playbook"), html.P(advice)])
    return html.Article(
        [head, figures, html.P(profile["persona"]), playbook],
        className="panel segment-card",
        style={"--segment": f"var(--segment-{profile['colour'].replace('_', '-')})"},
    )
