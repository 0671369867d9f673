"""A KPI card: a number, its change against a reference, a sparkline and its definition."""

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
from dash import html

from dashboard.format import missing, number, percent
from dashboard.kpis import Kpi
from dashboard.theme import Theme, token
from dashboard.view import Component


def kpi_card(
    kpi: Kpi, now: float, before: float, series: Sequence[float], reference: str, currency: str, theme: Theme
) -> Component:
    """`series` is oldest first; `reference` names what `before` is the value of."""
    head = html.Div(
        [
            html.H2(kpi.label),
            html.Details(
                [html.Summary("?", **{"aria-label": f"What {kpi.label} means"}), html.P(kpi.definition)],
                className="definition",
            ),
        ],
        className="kpi-head",
    )
    figure = html.Div(
        [html.Div(kpi.show(now, currency), className="kpi-figure"), sparkline(series, theme)], className="kpi-middle"
    )
    return html.Article([head, figure, change(kpi, now, before, reference, currency)], className="panel kpi")


def change(kpi: Kpi, now: float, before: float, reference: str, currency: str) -> Component:
    """The change in words, with sign and arrow; good and bad by the KPI's own direction, never by colour alone."""
    if missing(now) or missing(before):
        return html.P(f"nothing to compare with in the {reference}", className="kpi-change")
    was = f"vs {kpi.show(before, currency)}"
    difference = now - before if kpi.is_share else (now - before) / abs(before) if before else None
    if difference is None and now != 0:
        return html.P(["new, ", was], className="kpi-change")
    difference = difference or 0.0
    size = f"{number(abs(difference) * 100, 1)} pts" if kpi.is_share else percent(abs(difference))
    if round(abs(difference), 3) == 0:
        return html.P([html.Span("= unchanged"), " ", was], className="kpi-change", title=reference)
    rose = difference > 0
    good = rose == kpi.rising_is_good
    said = f"{'▲ +' if rose else '▼ −'}{size}"
    words = html.Span(f" ({'better' if good else 'worse'} than the {reference})", className="visually-hidden")
    return html.P(
        [html.Span(said, className="good" if good else "bad"), words, " ", was], className="kpi-change", title=reference
    )


def sparkline(series: Sequence[float], theme: Theme) -> Component:
    """The course of a number, drawn without axes; screen readers have the change in words instead."""
    values = np.asarray(series, dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return html.Div(className="sparkline")
    across = known / (len(values) - 1) * 96 + 2
    low, high = values[known].min(), values[known].max()
    up = 26 - (values[known] - low) / ((high - low) or 1) * 22
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 30" preserveAspectRatio="none"><polyline fill="none" '
        f'stroke="{token("accent", theme)}" stroke-width="1.6" stroke-linejoin="round" points="{line}" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    return html.Img(src=f"data:image/svg+xml,{quote(picture)}", className="sparkline", alt="")
