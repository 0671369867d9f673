"""What a segment's customers are and buy more, or less, than the whole shop does."""

import pandas as pd
from dash import html

from dashboard import format as fmt
from dashboard.components.card import card, segment_chip
from dashboard.components.choice import panes
from dashboard.components.graph import graph
from dashboard.components.product import product_label, with_product
from dashboard.components.spread import distance, lift_bars
from dashboard.components.table import Column, table
from dashboard.pages import grouping
from dashboard.pages.segment_profile import AGAIN
from dashboard.view import Component, View
from db.drill import Trait
from db.queries import segments as queries

_MOST_EACH_WAY = 5
_GOODS = ("category", "department")
_FIELDS = {"category": "categories", "department": "departments", "country": "countries"}
_KINDS = (("lift", "Bought more than by others"), ("revenue", "By revenue"), ("quantity", "By quantity"))


def traits(view: View) -> Component:
    """Bars of what is over- and under-represented in each segment, a trait at a time."""
    by = grouping.shown(view)
    found, tested = queries.traits(view.snapshot, by), queries.traits_tested(view.snapshot, by)
    profiles = grouping.profiles(view)
    if profiles.empty:
        return []
    if not tested:
        lacking = "The data name no category, country or attribute to compare by."
        words = AGAIN if queries.measures(view.snapshot, by).empty else lacking
        return card("What sets them apart", html.P(words, className="about"))
    found = found[found["segment"].isin(profiles["segment"])].copy()
    if found.empty:
        chance = f"None of {fmt.plural(tested, 'comparison')} with the whole shop is beyond chance."
        return card("What sets them apart", html.P(chance, className="about"))
    found["href"] = [_mark(view, row) for _, row in found.iterrows()]
    names = sorted(found["trait"].unique(), key=lambda trait: (trait not in _GOODS, trait))
    shown = [
        (_words(trait).capitalize(), _multiples(found[found["trait"] == trait], profiles, view)) for trait in names
    ]
    about = (
        "How much more (right, in colour) or less (left, grey) common than among all customers; of purchases, than "
        "among customers who buy from as many kinds. Shown where it holds after correcting for "
        f"{fmt.number(tested)} comparisons (q ≤ {fmt.percent(queries.FALSE_DISCOVERY, 0)}); the {_MOST_EACH_WAY} "
        f"strongest each way{view.leads('. Click a bar for the customers')}"
    )
    columns = [
        Column("segment", "Segment"),
        Column("trait", "Trait", _words),
        Column("value", "Value"),
        Column("customers", "Customers", fmt.number, numeric=True, href=lambda row: row["href"]),
        Column("share", "Share", fmt.percent, numeric=True),
        Column("shop_share", "Expected", fmt.percent, numeric=True),
        Column("lift", "Lift", lambda v: fmt.number(v, 2), numeric=True),
        Column("q_value", "q", lambda v: "< 0.001" if v < 0.001 else fmt.number(v, 3), numeric=True),
    ]
    return card(_finding(found, profiles, names[0]), panes(shown), about=about, twin=(found, columns))


def _finding(found: pd.DataFrame, profiles: pd.DataFrame, trait: str) -> str:
    """The three most over-represented values of the first segment that has any."""
    for segment in profiles["segment"]:
        of = found[(found["segment"] == segment) & (found["trait"] == trait) & (found["lift"] > 1)]
        if len(of):
            values = [str(value) for value in of.nlargest(3, "lift")["value"]]
            listed = " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
            verb = "over-buy" if trait in _GOODS else "are more often from" if trait == "country" else "are more often"
            return f"{segment} {verb} {listed}"
    return "What sets them apart"


def _words(trait: str) -> str:
    return trait.replace("_", " ")


def _multiples(found: pd.DataFrame, profiles: pd.DataFrame, view: View) -> Component:
    """A small plot a segment, with its strongest differences."""
    plots, furthest = [], distance(found["lift"])
    for _, profile in profiles.iterrows():
        of = found[found["segment"] == profile["segment"]].sort_values("lift", ascending=False, kind="stable")
        more, less = of[of["lift"] >= 1].head(_MOST_EACH_WAY), of[of["lift"] < 1].tail(_MOST_EACH_WAY)
        rows = pd.concat([more, less])
        if rows.empty:
            continue
        drawn = lift_bars(rows, view.theme, profile["colour"], furthest)
        chip = html.Figcaption(segment_chip(profile["segment"], profile["colour"], profile["emoji"]))
        label = f"What is more and less common among {profile['segment']}"
        name = f"trait-{profile['grouping']}-{profile['position']}-{rows['trait'].iloc[0]}"
        plots.append(html.Figure([chip, graph(name, drawn, 16 + 25 * len(rows), label)]))
    return html.Div(plots, className="spreads apart")


def _mark(view: View, row: pd.Series) -> str:
    """The address of the segment's customers who have the trait."""
    if row["trait"] in _FIELDS:
        return grouping.customers_href(view, row["segment"], **{_FIELDS[row["trait"]]: (row["value"],)})
    return grouping.customers_href(view, row["segment"], traits=(Trait(row["trait"], row["value"]),))


def products(view: View) -> Component:
    """The top products of each segment, by lift over the shop, by revenue and by quantity."""
    profiles = grouping.profiles(view)
    found = queries.products(view.snapshot, grouping.shown(view))
    frames = {kind: found[found["kind"] == kind] for kind, _ in _KINDS}
    if profiles.empty or all(frame.empty for frame in frames.values()):
        return []
    shown = [
        (
            title,
            html.Div(
                [_ranking(frames[kind], profile, kind, view) for _, profile in profiles.iterrows()],
                className="products",
            ),
        )
        for kind, title in _KINDS
        if len(frames[kind])
    ]
    about = (
        "Lift: the product's share of what the segment's customers buy over its share in the whole shop. "
        "Postage and other services are left out, and by quantity what is not counted in pieces (fuel)"
        + view.leads(". Click a product for the segment's customers who bought it")
    )
    return card("What each segment buys", panes(shown), about=about)


def _ranking(frame: pd.DataFrame, profile: pd.Series, kind: str, view: View) -> Component:
    rows = with_product(frame[frame["segment"] == profile["segment"]])
    show = {
        "revenue": lambda v: fmt.short_money(v, view.currency),
        "quantity": fmt.number,
        "lift": fmt.times,
    }[kind]

    def buyers(row: pd.Series) -> str:
        return grouping.customers_href(view, profile["segment"], products=(row["product_id"],))

    columns = [
        Column("product", "Product", product_label, href=buyers),
        Column("customers", "Buyers", fmt.number, numeric=True),
        Column(kind, kind.capitalize(), show, numeric=True),
    ]
    body = table(rows, columns) if len(rows) else html.P("Too few buyers to tell.", className="about")
    head = html.H3(segment_chip(profile["segment"], profile["colour"], profile["emoji"]))
    return html.Div([head, body], className="segment-products")
