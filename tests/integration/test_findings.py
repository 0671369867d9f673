"""Facts about findings: returns undo what was bought before; slips of the hand and strange units are found."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from db import loads, snapshot
from etl.load import load
from etl.readers import open_source
from settings import Settings

Shop = tuple[Engine, Settings]


@pytest.fixture
def shop(engine: Engine, settings: Settings) -> Shop:
    return engine, settings


def put(engine: Engine, path: Path, lines: pd.DataFrame) -> int:
    lines.to_csv(path, index=False)
    return load(engine, open_source(str(path)), keep_duplicates=True).load.load_id


def sales(*lines: tuple[str, str, str, int]) -> pd.DataFrame:
    """Lines of (order, day, product, pieces) of one customer at 2.00 a piece."""
    frame = pd.DataFrame(lines, columns=["order_id", "ordered_at", "product_id", "quantity"])
    return frame.assign(customer_id="ann", unit_price=2.0)


def asked(shop: Shop, query: str) -> list[dict[Hashable, Any]]:
    """The rows of a query on a snapshot of the shop as it is now."""
    engine, settings = shop
    snapshot.refresh(engine, settings.data_dir)
    return snapshot.open_newest(settings.data_dir).frame(query).to_dict("records")


def found(shop: Shop, rule: str) -> list[tuple[object, ...]]:
    query = f"""
        SELECT line.order_id AS one, other.order_id AS other FROM line_flag AS flag
        JOIN transaction_line AS line USING (load_id, row_number)
        LEFT JOIN transaction_line AS other ON other.load_id = other_load_id AND other.row_number = other_row_number
        WHERE rule = '{rule}' ORDER BY 1, 2
        """
    return [(row["one"], None if row["other"] is pd.NA else row["other"]) for row in asked(shop, query)]


PURCHASES = sales(
    ("1", "2024-01-01", "A", 6), ("2", "2024-01-02", "A", 2), ("3", "2024-01-03", "A", 9), ("4", "2024-01-03", "B", 2)
)
RETURNS = sales(
    ("r1", "2024-01-04", "A", -2),  # the same quantity first
    ("r2", "2024-01-05", "A", -2),  # of 2 nothing is left: the latest that is large enough
    ("r3", "2024-01-06", "A", -8),  # 9 has 7 left, 6 is too few
    ("r4", "2024-01-02", "B", -1),  # was bought later
)
MATCHES = [("r1", "2"), ("r2", "3")]


@pytest.mark.parametrize("parts", [[[0, 1]], [[0], [1]], [[1], [0]]], ids=["at once", "in order", "returns first"])
def test_a_return_undoes_the_latest_purchase_that_is_large_enough(
    shop: Shop, tmp_path: Path, parts: list[list[int]]
) -> None:
    for number, part in enumerate(parts):
        put(shop[0], tmp_path / f"{number}.csv", pd.concat([(PURCHASES, RETURNS)[which] for which in part]))
    assert found(shop, "returned") == MATCHES


def test_without_the_purchases_their_returns_match_others(shop: Shop, tmp_path: Path) -> None:
    first = put(shop[0], tmp_path / "1.csv", PURCHASES.iloc[[1]])
    put(shop[0], tmp_path / "2.csv", pd.concat([PURCHASES, RETURNS]))
    third = put(shop[0], tmp_path / "3.csv", PURCHASES.iloc[:1])
    for gone in (third, first):
        loads.undo(shop[0], gone)
        assert found(shop, "returned") == MATCHES
    loads.undo(shop[0], 2)
    assert asked(shop, "SELECT * FROM line_flag") == []


def test_far_more_pieces_or_a_far_higher_price_than_usual_is_found(shop: Shop, tmp_path: Path) -> None:
    usual = pd.concat([sales(*((f"{n}", "2024-01-01", "A", 1 + n % 3) for n in range(30)))])
    odd = pd.concat(
        [sales(("many", "2024-01-02", "A", 1000)), sales(("dear", "2024-01-02", "A", 1)).assign(unit_price=99)]
    )
    put(shop[0], tmp_path / "1.csv", pd.concat([usual, odd]))
    assert found(shop, "extreme_quantity") == [("many", None)]
    assert found(shop, "extreme_price") == [("dear", None)]
    few = sales(*((f"{n}", "2024-01-01", "B", 1) for n in range(3)), ("few", "2024-01-02", "B", 5000))
    put(shop[0], tmp_path / "2.csv", few)
    assert found(shop, "extreme_quantity") == [("many", None)]


def test_online_retails_slips_of_the_hand_are_found_and_stay(shop: Shop, retail_path: Path) -> None:
    load(shop[0], open_source(str(retail_path)), keep_duplicates=True)
    undone = found(shop, "undone")
    assert {("541431", "C541433"), ("581483", "C581484")} <= set(undone)
    assert len(undone) < 10
    assert 20 < len(found(shop, "extreme_quantity")) + len(found(shop, "extreme_price")) < 100
    assert found(shop, "small_unit") == []
    matched = """
        SELECT min(bought.quantity) AS pieces, sum(-back.quantity) AS undone, bool_and(
            back.is_return AND NOT bought.is_return AND bought.ordered_at <= back.ordered_at
            AND (back.customer_id, back.product_id) = (bought.customer_id, bought.product_id)
        ) AS alike
        FROM line_flag
        JOIN transaction_line AS back USING (load_id, row_number)
        JOIN transaction_line AS bought ON (bought.load_id, bought.row_number) = (other_load_id, other_row_number)
        WHERE rule = 'returned' GROUP BY other_load_id, other_row_number
        """
    purchases = asked(shop, matched)
    assert len(purchases) > 5_000
    assert all(row["pieces"] >= row["undone"] and row["alike"] for row in purchases)


def test_the_samples_fuel_is_sold_by_small_units(shop: Shop) -> None:
    load(shop[0], open_source("sample", households=60))
    query = """
        SELECT department, sum(lines) FROM product JOIN (
            SELECT product_id, count(*) AS lines FROM line_flag JOIN transaction_line USING (load_id, row_number)
            WHERE rule = 'small_unit' GROUP BY 1
        ) AS found USING (product_id) GROUP BY 1 ORDER BY 2 DESC
        """
    assert asked(shop, query)[0]["department"] == "Fuel"
