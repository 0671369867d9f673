"""Segments: the published clustering of Online Retail, and shops too small or too even to cluster."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.configuration import Clusters, Method
from models.segments import Segmentation, segmentation

RFM = (C.RECENCY, C.FREQUENCY, C.MONETARY)


def shop(values: list[tuple[int, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[C.RECENCY, C.FREQUENCY, C.MONETARY])


def automatic(values: pd.DataFrame, method: Method = "kmeans") -> Segmentation:
    return segmentation(values, plan(method), transform="log", clusters=None, n_init=4, seed=42)


def plan(method: Method = "kmeans", features: tuple[str, ...] = RFM) -> Clusters:
    return Clusters(method=method, features=features, winsorise=0.005)


@pytest.fixture(scope="module")
def online_retail(retail_path: Path) -> pd.DataFrame:
    """RFM of all lines with a customer, duplicates kept, cancellations counted as orders."""
    lines = pd.read_parquet(retail_path)
    as_of = lines["InvoiceDate"].max() + timedelta(days=1)
    known = lines[lines["CustomerID"].notna()]
    known = known.assign(amount=known["Quantity"] * known["UnitPrice"], id=known["CustomerID"].astype(int).astype(str))
    customers = known.groupby("id").agg(
        **{C.RECENCY: ("InvoiceDate", "max"), C.FREQUENCY: ("InvoiceNo", "nunique"), C.MONETARY: ("amount", "sum")}
    )
    customers[C.RECENCY] = (as_of - customers[C.RECENCY]).dt.days
    return customers.rename_axis(C.CUSTOMER_ID).reset_index()


def test_the_known_rows_of_online_retail(online_retail: pd.DataFrame) -> None:
    first = online_retail.head(5)[[C.CUSTOMER_ID, C.RECENCY, C.FREQUENCY, C.MONETARY]]
    rows = first.round(2).itertuples(index=False, name=None)
    assert list(rows) == [
        ("12346", 326, 2, 0.00),
        ("12347", 2, 7, 4310.00),
        ("12348", 75, 4, 1797.24),
        ("12349", 19, 1, 1757.55),
        ("12350", 310, 1, 334.40),
    ]
    assert len(online_retail) == 4372


def test_the_known_clusters_of_online_retail(online_retail: pd.DataFrame) -> None:
    result = segmentation(online_retail, plan(), transform="none", clusters=4, n_init=1, seed=42)
    means = online_retail.groupby(result.labels)[[C.RECENCY, C.FREQUENCY, C.MONETARY]].agg("mean").round(2)
    sizes = np.bincount(result.labels)
    found = sorted(zip(sizes.tolist(), *(means[column] for column in means), strict=True))
    assert found == [
        (11, 5.09, 109.91, 124312.31),
        (194, 10.75, 28.51, 12168.26),
        (1077, 248.93, 1.81, 455.11),
        (3090, 42.78, 4.37, 1320.98),
    ]
    assert result.inertia == pytest.approx(4081.6, abs=0.05)


def test_more_starts_find_the_better_optimum(online_retail: pd.DataFrame) -> None:
    result = segmentation(online_retail, plan(), transform="none", clusters=4, n_init=10, seed=42)
    assert result.inertia == pytest.approx(4046.3, abs=0.05)
    assert sorted(np.bincount(result.labels)) == [6, 110, 1087, 3169]


def test_four_clouds_are_four_clusters() -> None:
    random = np.random.default_rng(7)
    centres = [(2, 40, 9000.0), (5, 2, 60.0), (200, 30, 4000.0), (300, 1, 30.0)]
    rows = [
        (round(r * days), max(1, round(f * orders)), m * worth)
        for r, f, m in centres
        for days, orders, worth in random.uniform(0.7, 1.3, (50, 3))
    ]
    result = automatic(shop(rows))
    assert result.k == 4
    assert result.curves is not None
    assert result.curves.k == [3, 4, 5, 6, 7, 8]
    assert all(4 in voted for voted in result.curves.votes.values()), "every criterion sees them"
    assert np.bincount(result.labels).tolist() == [50, 50, 50, 50]


@pytest.mark.parametrize(
    ("rows", "k"),
    [
        ([(3, 1, 10.0)], 1),
        ([(3, 1, 10.0)] * 50, 1),
        ([(3, 1, 10.0)] * 50 + [(40, 1, 10.0)], 2),
        ([(3, 1, -10.0), (3, 1, -20.0)], 1),
        ([(3, 1, 10.0), (9, 2, 20.0), (30, 3, 5.0)], 2),
        ([(3, 1, 10.0), (9, 2, 20.0), (30, 3, 5.0), (60, 1, 1.0)], 3),
    ],
)
@pytest.mark.parametrize("method", ["kmeans", "mixture"])
def test_small_and_even_shops_get_as_many_clusters_as_they_bear(
    rows: list[tuple[int, int, float]], k: int, method: Method
) -> None:
    result = automatic(shop(rows), method)
    assert result.k == k
    assert len(np.unique(result.labels)) == k
    assert result.reason


def test_more_clusters_than_histories_is_a_sentence() -> None:
    with pytest.raises(NotEnoughDataError, match=r"4 segments need at least 4 customers .* and 2 were found"):
        segmentation(shop([(3, 1, 10.0), (4, 1, 10.0)] * 9), plan(), transform="log", clusters=4, n_init=1, seed=1)


def test_the_same_seed_gives_the_same_clusters() -> None:
    random = np.random.default_rng(3)
    values = shop(
        list(zip(random.integers(0, 300, 900), random.integers(1, 20, 900), random.gamma(2, 200, 900), strict=True))
    )
    one, two = automatic(values), automatic(values)
    assert (one.labels == two.labels).all()
    assert one.curves == two.curves
