"""A request that fails is found in the log by what its answer says."""

import logging
import re

import pytest

from dashboard.pages import SLOTS
from dashboard.reference import name_in_log
from dashboard.view import View
from settings import Settings
from tests.clients import operator
from tests.integration.test_pages import slot


def test_every_answer_names_its_request_and_none_takes_a_name_from_outside(settings: Settings) -> None:
    client = operator(settings)
    seen = {client.get("/health/live", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] for _ in range(5)}
    assert len(seen) == 5
    assert all(re.fullmatch("[0-9a-f]{8}", reference) for reference in seen)


def test_a_part_that_fails_names_the_line_of_the_log(
    sample_shop: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: View) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dashboard.answers.SLOTS", {**SLOTS, "overview.kpis": broken})
    client = operator(sample_shop)
    client.get("/_dash-layout")
    name_in_log(caplog.handler)
    with caplog.at_level(logging.ERROR):
        answer = slot(client, "overview.kpis", "/", "")
    logged = next(record for record in caplog.records if "overview.kpis" in record.getMessage())
    assert str(vars(logged)["reference"]) in answer
    assert "Try again" in answer


def test_each_document_is_shown_and_an_odd_name_gives_the_list(settings: Settings) -> None:
    from dashboard.pages import guide

    assert "What counts" in str(guide.layout("value")) or "Markdown" in str(guide.layout("value"))
    for odd in ("../README", "nope", "", "value.md"):
        assert "/guide/value" in str(guide.layout(odd))
