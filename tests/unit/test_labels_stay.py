"""Labels that stay: the same data, permuted starts, the last six months of Online Retail, and customers at rest."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import ConfigurationError
from models.configuration import Clusters, Method
from models.points import Floats
from models.segments import ClusterYardstick, Segmentation, earlier, segmentation

RFM = (C.RECENCY, C.FREQUENCY, C.MONETARY)
MORE = (*RFM, C.AVERAGE_ORDER, C.GAP, C.TENURE)
METHODS: tuple[Method, ...] = ("kmeans", "mixture")
MONTHS = [pd.Timestamp(2011, month, 1) for month in range(7, 13)]


def parted(
    features: pd.DataFrame,
    before: ClusterYardstick | None = None,
    method: Method = "kmeans",
    names: tuple[str, ...] = RFM,
    clusters: int | None = None,
    seed: int = 42,
) -> Segmentation:
    plan = Clusters(method=method, features=names, winsorise=0.005)
    return segmentation(
        features, plan, transform="log", clusters=clusters, n_init=3, seed=seed, before=before, compare=False
    )


def known(purchases: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """What was known of each customer at a moment, from lines of purchases."""
    lines = purchases[purchases["at"] < moment]
    grouped = lines.groupby("customer")
    orders, first, last = grouped["order"].nunique(), grouped["at"].min(), grouped["at"].max()
    total, span = grouped["amount"].sum(), (last - first).dt.total_seconds() / 86_400
    return pd.DataFrame(
        {
            C.RECENCY: (moment - last).dt.days,
            C.FREQUENCY: orders,
            C.MONETARY: total,
            C.AVERAGE_ORDER: total / orders,
            C.GAP: (span / (orders - 1)).where(orders > 1),
            C.TENURE: (moment - first).dt.days,
        }
    )


@pytest.fixture(scope="module")
def months(retail_path: Path) -> list[pd.DataFrame]:
    """What was known of Online Retail's customers as of the first of each of its last six months."""
    lines = pd.read_parquet(retail_path).dropna(subset="CustomerID")
    lines = lines[lines["Quantity"] > 0]
    amount = lines["Quantity"] * lines["UnitPrice"]
    purchases = pd.DataFrame(
        {"customer": lines["CustomerID"].astype(int), "order": lines["InvoiceNo"], "at": lines["InvoiceDate"]}
    ).assign(amount=amount)
    return [known(purchases, moment) for moment in MONTHS]


def on_one_scale(before: ClusterYardstick, now: ClusterYardstick) -> tuple[Floats, Floats]:
    """The centres of both in the standard deviations of the later one."""
    return now.scale.standardised(before.scale.restored(before.fitted.centres)), now.fitted.centres


@pytest.mark.parametrize("names", [RFM, MORE], ids=["three features", "six features"])
@pytest.mark.parametrize("method", METHODS)
def test_month_by_month_no_number_passes_from_one_centre_to_another(
    months: list[pd.DataFrame], method: Method, names: tuple[str, ...]
) -> None:
    """As many clusters each time: each that keeps its number is nearest to its own predecessor."""
    runs: list[Segmentation] = []
    for features in months:
        before = runs[-1].yardstick if runs else None
        runs.append(parted(features, before, method, names, clusters=5))
    for before, now in pairwise(run.yardstick for run in runs):
        old, centres = on_one_scale(before, now)
        for number, centre in zip(now.numbers, centres, strict=True):
            nearest = before.numbers[int(np.linalg.norm(old - centre, axis=1).argmin())]
            assert number == nearest or number > before.used
    if method == "kmeans" and names == RFM:
        assert all(set(run.yardstick.numbers) == {0, 1, 2, 3, 4} for run in runs), "all stay"
        assert all(run.new == () for run in runs)


def test_left_alone_the_number_of_clusters_holds(months: list[pd.DataFrame]) -> None:
    before, found = None, []
    for features in months[-3:]:
        run = parted(features, before)
        before = run.yardstick
        found.append(run.yardstick.numbers)
    assert {tuple(sorted(numbers)) for numbers in found} == {(0, 1, 2, 3)}


@pytest.mark.parametrize("method", METHODS)
def test_the_same_customers_again_are_parted_the_same(months: list[pd.DataFrame], method: Method) -> None:
    k = None if method == "kmeans" else 4
    first = parted(months[-1], method=method, clusters=k)
    stored = ClusterYardstick.from_json(json.loads(json.dumps(first.yardstick.as_json())))
    again = parted(months[-1], stored, method, clusters=k)
    assert (again.labels == first.labels).all()
    assert again.yardstick.as_json() == first.yardstick.as_json()
    assert (again.k, again.reason, again.curves, again.new) == (first.k, first.reason, first.curves, ())


@settings(max_examples=6)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from([-5.0, 0.0, 3.0])), min_size=4, max_size=30
    ),
    st.sampled_from(METHODS),
)
def test_any_small_shop_again_is_parted_the_same(rows: list[tuple[int, int, float]], method: Method) -> None:
    """Also where a component of a mixture has no members, and a third run follows."""
    shop = pd.DataFrame(rows, columns=list(RFM))
    first = parted(shop, method=method)
    assert first.k == len(set(first.labels.tolist())) == len(first.yardstick.numbers)
    second = parted(shop, first.yardstick, method)
    third = parted(shop, second.yardstick, method)
    for again in (second, third):
        assert (again.labels == first.labels).all()
        assert (again.reason, again.new) == (first.reason, ())


@pytest.mark.parametrize("method", METHODS)
def test_permuted_centres_swap_no_label(months: list[pd.DataFrame], method: Method) -> None:
    """The run before with its centres in any order, and fresh starts by any seed, give every customer the same."""
    before = parted(months[-2], method=method, clusters=4).yardstick
    first = parted(months[-1], before, method, clusters=4)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        permuted = replace(
            before, fitted=before.fitted.some(np.array(order)), numbers=tuple(before.numbers[at] for at in order)
        )
        again = parted(months[-1], permuted, method, clusters=4, seed=order[0])
        assert (again.labels == first.labels).mean() > 0.999
        assert again.yardstick.numbers == first.yardstick.numbers


@pytest.mark.parametrize("method", METHODS)
def test_who_did_not_change_moves_only_with_the_yardstick(months: list[pd.DataFrame], method: Method) -> None:
    """One yardstick gives equal customers equal labels, whoever else is there; two may differ."""
    before, now = (parted(features, method=method, clusters=4).yardstick for features in months[-2:])
    at_rest = months[-1].loc[months[-2].index].sample(500, random_state=1)
    alone = pd.concat([at_rest, months[0]])
    for yardstick in (before, now):
        assert (yardstick.labels(alone)[: len(at_rest)] == yardstick.labels(at_rest)).all()


def test_a_truly_new_cluster_has_a_number_never_used(months: list[pd.DataFrame]) -> None:
    """A thousand wholesalers appear: one cluster is theirs and new; no old number is theirs, nor ever given again."""
    before = parted(months[-2], clusters=4).yardstick
    random = np.random.default_rng(5)
    wholesalers = pd.DataFrame(
        {
            C.RECENCY: random.integers(0, 3, 1_000),
            C.FREQUENCY: random.integers(300, 900, 1_000),
            C.MONETARY: random.uniform(4e5, 9e5, 1_000),
        }
    )
    now = parted(pd.concat([months[-1], wholesalers], ignore_index=True), before, clusters=5)
    theirs = set(now.labels[-1_000:].tolist())
    assert theirs == {4}
    assert now.new == (4,)
    gone = parted(months[-1], now.yardstick, clusters=4)
    assert gone.yardstick.used == 4
    assert 4 not in gone.yardstick.numbers
    back = parted(pd.concat([months[-1], wholesalers]), gone.yardstick, clusters=5)
    assert min(back.labels[-1_000:]) > 4, "what is gone and comes back is new"


def test_other_features_are_not_matched(months: list[pd.DataFrame]) -> None:
    before = parted(months[-2], clusters=4).yardstick
    now = parted(months[-1], before, names=(*RFM, C.AVERAGE_ORDER), clusters=4)
    assert now.yardstick.numbers == now.new == (4, 5, 6, 7)
    assert now.reason.endswith("All are new: the run before had other features, another transform or another method.")


@pytest.mark.parametrize("method", METHODS)
def test_the_past_has_the_numbers_of_the_present(months: list[pd.DataFrame], method: Method) -> None:
    present = parted(months[-1], method=method, clusters=4).yardstick
    past = earlier(present, months[-2], seed=42)
    assert past.numbers == present.numbers
    old, centres = on_one_scale(present, past)
    assert np.sqrt(((old - centres) ** 2).mean(axis=1)).max() < 0.5
    assert earlier(present, months[-2].iloc[:0], seed=42) is present
    assert len(set(earlier(present, months[-2].iloc[:1], seed=42).labels(months[-1]))) == 1


def test_features_the_data_do_not_have_are_left_out_or_said(months: list[pd.DataFrame]) -> None:
    run = parted(months[-1], names=(*RFM, C.DISCOUNT_SHARE), clusters=4)
    assert run.yardstick.scale.features == RFM
    assert run.reason.endswith("Without discount_share, which the data do not have.")
    with pytest.raises(ConfigurationError, match="by discount_share, which these data do not have"):
        parted(months[-1], names=(C.DISCOUNT_SHARE,))
