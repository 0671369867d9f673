"""What segments buy and have: one pass over the lines gives what counting each grouping by itself gives."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from db import snapshot
from db.columns import Columns as C
from db.queries import features
from db.snapshot import Snapshot
from etl.load import load
from etl.readers import open_source
from models.traits import STRATUM
from settings import Settings


@pytest.fixture(scope="module")
def data(sample_shop: Settings) -> Snapshot:
    return snapshot.open_newest(sample_shop.data_dir)


@pytest.fixture(scope="module")
def bought(data: Snapshot) -> pd.DataFrame:
    return data.frame(
        "SELECT customer_id, product_id, quantity::DOUBLE AS quantity, amount::DOUBLE AS amount, is_return, "
        "category, department FROM transaction_line JOIN product USING (product_id) WHERE NOT is_service"
    )


@pytest.fixture(scope="module")
def kinds(data: Snapshot) -> dict[str, pd.DataFrame]:
    """Who bought of each category and of each department, those of services alone left out: customer_id, value."""
    lines = data.frame(
        "SELECT customer_id, category, department, is_service FROM transaction_line JOIN product USING (product_id) "
        "WHERE customer_id IS NOT NULL"
    )
    goods = data.frame("SELECT category, department FROM product WHERE NOT is_service")
    kept = {trait: lines[lines[trait].isin(goods[trait].dropna())] for trait in (C.CATEGORY, C.DEPARTMENT)}
    assert any(frame["is_service"].any() for frame in kept.values()), "some services are in a category of goods"
    return {
        trait: frame[[C.CUSTOMER_ID, trait]].set_axis([C.CUSTOMER_ID, C.VALUE], axis=1).drop_duplicates()
        for trait, frame in kept.items()
    }


@pytest.fixture(scope="module")
def labels(data: Snapshot) -> pd.DataFrame:
    """Three random groupings; of one some customers are in no segment."""
    ids = data.frame("SELECT DISTINCT customer_id FROM transaction_line WHERE customer_id IS NOT NULL ORDER BY 1")
    draw = np.random.default_rng(3)
    kinds = {C.SEGMENT: list("abc"), C.RFM_GROUP: list("klmnop"), C.ALTERNATIVE: list("xy")}
    labels = ids.assign(**{name: draw.choice(kind, len(ids)) for name, kind in kinds.items()})
    return labels.assign(alternative=labels[C.ALTERNATIVE].where(draw.random(len(ids)) < 0.9))


def end(data: Snapshot) -> pd.Timestamp:
    last = features.last_ordered_at(data)
    assert last is not None
    return pd.Timestamp(last + timedelta(days=1))


def test_sales_of_all_groupings_are_those_of_each(data: Snapshot, bought: pd.DataFrame, labels: pd.DataFrame) -> None:
    found = features.segment_sales(data, labels, end(data))
    for grouping in (C.SEGMENT, C.RFM_GROUP, C.ALTERNATIVE):
        by = bought.merge(labels[[C.CUSTOMER_ID, grouping]], on=C.CUSTOMER_ID).groupby([grouping, C.PRODUCT_ID])
        expected = by.agg(quantity=("quantity", "sum"), revenue=("amount", "sum"), customers=("customer_id", "nunique"))
        mine = found[found[C.GROUPING] == grouping].set_index([C.SEGMENT, C.PRODUCT_ID])
        assert len(mine) == len(expected)
        aligned = expected.loc[mine.index]
        np.testing.assert_allclose(mine[[C.QUANTITY, C.REVENUE]], aligned[[C.QUANTITY, C.REVENUE]], atol=1e-6)
        assert mine[C.CUSTOMERS].tolist() == aligned[C.CUSTOMERS].tolist()


def test_traits_of_all_groupings_are_those_of_each(
    data: Snapshot, kinds: dict[str, pd.DataFrame], labels: pd.DataFrame
) -> None:
    found = features.trait_counts(data, labels, end(data))
    attributes = data.frame("SELECT customer_id, attributes FROM customer")
    had = [frame.assign(trait=trait) for trait, frame in kinds.items()]
    told = [(who, *pair) for who, text in attributes.itertuples(index=False) for pair in json.loads(text).items()]
    had.append(pd.DataFrame(told, columns=[C.CUSTOMER_ID, C.TRAIT, C.VALUE]))
    all_had = pd.concat(had).drop_duplicates().merge(labels, on=C.CUSTOMER_ID)
    assert {"age", "income", C.CATEGORY, C.DEPARTMENT} <= set(found[C.TRAIT])
    for grouping in (C.SEGMENT, C.RFM_GROUP, C.ALTERNATIVE):
        mine = found[found[C.GROUPING] == grouping]
        of_value = mine.dropna(subset=[C.VALUE]).groupby([C.SEGMENT, C.TRAIT, C.VALUE])[C.CUSTOMERS].sum()
        expected = all_had.groupby([grouping, C.TRAIT, C.VALUE])[C.CUSTOMER_ID].nunique()
        assert of_value.to_dict() == expected.to_dict()
        of_all = mine[mine[C.VALUE].isna()].groupby([C.SEGMENT, C.TRAIT])[C.CUSTOMERS].sum()
        assert of_all.to_dict() == all_had.groupby([grouping, C.TRAIT])[C.CUSTOMER_ID].nunique().to_dict()


def test_a_stratum_is_of_customers_who_buy_about_as_broadly(data: Snapshot, kinds: dict[str, pd.DataFrame]) -> None:
    """Customers labelled by the number of their categories: each number is in one stratum, and more is never lower."""
    breadth = kinds[C.CATEGORY].groupby(C.CUSTOMER_ID)[C.VALUE].nunique()
    labels = pd.DataFrame({C.CUSTOMER_ID: breadth.index, C.SEGMENT: breadth.map("{:04}".format).to_numpy()})
    counts = features.trait_counts(data, labels, end(data))
    strata = counts[counts[C.TRAIT] == C.CATEGORY].groupby(C.SEGMENT)[STRATUM].agg(["min", "max"])
    assert (strata["min"] == strata["max"]).all()
    assert strata["min"].is_monotonic_increasing
    size = counts[(counts[C.TRAIT] == C.CATEGORY) & counts[C.VALUE].isna()].groupby(STRATUM)[C.CUSTOMERS].sum()
    assert len(size) == 20
    assert size.max() < 0.1 * len(breadth)


def test_returns_services_guests_and_what_comes_later_are_no_purchases(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    rows = [
        ("1", "A", "ann", "2024-01-01", 1, "tea", "UK"),
        ("2", "B", "ann", "2024-01-02", 1, "milk", "UK"),
        ("3", "B", "bob", "2024-01-03", 2, "milk", "FR"),
        ("4", "B", "bob", "2024-01-04", -2, "milk", "FR"),
        ("5", "C", "bob", "2024-01-05", -1, "beer", "FR"),
        ("6", "A", "", "2024-01-06", 1, "tea", "DE"),
        ("7", "A", "bob", "2024-02-01", 1, "tea", "FR"),
        ("8", "POST", "bob", "2024-01-07", 1, "delivery", "FR"),
    ]
    columns = [C.ORDER_ID, C.PRODUCT_ID, C.CUSTOMER_ID, C.ORDERED_AT, C.QUANTITY, C.CATEGORY, C.COUNTRY]
    path = tmp_path / "shop.csv"
    pd.DataFrame(rows, columns=columns).assign(unit_price=2.0).to_csv(path, index=False)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    labels = pd.DataFrame({C.CUSTOMER_ID: ["ann", "bob"], C.SEGMENT: ["X", "Y"]})
    as_of = pd.Timestamp(2024, 1, 31)
    counts = features.trait_counts(shop, labels, as_of).dropna(subset=[C.VALUE])
    told = set(counts[[C.SEGMENT, C.TRAIT, C.VALUE, C.CUSTOMERS]].itertuples(index=False, name=None))
    services = set(shop.frame("SELECT product_id FROM product WHERE is_service")["product_id"])
    assert services == {"POST"}
    assert told == {
        ("X", "category", "tea", 1),
        ("X", "category", "milk", 1),
        ("Y", "category", "milk", 1),
        ("X", "country", "UK", 1),
        ("Y", "country", "FR", 1),
    }
    sales = features.segment_sales(shop, labels, as_of).set_index([C.SEGMENT, C.PRODUCT_ID])
    assert sales[[C.QUANTITY, C.REVENUE, C.CUSTOMERS]].T.to_dict("list") == {
        ("X", "A"): [1, 2, 1],
        ("X", "B"): [1, 2, 1],
        ("Y", "B"): [0, 0, 1],
    }
