"""Facts about consent: who may not be contacted is on no list to contact people by, and it is told how many are not."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.engine import URL

from dashboard.downloads import LISTS, left_out_in_words
from dashboard.view import Views
from db import result_schema, run_checksums, runs, snapshot
from db.columns import Columns as C
from db.grid import GridRequest
from db.queries import customers
from settings import Consent, Settings
from tests.clients import operator
from tests.conftest import shop_made
from tests.offer_shop import AS_OF, OfferShop, made

SAID = {"0": {"consent": True}, "1": {"consent": False}, "2": {}, "3": {"consent": "no"}, "4": {"consent": None}}
"""By the last digit of an id, what is known of its customer; of others nothing."""
AGREED: dict[Consent, Any] = {
    "opt-out": lambda customer: customer[-1] not in "13",
    "opt-in": lambda customer: customer[-1] == "0",
}
QUERIES = ("?", "?country=France&", "?price=3..15&", "?price=19..20&", "?run=1&", "?segment=Nobody&")
Rows = list[dict[str, str]]


def client_of(settings: Settings) -> FlaskClient:
    client: FlaskClient = operator(settings)
    client.get("/_dash-layout")
    return client


def downloaded(client: FlaskClient, name: str, query: str, suffix: str = "csv") -> Rows:
    content = client.get(f"/download/{name}.{suffix}{query}").get_data()
    if suffix == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    head, *found = openpyxl.load_workbook(io.BytesIO(content))["List"].iter_rows(values_only=True)
    return [dict(zip(map(str, head), map(str, row), strict=True)) for row in found]


def queries_of(shop: OfferShop) -> list[str]:
    (product,) = shop.ask("SELECT product_id FROM product_audience GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    return [f"{query}about={product[0]}" for query in QUERIES]


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfferShop]:
    data_dir: Path = tmp_path_factory.mktemp("consent")
    with shop_made(server, data_dir, made) as found:
        frame = snapshot.open_newest(data_dir).frame("FROM customer_segment").drop(columns=C.RUN_ID)
        run = runs.open_run(found.engine, runs.SEGMENTS, AS_OF, {}, "x")
        runs.publish(found.engine, run, {result_schema.customer_segment: frame}, {})
        with found.engine.begin() as connection:  # one who refuses has no list anyway
            connection.execute(text("DELETE FROM recommendation WHERE customer_id = 'c11'"))
            (run,) = connection.execute(text("SELECT DISTINCT run_id FROM recommendation")).scalars()
            kept = {"kept": json.dumps(run_checksums.of_run(connection, run)), "run": run}
            connection.execute(text("UPDATE model_run SET checksums = CAST(:kept AS jsonb) WHERE run_id = :run"), kept)
        shutil.rmtree(data_dir / "snapshots")
        snapshot.refresh(found.engine, data_dir)
        yield found


@pytest.fixture(scope="module")
def before(shop: OfferShop) -> dict[tuple[str, str], Rows]:
    """Every list while nothing is known of anybody's consent; afterwards it is."""
    client = client_of(shop.settings)
    found = {(name, query): downloaded(client, name, query) for name in LISTS for query in queries_of(shop)}
    with shop.engine.begin() as connection:
        for digit, said in SAID.items():
            change = "UPDATE customer SET attributes = CAST(:said AS jsonb) WHERE customer_id LIKE :which"
            connection.execute(text(change), {"said": json.dumps(said), "which": f"%{digit}"})
    shutil.rmtree(shop.settings.data_dir / "snapshots")
    snapshot.refresh(shop.engine, shop.settings.data_dir)
    return found


@pytest.mark.parametrize("consent", get_args(Consent))
@pytest.mark.parametrize("name", LISTS)
def test_who_may_not_be_contacted_is_in_no_list(
    shop: OfferShop, before: dict[tuple[str, str], Rows], name: str, consent: Consent
) -> None:
    agreed = AGREED[consent]
    client = client_of(shop.settings.model_copy(update={"consent": consent}))
    seen = 0
    for query in queries_of(shop):
        rows = before[name, query]
        expected = [row for row in rows if C.CUSTOMER_ID not in row or agreed(row[C.CUSTOMER_ID])]
        missing = len({row[C.CUSTOMER_ID] for row in rows if C.CUSTOMER_ID in row and not agreed(row[C.CUSTOMER_ID])})
        announced = client.get(f"/download/{name}.csv{query}&ask=1").get_json()
        assert (announced["rows"], announced["left_out"]) == (len(expected), missing)
        reply = client.get(f"/download/{name}.csv{query}")
        found = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True))))
        reply.close()
        told = client.get(reply.headers["X-Spectrum-Manifest"]).get_json()
        assert (told["rows"], told["left_out_for_want_of_consent"]) == (len(expected), missing)
        without = [{key: value for key, value in row.items() if key != "consent"} for row in found]
        assert without == [{key: value for key, value in row.items() if key != "consent"} for row in expected]
        excel = downloaded(client, name, query, "xlsx")
        assert [row.get(C.CUSTOMER_ID) for row in excel] == [row.get(C.CUSTOMER_ID) for row in expected]
        other = next(column for column in LISTS[name].columns if column != C.CUSTOMER_ID)
        assert len(downloaded(client, name, f"{query}&columns={other}")) == len(expected)
        seen += missing
    assert bool(seen) == (C.CUSTOMER_ID in LISTS[name].columns)


def test_every_list_says_if_it_names_people() -> None:
    """A list that calls its customers otherwise would not be looked at above."""
    for name, listing in LISTS.items():
        assert not {column for column in listing.columns if "customer" in column} - {C.CUSTOMER_ID}, name
    assert {name for name, of in LISTS.items() if C.CUSTOMER_ID in of.columns} == {
        *("customers", "recommendations", "audience")
    }


def test_the_grid_shows_everybody_with_what_they_said(shop: OfferShop, before: dict[tuple[str, str], Rows]) -> None:
    view = Views(shop.settings).view("")
    frame, total = customers.page(view.snapshot, view.filters, GridRequest(rows=None))
    assert total == len(frame) == len(before["customers", queries_of(shop)[0]])
    words = {"0": "yes", "1": "no", "3": "no"}
    assert {row.customer_id: row.consent if isinstance(row.consent, str) else None for row in frame.itertuples()} == {
        customer: words.get(customer[-1]) for customer in frame[C.CUSTOMER_ID]
    }
    asked = {"filterModel": {"consent": {"type": "equals", "filter": "no"}}, "endRow": 1000}
    refused, _ = customers.page(view.snapshot, view.filters, GridRequest.parse(asked, customers.COLUMNS))
    assert set(refused[C.CUSTOMER_ID]) == {of for of in frame[C.CUSTOMER_ID] if of[-1] in "13"} != set()
    assert customers.one(view.snapshot, "c10")["consent"] == "yes"  # type: ignore[index]


def test_the_pages_say_whom_a_download_leaves_out(shop: OfferShop, before: dict[tuple[str, str], Rows]) -> None:
    assert before
    said = {
        consent: left_out_in_words(Views(shop.settings.model_copy(update={"consent": consent})).view(""))
        for consent in get_args(Consent)
    }
    assert said["opt-out"] == "Customers who said no to being contacted are not in the download."
    assert said["opt-in"] == "Only customers who agreed to be contacted are in the download."
