"""Recommendations: what to offer to a customer or a segment, and how good the offers are."""

import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components import charts
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.product import product_label, with_product
from dashboard.components.states import empty, slot
from dashboard.components.table import Column, table
from dashboard.view import Component, Page, View
from db.queries import recommendations as queries
from db.queries import shop
from db.runs import RECOMMENDATIONS

_MODELS = {"hybrid": "LightFM hybrid", "popular": "Popular products", "own_history": "Own history"}
_METRICS = {"precision": "Precision", "recall": "Recall", "map": "MAP", "ndcg": "NDCG", "hit_rate": "Hit rate"}


def layout(_: View) -> Component:
    """The frame of the page."""
    pick = html.Div(
        [
            html.Label("Offers for one customer", htmlFor=ids.PICK_CUSTOMER),
            dcc.Dropdown(id=ids.PICK_CUSTOMER, placeholder="Type a customer's id", options=[], clearable=True),
        ],
        className="pick",
    )
    return [
        html.H1("Recommendations", className="visually-hidden"),
        html.Div([slot("recommendations.sentence", "sentence"), pick], className="bar"),
        html.Div(
            [slot("recommendations.discover", "table"), slot("recommendations.buy_again", "table")],
            className="grid halves",
        ),
        html.Div([slot("recommendations.quality", "chart", "full")], className="grid"),
    ]


def sentence(view: View) -> Component:
    """Whether there are recommendations, as of when, and how they did against popularity."""
    run, refusal = shop.published_run(view.snapshot, RECOMMENDATIONS), shop.refusal(view.snapshot, RECOMMENDATIONS)
    notice = html.P(["The newest run was not published: ", refusal], className="notice") if refusal else None
    if run is None:
        return notice or empty("No recommendations yet", "Run ", html.Code("python -m models run"), " to compute them.")
    finding, _, figures = str(run.metrics.get("reason") or "There is no measure of these offers").partition(":")
    figures = figures.replace("-", "−")
    lead = f"{finding[:1].upper()}{finding[1:]}{':' if figures else '.'}"
    days = run.metrics.get("holdout_days")
    rests = f" Measured on the last {days} days, which the measured models had not seen." if days else ""
    as_of = f" As of {fmt.day(run.as_of)}, run {run.run_id}."
    return [html.P([html.Strong(lead), figures, rests, as_of], className="sentence"), notice]


def discover(view: View) -> Component:
    """What is new to most of the customers in view."""
    return _most_offered(view, "discover", "New to them", "Products their customers never bought")


def buy_again(view: View) -> Component:
    """What most of the customers in view are likely to buy again."""
    return _most_offered(view, "buy_again", "Buy again", "Products their customers bought before")


def _most_offered(view: View, kind: str, title: str, about: str) -> Component:
    frame = queries.for_customers(view.snapshot, view.filters, kind, limit=12)
    whose = ", ".join(view.filters.segments) or "all customers"
    if frame.empty:
        return card(
            f"{title}: {whose}", html.P("No recommendations for the customers of this view.", className="about")
        )
    category = Column("category", "Category", lambda v: "" if fmt.missing(v) else str(v), style="secondary")
    columns = [
        Column("product", "Product", product_label),
        *([category] if frame["category"].notna().any() else []),
        Column("customers", "Customers", fmt.number, numeric=True),
        Column("share", "Share", fmt.percent, numeric=True),
    ]
    about = f"{about}; how many of the customers in this view have each on their list of ten"
    return card(f"{title}: {whose}", table(with_product(frame), columns), about=about)


def quality(view: View) -> Component:
    """How good the lists are against the baselines: NDCG with intervals, and every metric in a table."""
    frame = queries.evaluation(view.snapshot)
    if frame.empty:
        return []
    shown = frame[(frame["slice"] == "discover") & (frame["metric"] == "ndcg") & (frame["k"] == 10)]
    picture = charts.intervals(shown, _MODELS, view.theme)
    wide = _wide(frame)
    columns = [
        Column("slice", "Products", lambda v: {"discover": "new to the customer", "all": "any"}.get(v, str(v))),
        Column("model", "Model", lambda v: _MODELS.get(v, str(v))),
        *[Column(name, title, _figure, numeric=True) for name, title in _columns_of(wide)],
    ]
    about = "NDCG@10 on products new to the customer, with 95% intervals over customers; further right is better"
    title = "How good the offers are"
    return card(title, graph("quality", picture, 70 + 44 * len(shown), title), table(wide, columns), about=about)


def _wide(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a slice and model, one column a metric and k."""
    named = frame.assign(column=frame["metric"] + "@" + frame["k"].astype(str))
    wide = named.pivot_table(index=["slice", "model"], columns="column", values="value", sort=False).reset_index()
    return wide.sort_values(["slice", "model"], ascending=[False, True])


def _columns_of(wide: pd.DataFrame) -> list[tuple[str, str]]:
    wanted = [(f"{metric}@{k}", f"{title}@{k}") for metric, title in _METRICS.items() for k in (5, 10)]
    return [(name, title) for name, title in wanted if name in wide.columns]


def _figure(value: float) -> str:
    return fmt.NOTHING if fmt.missing(value) else f"{value:.3f}"


PAGE = Page(
    path="/recommendations",
    title="Recommendations",
    icon="recommendations",
    layout=layout,
    slots={
        "recommendations.sentence": sentence,
        "recommendations.discover": discover,
        "recommendations.buy_again": buy_again,
        "recommendations.quality": quality,
    },
    ignores="Lists are those of the published run. A period, department or category that is chosen keeps the customers "
    "who bought then and there; the figures on quality are over all customers.",
)
