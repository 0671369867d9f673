"""Baskets as they are read from what was loaded, and pairs as they are written."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from db import result_schema, snapshot
from db.bulk import arrow_table
from db.columns import Columns as C
from db.queries import features
from etl.load import load
from etl.readers import open_source
from models.baskets import product_pairs, together
from settings import Settings

HEADER = "order_id,customer_id,product_id,product_name,ordered_at,quantity,unit_price\n"
LINES = """\
1,ann,A,Tea,2024-01-01 10:00:00,1,2
1,ann,B,Mug,2024-01-01 10:00:00,2,3
1,ann,B,Mug,2024-01-01 10:00:01,1,3
1,ann,POST,POSTAGE,2024-01-01 10:00:00,1,3
2,,A,Tea,2024-01-02 10:00:00,1,2
2,,C,Gift,2024-01-02 10:00:00,1,0
3,bob,A,Tea,2024-01-03 10:00:00,-1,2
4,bob,B,Mug,2024-03-01 10:00:00,1,3
"""


def test_baskets_are_all_that_was_bought_together(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    """Guests' orders too; no service, no return, nothing given away, nothing later, each product once an order."""
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + LINES)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    baskets = features.baskets(shop, datetime.fromisoformat("2024-02-01"))
    assert baskets.astype(str).to_numpy().tolist() == [["1", "A"], ["1", "B"], ["2", "A"]]
    found = together(baskets, features.products(shop, datetime.fromisoformat("2024-02-01")), 1)
    assert found.baskets == 2
    assert found.rules.empty  # Mug comes with tea as often as tea comes


def test_a_pair_without_a_rule_is_null_in_the_record() -> None:
    baskets = pd.DataFrame({C.ORDER_ID: ["1", "1", "2"], C.PRODUCT_ID: ["A", "B", "C"]}).astype("category")
    alike = pd.DataFrame({C.PRODUCT_ID: ["A"], C.OTHER_PRODUCT_ID: ["C"], C.SIMILARITY: [0.5]})
    rules = together(baskets, pd.DataFrame({C.PRODUCT_ID: [], C.NAME: []}), 1).rules
    table = arrow_table(result_schema.product_pair, product_pairs(rules, alike).assign(**{C.RUN_ID: 1}))
    assert table.column(C.BASKETS).to_pylist() == [1, None, 1]
    assert table.column(C.LIFT).to_pylist() == [2.0, None, 2.0]
    assert table.column(C.SIMILARITY).to_pylist() == [None, 0.5, None]
