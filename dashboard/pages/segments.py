"""Segments: who the customers are, in three dimensions and in words, what they are like, what to do, and why."""

from dash import html

from dashboard import format as fmt
from dashboard import helps
from dashboard.components.card import card
from dashboard.components.graph import picture
from dashboard.components.segment_card import segment_card
from dashboard.components.states import empty, slot
from dashboard.pages import (
    grouping,
    segment_cells,
    segment_goods,
    segment_maps,
    segment_profile,
    segment_reasons,
    segment_scatter,
)
from dashboard.view import CONTROL, RESTRICTIONS, Component, Ignores, Page, View
from db.queries import shop
from db.runs import SEGMENTS

_MANY = 5
_SCATTER = "Customers by recency, orders and spend"


def layout(view: View) -> Component:
    """The frame of the page; before the first run what to do alone."""
    head = [html.H1("Segments", className="visually-hidden"), slot("segments.sentence", "sentence")]
    if shop.published_run(view.snapshot, SEGMENTS) is None:
        return head
    return [
        *head,
        slot("segments.choices", "controls"),
        html.Div(
            [
                card(
                    _SCATTER,
                    slot("segments.around", "controls"),
                    picture("rfm", 560, f"{_SCATTER}, coloured by segment; the table below it has the same numbers"),
                    slot("segments.cells", "sentence"),
                    about="Logarithmic axes. In 3D drag to turn and scroll to come nearer",
                    aside=slot("segments.shown", "strip"),
                ),
                slot("segments.cards", "tall"),
            ],
            className="grid",
        ),
        html.H2("What they are like", className="section"),
        html.Div(
            [
                slot("segments.profile", "table", "full"),
                slot("segments.traits", "chart", "full"),
                slot("segments.products", "table", "full"),
            ],
            className="grid",
        ),
        html.H2("What to do", className="section"),
        html.Div(slot("segments.plays", "table", "full"), className="grid"),
        html.H2("Why these segments", className="section"),
        html.Div(
            [
                slot("segments.number", "chart", "full"),
                slot("segments.grid", "chart"),
                slot("segments.flat", "chart"),
                slot("segments.names", "table", "full"),
            ],
            className="grid halves",
        ),
    ]


def sentence(view: View) -> Component:
    """How many segments, why that many, as of when, and whether the customers have drifted."""
    run = shop.published_run(view.snapshot, SEGMENTS)
    profiles = grouping.profiles(view, wholly=True)
    if run is None or profiles.empty:
        return empty(
            "No segments yet",
            "Run ",
            html.Code("python -m models run"),
            " to compute them; it needs orders that name a customer.",
        )
    lead = f"{fmt.plural(len(profiles), 'segment')}."
    if grouping.shown(view) == "segment":
        lead = run.metrics.get("reason") or lead
    best = profiles.iloc[0]
    share = f"{fmt.percent(best['customer_share'], 0)} of customers, {fmt.percent(best['revenue_share'], 0)} of revenue"
    rests = f" {best['segment']} are {share}. As of {fmt.day(run.as_of)}, run {run.run_id}."
    # the notice is about the clusters of the whole shop, and no other way or part of it
    drift = (run.metrics.get("drift") or {}) if grouping.shown(view) == "segment" else {}
    narrowed = set(view.filters.active()) - {"run", "start", "end", "against"}
    notice = html.P(drift["sentence"], className="notice") if drift.get("large") and not narrowed else None
    return [html.P([html.Strong(lead), rests], className="sentence"), notice]


def cards(view: View) -> Component:
    """A card a segment: its numbers and its persona."""
    profiles = grouping.profiles(view)
    return html.Div(
        [
            segment_card(profile, grouping.customers_href(view, profile["segment"]), view.currency)
            for _, profile in profiles.iterrows()
        ],
        className="segment-cards many" if len(profiles) > _MANY else "segment-cards",
    )


_WHOLE = ("cards", "profile", "traits", "products", "plays", "names")
_TODAY = ("segments.shown", "segments.cells", "segments.grid", "segments.flat", "rfm")
_OF_SEGMENTS = Ignores(of="The whole of each segment", but_grouping=True)

PAGE = Page(
    path="/segments",
    title="Segments",
    help=helps.SEGMENTS,
    icon="segments",
    layout=layout,
    slots={
        "segments.sentence": sentence,
        "segments.choices": grouping.choices,
        "segments.shown": segment_scatter.shown,
        "segments.around": segment_scatter.around,
        "segments.cells": segment_cells.twin,
        "segments.cards": cards,
        "segments.profile": segment_profile.profile,
        "segments.traits": segment_goods.traits,
        "segments.products": segment_goods.products,
        "segments.plays": segment_profile.plays,
        "segments.number": segment_reasons.number,
        "segments.grid": segment_maps.grid,
        "segments.flat": segment_maps.flat,
        "segments.names": segment_profile.names,
    },
    pictures={"rfm": segment_scatter.scatter},
    whole_history=True,
    ignoring={
        "segments.sentence": Ignores(of="The whole shop"),
        "segments.choices": CONTROL,
        "segments.around": Ignores(RESTRICTIONS - {"ranges"}, is_control=True),
        "segments.number": Ignores(of="The run as a whole"),
        **dict.fromkeys(_TODAY, Ignores(frozenset({"days"}))),
        **{f"segments.{name}": _OF_SEGMENTS for name in _WHOLE},
    },
)
