"""A list of recommended products, each with the reason it is there and what its score is the sum of."""

import json
import math
from collections.abc import Callable, Sequence

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard.components.product import product_label
from dashboard.view import Component

_MOST_PARTS = 8
_START = "Every candidate"
"""The part of a score that is the same for all."""
_OTHERS = "Everything else"


def offers(frame: pd.DataFrame, product_href: Callable[[str], str], lacking: str, days: int | None = None) -> Component:
    """`frame` has product_id, name, reason, score, parts, because_product_id, because_name and because_at, best first;
    an empty one says what is lacking. `days`: within which scores are log-odds of a purchase; None if they are not."""
    if frame.empty:
        return html.P(lacking, className="about")
    return html.Ol([_offer(row, product_href, days) for _, row in frame.iterrows()], className="offers")


def _offer(row: pd.Series, product_href: Callable[[str], str], days: int | None) -> Component:
    label = product_label((row["name"], row["product_id"]))
    name = html.Span(dcc.Link(label, href=product_href(row["product_id"])), className="offer")
    told = [part for part in (_because(row, product_href), _made_of(row, days)) if part is not None]
    why = html.Details([html.Summary(["Why", _spoken(row)]), *told], className="why") if told else None
    return html.Li([name, html.Span(_reason(row), className="about"), why])


def _spoken(row: pd.Series) -> Component:
    """What tells one summary from the others where none can be seen."""
    return html.Span(f" {row['name']} is offered", className="visually-hidden")


def _reason(row: pd.Series) -> Component:
    """The reason; the name in it keeps to itself which way it is written."""
    if fmt.missing(row["because_name"]):
        return row["reason"]
    before, name, after = str(row["reason"]).partition(row["because_name"])
    return [before, html.Bdi(name), after] if name else before


def _because(row: pd.Series, product_href: Callable[[str], str]) -> Component:
    """The customer's own purchase that speaks for the product."""
    if fmt.missing(row["because_product_id"]):
        return None
    link = dcc.Link(html.Bdi(row["because_name"]), href=product_href(row["because_product_id"]))
    when = "" if fmt.missing(row["because_at"]) else f", last on {fmt.day(row['because_at'])}"
    return html.P(["Speaks for it: bought ", link, when, "."], className="because")


def _made_of(row: pd.Series, days: int | None) -> Component:
    """Bars of the parts of a score, and what they come to; nothing where the model cannot tell them."""
    score = float(row["score"])
    parts = told_parts(row["parts"], score)
    if not parts:
        return None
    start = [amount for label, amount in parts if label == _START]
    own = [part for part in parts if part[0] != _START]
    low, high = (end([0.0, *(amount for _, amount in own)]) for end in (min, max))
    span = (high - low) or 1.0
    bars = html.Dl([_bar(label, amount, low, span) for label, amount in own], className="parts")
    from_ = f"Starting point of every candidate: {_amount(start[0])}. " if start else ""
    return html.Div([bars, html.P(f"{from_}All together {_amount(score)}{_chance(score, days)}.", className="because")])


def _chance(score: float, days: int | None) -> str:
    """: a chance of about 1 in 34 that the customer buys it within 28 days; nothing where the score is no log-odds."""
    if days is None or not math.isfinite(score):
        return ""
    chance = 1 / (1 + math.exp(-max(score, -30.0)))
    told = f"1 in {fmt.number(1 / chance)}" if chance < 0.4 else f"{min(10 * chance, 9):.0f} in 10"
    return f": a chance of about {told} that the customer buys it within {days} days"


def told_parts(text: object, score: float) -> Sequence[tuple[str, float]]:
    """Label and amount of the parts, largest first; the smallest of many in one, so that they add up to the score.

    `text` is a JSON object; anything else has no parts.
    """
    try:
        told = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return ()
    amounts = told.items() if isinstance(told, dict) else ()
    known = [(str(label), float(a)) for label, a in amounts if isinstance(a, int | float) and math.isfinite(a)]
    known.sort(key=lambda part: (part[0] != _START, -abs(part[1])))
    shown = sorted(known[:_MOST_PARTS], key=lambda part: -part[1])
    rest = score - sum(amount for _, amount in shown)
    return [*shown, (_OTHERS, rest)] if shown and abs(rest) > 1e-6 * max(1.0, abs(score)) else shown


def _bar(label: str, amount: float, low: float, span: float) -> Component:
    size = {"left": f"{(min(amount, 0.0) - low) / span:.2%}", "width": f"{abs(amount) / span:.2%}"}
    bar = html.Span(className="fill less" if amount < 0 else "fill", style=size)
    return html.Div(
        [html.Dt(label), html.Dd(bar, className="track"), html.Dd(_amount(amount), className="number")],
        className="part",
    )


def _amount(value: float) -> str:
    """+0.31; small scores keep three digits that matter."""
    decimals = 2 if abs(value) >= 0.1 else 3 if abs(value) >= 0.01 else 4
    return ("+" if value > 0 else "") + fmt.number(value, decimals)
