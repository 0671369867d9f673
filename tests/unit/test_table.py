"""What a table carries beside what is read, and what a card can be saved as."""

import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from dash import dcc, html

from dashboard.components.card import card
from dashboard.components.table import Column, exact, table


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1234567.891, "1234567.891"),
        (-2, "-2"),
        (Decimal("0.10"), "0.10"),
        (date(2011, 12, 9), "2011-12-09"),
        (pd.Timestamp("2011-12-09"), "2011-12-09"),
        (pd.Timestamp("2011-12-09 10:30"), "2011-12-09 10:30:00"),
    ],
)
def test_a_cell_carries_the_exact_value(value: object, expected: str) -> None:
    assert exact(value) == {"data-value": expected}


@pytest.mark.parametrize("value", ["=1+1", None, float("nan"), pd.NaT, True])
def test_what_is_no_number_and_no_day_is_only_read(value: object) -> None:
    assert exact(value) == {}


def test_a_row_without_an_address_has_no_link() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "to": ["/customers", ""]})
    shown = json.dumps(table(frame, [Column("name", "Name", href=lambda row: row["to"])]).to_plotly_json(), default=str)
    assert shown.count("href") == 1


def test_a_card_can_be_saved_as_what_it_shows() -> None:
    frame = pd.DataFrame({"name": ["a"]})
    twin = (frame, [Column("name", "Name")])

    def forms(of: object) -> list[str]:
        parts = html.Div(of)._traverse()
        return [getattr(part, "data-save") for part in parts if isinstance(part, html.Button)]

    assert forms(card("Words alone", html.P("nothing"))) == []
    assert forms(card("A chart", dcc.Graph(), twin=twin, aside=[html.P("a"), html.P("b")])) == ["png", "csv"]
    assert forms(card("A table", table(*twin))) == ["csv"]
