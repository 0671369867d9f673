"""A KPI card says the change rightly where there is one, and says so where there is none."""

import math
from typing import Any

import pytest

from dashboard.components.kpi_card import kpi_card, sparkline
from dashboard.kpis import KPIS, Kpi

BY_COLUMN = {kpi.column: kpi for kpi in KPIS}


def words(component: Any) -> str:
    """All text of a component, as a reader meets it."""
    if component is None:
        return ""
    if isinstance(component, str):
        return component
    if isinstance(component, list | tuple):
        return "".join(map(words, component))
    return words(getattr(component, "children", None))


def card(kpi: Kpi, now: float, before: float) -> str:
    return words(kpi_card(kpi, now, before, [1, 2, 3], "91 days before", "$", "light"))


@pytest.mark.parametrize(
    ("column", "now", "before", "expected"),
    [
        ("revenue", 3_725_376, 2_063_000, "▲ +80.6% (better than the 91 days before) vs $2.06M"),
        ("orders", 90, 100, "▼ −10.0% (worse than the 91 days before) vs 100"),
        ("repeat_rate", 0.48, 0.438, "▲ +4.2 pts (better than the 91 days before) vs 43.8%"),
        ("at_risk", 0.183, 0.231, "▼ −4.8 pts (better than the 91 days before) vs 23.1%"),
        ("orders", 7, 0, "new, vs 0"),
        ("orders", 0, 0, "= unchanged vs 0"),
        ("orders", 100, 100, "= unchanged vs 100"),
        ("revenue", 50, -100, "▲ +150.0% (better than the 91 days before) vs −$100"),
        ("orders", 7, math.nan, "nothing to compare with in the 91 days before"),
        ("average_order", math.nan, 5, "nothing to compare with in the 91 days before"),
    ],
)
def test_the_change_is_said_in_words(column: str, now: float, before: float, expected: str) -> None:
    assert card(BY_COLUMN[column], now, before).endswith(expected)


def test_no_card_ever_shows_nan_or_infinity() -> None:
    for kpi in KPIS:
        for now in (0.0, -1.0, math.nan, math.inf):
            for before in (0.0, math.nan, 1.0):
                assert not {"nan", "inf"} & set(card(kpi, now, before).lower().split())


def test_a_new_card_is_one_entry() -> None:
    items = Kpi("items", "Items", "Pieces sold.", lambda value, currency: f"{value:.0f} pcs")
    assert "12 pcs" in card(items, 12, 10)


def test_a_sparkline_needs_two_points_and_survives_a_flat_line() -> None:
    assert "src" not in sparkline([math.nan, 3.0], "light").to_plotly_json()["props"]
    assert "nan" not in sparkline([2.0, 2.0, math.nan, 2.0], "dark").src
