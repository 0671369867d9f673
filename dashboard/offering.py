"""What the pages of offers share: the sentence on what is published, the way from view to view, the rules."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from dashboard import format as fmt
from dashboard import ids
from dashboard.components.card import card
from dashboard.components.choice import either
from dashboard.components.icons import icon
from dashboard.components.offers import offers
from dashboard.components.states import empty, slot
from dashboard.judging import among, model_name, said
from dashboard.view import Component, Slot, View
from db.offer_rules import NO_RULES
from db.queries import shop
from db.runs import RECOMMENDATIONS

CUSTOMERS, SEGMENTS = "/recommendations", "/recommendations/segments"
PRODUCTS, BUNDLES = "/recommendations/products/", "/recommendations/bundles"
ONE_CUSTOMER = "/recommendations/customers/"
QUALITY = "/quality"
VIEWS = {
    CUSTOMERS: "For customers",
    SEGMENTS: "For segments",
    PRODUCTS: "For a product",
    BUNDLES: "Bundles",
}
_KINDS = {"discover": "New products", "buy_again": "Buying again"}
LIST_RULES = ("without", "low", "high", "buyers", "per_category")
BASKET_RULES = ("support", "lift")
_LABELS = {
    "without": "Leave out categories",
    "low": "Price from",
    "high": "Price to",
    "buyers": "Bought by at least",
    "per_category": "Of a category at most",
    "support": "Support of at least",
    "lift": "Lift of at least",
}
_HINTS = {"low": "any", "high": "any", "buyers": "customers", "per_category": "products", "support": "any"}


def product_href(view: View, product_id: str) -> str:
    """The address of a product as an offer."""
    return view.href(PRODUCTS + quote(product_id, safe=""))


def offered_href(view: View, customer_id: str) -> str:
    """The address of one customer's lists."""
    return view.href(ONE_CUSTOMER + quote(customer_id, safe=""))


def download(address: str, label: str = "Download CSV") -> Component:
    """A button for a list that a route streams."""
    return html.A([icon("download"), label], href=address, className="button", download="")


def head(name: str) -> list[Component]:
    """The top of each of the pages: its sentence and the way to the others, filled by `head_slots`."""
    return [slot(f"{name}.sentence", "sentence"), slot(f"{name}.views", "controls")]


def head_slots(name: str, path: str) -> dict[str, Slot]:
    """What fills the top of the page at a path."""
    return {f"{name}.sentence": sentence, f"{name}.views": partial(_views, path)}


def is_published(view: View) -> bool:
    """Whether there are lists to show."""
    return shop.published_run(view.snapshot, RECOMMENDATIONS) is not None


def chance_days(view: View, kind: str) -> int | None:
    """Within how many days a list's scores are log-odds of a purchase; None where the ranker did not make it."""
    run = shop.published_run(view.snapshot, RECOMMENDATIONS)
    by_ranker = run is not None and (run.metrics.get("published") or {}).get(kind) == "ranker"
    days = run.metrics.get("holdout_days") if run is not None and by_ranker else None
    return int(days) if days else None


def _views(path: str, view: View) -> Component:
    return html.Div(view_choice(path, view), className="controls page-controls")


def view_choice(path: str, view: View) -> Component:
    """The way from one view of the offers to the others."""
    return either("Show", [(name, view.href(to)) for to, name in VIEWS.items()], view.href(path))


def list_card(view: View, lists: pd.DataFrame, kind: str, title: str, about: str, lacking: str) -> Component:
    """One list of a customer, of `lists` (see `recommendations.for_customer`); an empty one says what is lacking."""
    of_kind = lists[lists["kind"] == kind]
    shown = offers(of_kind, lambda product: product_href(view, product), lacking, chance_days(view, kind))
    return card(title, shown, about=about)


def sentence(view: View) -> Component:
    """What is published, as of when, how it did against the best baseline; and what became of a newer run."""
    run, refusal = shop.published_run(view.snapshot, RECOMMENDATIONS), shop.refusal(view.snapshot, RECOMMENDATIONS)
    if run is None:
        notice = html.P(["The newest run was not published. ", said(refusal)], className="notice") if refusal else None
        words = " to compute them; it needs orders of named customers over some weeks."
        return [empty("No recommendations yet", "Run ", html.Code("python -m models run"), words), notice]
    refused = ["The newest run was not published. ", said(refusal or "")]
    stays = f"Shown are the lists of run {run.run_id}, of {fmt.day(run.as_of)}."
    notices = [html.P([*refused, f" {stays}"], className="notice")] if refusal else []
    if run.metrics.get("forced"):
        forced = "These lists were published by force, although the gate refused them. "
        reason = str(run.metrics.get("reason") or "").removeprefix("Published by --force. ")
        notices.append(html.P([forced, said(reason)], className="notice"))
    days = run.metrics.get("holdout_days")
    measured = f"Measured on {days} days that the models had not seen{among(run.metrics)}; " if days else ""
    as_of = f"{measured or ''}{'as' if measured else 'As'} of {fmt.day(run.as_of)}, run {run.run_id}. "
    link = dcc.Link("How good they are →", href=view.href(QUALITY), className="nowrap")
    return [html.P([*_findings(run.metrics), as_of, link], className="sentence"), *notices]


def _findings(metrics: Mapping[str, Any]) -> list[Component]:
    """What the gate found of each list, the first in bold; of older runs what they say themselves."""
    gate = metrics.get("gate") or {}
    by = {kind: (metrics.get("published") or {}).get(kind) or of.get("model") for kind, of in gate.items() if of}
    told = [_finding(f"{title} ({model_name(by[kind])})", gate[kind]) for kind, title in _KINDS.items() if kind in by]
    if not told:
        return [html.Strong(str(metrics.get("reason") or "There is no measure of these offers.")), " "]
    return [part for lead, rest in told for part in (html.Strong(lead), rest)]


def _finding(title: str, verdict: Mapping[str, Any]) -> tuple[str, str]:
    """New products (Ranker): 12% above the best baseline (EASE). NDCG@10 0.056 against 0.050, 1,878 customers."""
    value, other = float(verdict["value"]), float(verdict["baseline_value"])
    ahead = value / other - 1 if other > 0 else 0.0
    standing = f"{fmt.percent(abs(ahead), 0)} {'above' if ahead > 0 else 'below'}" if ahead else "no better than"
    measured = f"NDCG@10 {fmt.number(value, 3)} against {fmt.number(other, 3)}"
    rests = f"{measured}, {fmt.plural(int(verdict['customers']), 'customer')}. "
    return f"{title}: {standing} the best baseline ({model_name(verdict['baseline'])}). ", rests


def rule_bar(view: View, names: Sequence[str]) -> Component:
    """Controls of the rules; they and the address follow each other in the browser (`followRules`, `showRules`)."""
    title = html.H2("Rules", className="rules-title")
    bar = html.Div([title, *(_control(view, name) for name in names)], className="controls filters rules")
    fold = html.Button("Rules", className="fold", type="button", **{"aria-expanded": "true"})
    return html.Section([fold, bar], className="panel rule-bar", **{"aria-label": "Rules"})


def _control(view: View, name: str) -> Component:
    value = getattr(view.filters.rules, name)
    label = _LABELS[name] + (f" ({view.currency})" if name in ("low", "high") else "")
    if name == "without":
        known = shop.choices(view.snapshot).categories
        options = [*known, *(category for category in value if category not in known)]
        chooser = dcc.Dropdown(
            id=ids.rule(name), options=options, value=list(value), multi=True, placeholder="None", maxHeight=360
        )
        return html.Div([html.Label(label), chooser], className="control wide", hidden=not options)
    shown = value if value or name in ("low", "high") else None
    hint = _HINTS.get(name, "any")
    box = dbc.Input(id=ids.rule(name), type="number", min=0, step="any", debounce=True, value=shown, placeholder=hint)
    return html.Div(html.Label([label, box]), className="control")


def shorter(lists: int, short: int, emptied: int) -> str:
    """What the rules do to the lists, in words."""
    if not short:
        return f"The rules leave all {fmt.plural(lists, 'list')} as long as they were."
    none_left = f", {fmt.number(emptied)} of them with nothing left" if emptied else ""
    return f"The rules make {fmt.number(short)} of {fmt.plural(lists, 'list')} shorter{none_left}."


def without_rules(view: View, path: str) -> Component:
    """The way back to the lists as they were published."""
    return dcc.Link("Clear the rules", href=view.href(path, rules=NO_RULES) or path, className="reset")
