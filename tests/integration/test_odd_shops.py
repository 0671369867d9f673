"""Shops in which there is little to tell: every part of every page says something, and none a number that is none."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from console import progress
from dashboard.pages import PAGES
from dashboard.shell import SHELL_SLOTS
from dashboard.view import Views
from db import schema, snapshot
from db.bulk import arrow_table, copy_in
from db.columns import Columns as C
from models.pipeline import Options, run
from settings import Settings
from tests.clients import operator
from tests.integration.test_pages import slot

START = datetime.fromisoformat("2017-01-01")

# (customer, day, amount) a line
SHOPS: dict[str, list[tuple[str | None, int, float]]] = {
    "one customer, one order": [("a", 3, 10.0)],
    "two customers": [("a", 3, 10.0), ("a", 40, 12.0), ("b", 300, 1.0)],
    "one order each": [(f"c{n}", n * 3, 10.0 + n) for n in range(80)],
    "all equal": [(f"c{n}", day, 10.0) for n in range(60) for day in (10, 100, 300)],
    "no spend": [(f"c{n}", day, 0.0) for n in range(60) for day in (n, n + 50, n + 280)],
    "negative totals": [(f"c{n}", day, amount) for n in range(60) for day, amount in ((n, 5.0), (n + 200, -30.0))],
    "a guest beside one customer": [(None, 1, 5.0), ("a", 2, 5.0), (None, 90, 5.0)],
}


@pytest.mark.parametrize("name", SHOPS)
def test_every_page_of_an_odd_shop(name: str, settings: Settings, engine: Engine) -> None:
    fill(engine, SHOPS[name])
    snapshot.refresh(engine, settings.data_dir)
    run(engine, settings, Options(), progress())
    client = operator(settings)
    client.get("/_dash-layout")
    for page in PAGES:
        path = f"{page.path}a" if page.path.endswith("/") and page.path != "/" else page.path
        for query in ("", "?by=rfm_group&p_alive=0..&bridge=kept"):
            for draw in page.pictures.values():
                draw(Views(settings).view(query))
            for part in [*page.slots, *SHELL_SLOTS]:
                answer = slot(client, part, path, query)
                assert "could not be shown" not in answer, (part, query)
                assert "NaN" not in answer, (part, query)
                assert "nan" not in answer.lower().replace("finan", ""), (part, query)
    listed = client.get("/download/customers.csv").get_data(as_text=True)
    assert listed.count("\n") == 1 + len({who for who, _, _ in SHOPS[name] if who})
    assert "nan" not in listed.lower()


def fill(engine: Engine, sold: list[tuple[str | None, int, float]]) -> None:
    """One product, one order a line; what is below zero is a return."""
    rows: list[dict[str, Any]] = [
        {
            C.LOAD_ID: 1,
            C.ROW_NUMBER: number,
            C.ORDER_ID: f"o{number}",
            C.CUSTOMER_ID: who,
            C.PRODUCT_ID: "p",
            C.ORDERED_AT: START + timedelta(days=day),
            C.QUANTITY: -1.0 if amount < 0 else 1.0,
            C.UNIT_PRICE: abs(amount),
            C.DISCOUNT: 0.0,
            C.AMOUNT: amount,
            C.IS_RETURN: amount < 0,
            C.COUNTRY: None,
        }
        for number, (who, day, amount) in enumerate(sold)
    ]
    with engine.begin() as connection:
        months = "{" + ",".join(sorted({f"{row[C.ORDERED_AT]:%Y-%m}" for row in rows})) + "}"
        load = "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', :months)"
        connection.execute(text(load), {"months": months})
        connection.execute(text("INSERT INTO product (product_id, name) VALUES ('p', 'Soap')"))
        who = "INSERT INTO customer (customer_id) SELECT unnest(CAST(:ids AS text[]))"
        connection.execute(text(who), {"ids": sorted({row[C.CUSTOMER_ID] for row in rows if row[C.CUSTOMER_ID]})})
        copy_in(
            connection, schema.transaction_line, arrow_table(schema.transaction_line, pd.DataFrame(rows)).to_batches()
        )
