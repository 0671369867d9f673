"""The Data page without a browser: files come in within limits, jobs run apart, accounts are those of the command."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Engine

from dashboard import ids, jobs, uploads
from dashboard.callbacks.data import corrected
from dashboard.jobs import Upload
from dashboard.record import Record
from db import accounts
from db.serving import Database
from errors import DatabaseError, InputError
from settings import Settings
from tests.clients import operator

ROOT = Path(__file__).parents[2]
SHOPIFY = (ROOT / "tests" / "data" / "shapes" / "shopify.csv").read_bytes()
OURS = {"X-File-Name": "orders.csv"}


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    client: FlaskClient = operator(settings)
    client.get("/_dash-layout")
    return client


def body(client: FlaskClient, search: str) -> str:
    """What the page shows at an address."""
    inputs: list[tuple[str, str, Any]] = [
        (ids.URL, "search", search),
        (ids.THEME, "data", None),
        (ids.DATA_NEXT, "data", None),
    ]
    inputs.append((ids.DATA_POLL, "n_intervals", 0))
    reply = client.post(
        "/_dash-update-component",
        json={
            "output": "..data-body.children...data-poll.disabled..",
            "outputs": [{"id": ids.DATA_BODY, "property": "children"}, {"id": ids.DATA_POLL, "property": "disabled"}],
            "inputs": [{"id": id_, "property": name, "value": value} for id_, name, value in inputs],
            "state": [],
            "changedPropIds": [],
        },
    )
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return json.dumps(reply.get_json(), ensure_ascii=False)


def sent(client: FlaskClient, settings: Settings, content: bytes, name: str = "orders.csv") -> Upload:
    reply = client.post("/upload", data=content, headers={**OURS, "X-File-Name": name})
    assert reply.status_code == 200, reply.get_json()
    return Upload(settings, reply.get_json()["upload"])


def done(upload: Upload) -> jobs.Progress:
    for _ in range(600):
        if not (progress := upload.progress()).running:
            return progress
        time.sleep(0.1)
    pytest.fail("The load did not end within a minute.")


def test_a_file_comes_in_is_understood_loaded_mended_and_loaded_again(
    client: FlaskClient, settings: Settings, engine: Engine
) -> None:
    upload = sent(client, settings, SHOPIFY)
    page = body(client, f"?upload={upload.token}")
    assert "the export of Shopify" in page
    assert "Lineitem sku" in page
    assert accounts.all_loads(engine) == []
    upload.start()
    assert done(upload).load == 1
    page = body(client, f"?upload={upload.token}")
    assert "14 of 19 rows accepted" in page
    assert not (upload.folder / "file").exists()

    reply = client.get("/download/rejected/1.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="rejected-1.csv"'
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True))))
    given = list(csv.DictReader(io.StringIO(SHOPIFY.decode())))
    assert len(rows) == 5
    for row in rows:
        source = given[int(row["row_number"]) - 1]
        assert {name: row[name] for name in source if source[name]} == {n: v for n, v in source.items() if v}
    mended = io.StringIO()
    writer = csv.DictWriter(mended, list(rows[0]))
    writer.writeheader()
    writer.writerows([{**row, "Financial Status": "paid"} for row in rows])
    again = sent(client, settings, mended.getvalue().encode(), "mended.csv")
    again.start()
    assert done(again).load == 2
    assert accounts.report(engine, 2).load.rows_accepted == 5
    assert b"[columns]" in client.get("/download/rejected/1.toml").get_data()


def test_the_page_and_the_command_tell_the_same_account(client: FlaskClient, settings: Settings) -> None:
    upload = sent(client, settings, SHOPIFY)
    upload.start()
    assert done(upload).load == 1
    page = body(client, "?load=1")
    command = [sys.executable, "-m", "etl", "report", "1"]
    told = subprocess.run(command, cwd=ROOT, env=settings.environment(), capture_output=True, text=True, check=True)
    figures = {word for line in told.stdout.splitlines() for word in line.split() if word.count(".") == 1}
    amounts = {word for word in figures if word.replace(",", "").replace(".", "").isdigit()}
    assert len(amounts) >= 5
    for amount in amounts:
        assert f'"{amount}"' in page, amount
    assert sum((Decimal(a.replace(",", "")) for a in ("1,315.30", "39.00", "13.50", "6,131.05")), Decimal()) == Decimal(
        "7498.85"
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-CSRFToken": ""}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-File-Name": "run.exe"}, 400),
        ({"X-File-Name": ""}, 400),
    ],
)
def test_what_does_not_come_from_the_page_is_refused(
    client: FlaskClient, settings: Settings, headers: dict[str, str], status: int
) -> None:
    reply = client.post("/upload", data=b"a,b\n", headers={**OURS, **headers})
    assert reply.status_code == status
    assert jobs.uploads(settings) == []


def test_a_file_above_the_limit_is_refused_while_it_comes(client: FlaskClient, settings: Settings) -> None:
    small = settings.model_copy(update={"upload_mb": 1})
    client = operator(small)
    reply = client.post("/upload", data=b"x" * 1_200_000, headers=OURS)
    assert "1 MB" in reply.get_json()["error"]
    unsaid = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    reply = client.post("/upload", input_stream=io.BytesIO(b"x" * 1_200_000), headers=OURS, environ_overrides=unsaid)
    assert "1 MB" in reply.get_json()["error"]
    assert jobs.uploads(settings) == []
    assert client.post("/_dash-update-component", data=b"x" * 1_200_000).status_code in (400, 413)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\a.csv", "a.csv"),
        ("--query.csv", "query.csv"),
        ("a\r\nX: y.csv", "a__X_ y.csv"),
        ("<script>.csv", "_script_.csv"),
        ("*.csv", "_.csv"),
        ("Ü" * 300 + ".csv", "Ü" * 96 + ".csv"),
    ],
)
def test_a_hostile_name_is_made_harmless(name: str, kept: str) -> None:
    assert uploads.safe_name(name) == kept


@pytest.mark.parametrize("token", ["", "../../pg", "a" * 32, "A" * 31, "%2e%2e", "." * 32, "a" * 31 + "\n"])
def test_no_token_but_a_given_one_opens_anything(client: FlaskClient, settings: Settings, token: str) -> None:
    with pytest.raises(InputError):
        Upload(settings, token)
    page = body(client, f"?upload={token}")
    assert "not here any more" in page or "Nothing is loaded yet" in page


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "1;DROP TABLE load", "0", "²"])
def test_no_number_but_a_load_s_shows_an_account(client: FlaskClient, number: str) -> None:
    assert "There is no" in body(client, f"?load={number}")
    assert "Content-Disposition" not in client.get(f"/download/rejected/{number}.csv").headers


def test_a_file_that_is_none_says_so_and_formulas_stay_text(client: FlaskClient, settings: Settings) -> None:
    upload = sent(client, settings, b"\x00\x01\x02" * 100, "broken.xlsx")
    assert "cannot be read" in body(client, f"?upload={upload.token}")
    evil = b"order_id,product_id,ordered_at,quantity,unit_price\n=1+1,<script>alert(1)</script>,2020-01-01,1,2\n"
    upload = sent(client, settings, evil)
    assert '"<script>alert(1)</script>"' in body(client, f"?upload={upload.token}")


def test_a_cancelled_load_leaves_nothing(client: FlaskClient, settings: Settings, engine: Engine) -> None:
    head = "order_id,product_id,ordered_at,quantity,unit_price\n"
    rows = "".join(f"{n},p{n % 50},2020-01-{n % 28 + 1:02},1,2.50\n" for n in range(200_000))
    upload = sent(client, settings, (head + rows).encode())
    upload.start()
    with pytest.raises(InputError, match="Another load is running"):
        sent(client, settings, SHOPIFY).start()
    upload.cancel()
    assert "cancelled" in (done(upload).error or "")
    assert accounts.all_loads(engine) == []
    assert upload.inspection()["missing"] == []


def test_what_is_a_day_old_goes_and_there_is_an_end_to_waiting_files(client: FlaskClient, settings: Settings) -> None:
    old = sent(client, settings, SHOPIFY)
    os.utime(old.folder, (1, 1))
    kept = [sent(client, settings, SHOPIFY).token for _ in range(20)]
    assert not old.folder.exists()
    assert "waiting" in client.post("/upload", data=SHOPIFY, headers=OURS).get_json()["error"]
    assert {upload.token for upload in jobs.uploads(settings)} == set(kept)


def test_a_corrected_mapping_holds_only_what_the_controls_offer(client: FlaskClient, settings: Settings) -> None:
    told = sent(client, settings, SHOPIFY).inspection()
    columns = {**told["mapping"]["columns"], "customer_id": "Billing Name", "brand": "no such", "no_such": "Email"}
    how: dict[str, Any] = {"day_first": "true", "decimals": ",", "header_line": "x"}
    mapping = corrected(told, columns, how)
    assert mapping["columns"]["customer_id"] == "Billing Name"
    assert {"brand", "no_such"}.isdisjoint(mapping["columns"])
    assert mapping["day_first"] is True
    assert mapping["decimals"] == {"discount": ",", "quantity": ",", "unit_price": ","}
    assert mapping["file"]["header_line"] == 1


def test_the_page_says_when_postgres_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": SecretStr("postgresql://u@127.0.0.1:1/x")})
    with pytest.raises(DatabaseError):
        Record(Database(away)).loads()
    client = operator(away)
    client.get("/_dash-layout")
    assert "cannot be reached" in body(client, "")
