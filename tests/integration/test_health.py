"""What monitors are told: whether the dashboard is ready, its metrics, its log, and the name of a database session."""

import json
import logging

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from dashboard.app import create_app
from dashboard.logs import Json, Plain
from db.serving import REQUEST, Database
from permissions import Role
from settings import Settings
from tests.clients import operator, signed_in

TOKEN = "a token of monitors"


def test_ready_tells_of_the_database_the_snapshot_and_the_runs(sample_shop: Settings) -> None:
    reply = create_app(sample_shop).server.test_client().get("/health/ready")
    told = reply.get_json()
    assert reply.status_code == 200
    assert told["ready"] is True
    assert told["database"]["ok"]
    assert set(told["run"]["published"]) == {"segments", "recommendations"}
    assert told["snapshot"]["data_to"] == "2018-01-01"
    assert told["snapshot"]["age_hours"] > 24 * 365 * 8


def test_not_ready_is_said_of_what_fails_and_no_host_is_named(settings: Settings, sample_shop: Settings) -> None:
    fresh = create_app(settings).server.test_client().get("/health/ready")
    assert (fresh.status_code, fresh.get_json()["snapshot"]) == (503, {"ok": False, "why": "SnapshotError"})
    away = sample_shop.model_copy(update={"database_url": SecretStr("postgresql://u@127.0.0.1:1/x")})
    reply = create_app(away).server.test_client().get("/health/ready")
    told = reply.get_json()
    assert (reply.status_code, told["database"]["ok"], told["snapshot"]["ok"]) == (503, False, True)
    assert "127.0.0.1" not in reply.text


def test_a_schema_of_another_version_is_not_ready(settings: Settings, engine: Engine) -> None:
    client = create_app(settings).server.test_client()
    assert client.get("/health/ready").get_json()["database"]["ok"]
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not client.get("/health/ready").get_json()["database"]["ok"]


def test_metrics_are_for_who_has_the_token(sample_shop: Settings) -> None:
    app = create_app(sample_shop.model_copy(update={"metrics_token": SecretStr(TOKEN)}))
    client = app.server.test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 404
    client.get("/no/such/page")
    lines = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text.splitlines()
    values = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}
    assert values['spectrum_requests_total{route="/<path:path>",status="303"}'] == 1
    assert values["spectrum_database_up"] == 1
    assert values['spectrum_published_run{kind="segments"}'] >= 1
    assert values["spectrum_data_age_seconds"] > 0
    assert create_app(sample_shop).server.test_client().get("/metrics").status_code == 404


def test_the_reference_of_a_request_names_the_session_of_the_database(settings: Settings) -> None:
    REQUEST.set("deadbeef")

    def question(engine: Engine) -> str:
        with engine.begin() as connection:
            return str(connection.scalar(text("SELECT current_setting('application_name')")))

    assert Database(settings).ask(question) == "shopper-spectrum deadbeef"


def test_a_line_of_the_log_is_an_object_with_the_request_and_without_what_the_address_holds(
    settings: Settings, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings)
    with caplog.at_level(logging.INFO, logger="spectrum.access"):
        client = signed_in(app.server, engine, Role.EXECUTIVE)
        client.get("/segments?q=secret")
    lines = [json.loads(Json().format(record)) for record in caplog.records if record.name == "spectrum.access"]
    assert {line["route"] for line in lines} >= {"/sign-in/link/<token>", "/<path:path>"}
    assert all(line["milliseconds"] >= 0 and len(line["message"].split()[-1]) == 8 for line in lines)
    assert lines[-1]["user"].startswith("executive-")
    assert "secret" not in json.dumps(lines)


def test_what_fails_in_the_database_is_logged_without_its_values(engine: Engine) -> None:
    someone = "anna@example.com"
    for form in (Plain(), Json()):
        for sql in ("SELECT * FROM nothing WHERE id = :id", "INSERT INTO customer (customer_id) VALUES (:id), (:id)"):
            with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
                connection.execute(text(sql), {"id": someone})
            told = (type(caught.value), caught.value, caught.tb)
            written = form.format(logging.LogRecord("x", logging.ERROR, "x", 1, "It failed.", (), told))
            assert "values left out" in written
            assert someone not in written


def test_an_operator_has_the_pages_of_monitors_too(settings: Settings) -> None:
    assert operator(settings).get("/health/live").text == "ok\n"
