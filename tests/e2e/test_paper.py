"""python -m dashboard report: a whole A4 PDF with its filters and its numbers, or a sentence and no file."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from dashboard import answers
from dashboard import format as fmt
from dashboard.__main__ import app
from dashboard.pages import SLOTS
from dashboard.view import Component, View
from db.engine import make_engine
from settings import Settings
from tests.conftest import lacking
from tests.pdf_text import sheets

QUERY = "?department=Grocery&from=2017-06-01&to=2017-08-31"


@pytest.fixture
def chromium() -> None:
    """These tests need a browser to print with."""
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")):
        lacking("There is no chromium here; install it (`apt-get install chromium`) or name it with CHROMIUM.")


def report(shop: Settings, out: Path, *options: str, **environment: str) -> Result:
    assert shop.database_url is not None
    place = {"DATABASE_URL": shop.database_url.get_secret_value(), "SPECTRUM_DATA_DIR": str(shop.data_dir)}
    return CliRunner().invoke(app, ["report", "--out", str(out), *options], env=place | environment)


def test_the_report_is_a4_and_has_its_filters_and_its_numbers(
    chromium: None, sample_shop: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "report.pdf"
    result = report(sample_shop, out, "--query", QUERY)
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"], "nothing is left beside it"
    pages = sheets(out.read_bytes())
    assert {(round(page.width), round(page.height)) for page in pages} == {(595, 842)}
    printed = " ".join("\n".join(page.text for page in pages).split())
    for words in ("1 Jun – 31 Aug 2017 (92 days)", "1 Mar – 31 May 2017", "Department: Grocery", "Data to 1 Jan 2018"):
        assert words in printed, words
    engine = make_engine(sample_shop)
    revenue, orders, customers = numbers(engine)
    engine.dispose()
    for said in (fmt.short_money(revenue, "$"), fmt.number(orders), fmt.number(customers)):
        assert said in printed, said
    for control in ("Show as table", "Copy link", "Reset", "Last 13 weeks"):
        assert control not in printed, control
    assert "could not be shown" not in printed
    assert f"page {len(pages)} of {len(pages)}" in printed
    assert b"127.0.0.1" not in out.read_bytes(), "no link to the server that is gone"


def numbers(engine: Engine) -> tuple[float, int, int]:
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT sum(amount)::float8, count(DISTINCT order_id) FILTER (WHERE NOT is_return), "
                "count(DISTINCT customer_id) FILTER (WHERE NOT is_return) FROM transaction_line "
                "JOIN product USING (product_id) WHERE department = 'Grocery' "
                "AND ordered_at >= '2017-06-01' AND ordered_at < '2017-09-01'"
            )
        ).one()
    return row[0], row[1], row[2]


def test_what_matches_nothing_is_no_report(chromium: None, sample_shop: Settings, tmp_path: Path) -> None:
    result = report(sample_shop, tmp_path / "r.pdf", "--query", "?segment=No+such")
    assert result.exit_code == 2
    assert "There is nothing to report: No orders in this view" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_is_no_report_and_the_one_before_stays(
    chromium: None, sample_shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: View) -> Component:
        raise ZeroDivisionError

    monkeypatch.setattr(answers, "SLOTS", {**SLOTS, "overview.where": fails})
    (tmp_path / "r.pdf").write_text("of last week")
    result = report(sample_shop, tmp_path / "r.pdf")
    assert result.exit_code == 2
    assert "A part of the page failed" in result.output
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.pdf", "of last week")]


@pytest.mark.parametrize(
    ("options", "browser", "words"),
    [
        ((), "/no/such/chromium", "/no/such/chromium cannot be run"),
        ((), "/bin/true", "The browser ended before the report was printed"),
        (("--query", "?from=nonsense&department=Grocery"), "/bin/true", "not understood (from)"),
        (("--query", "nonsense"), "/bin/true", "not understood (nonsense)"),
        (("--query", "?utm_source=x"), "/bin/true", "not understood (utm_source)"),
        (("--page", "/no/such"), "/bin/true", "There is no page /no/such"),
        (("--page", "/data"), "/bin/true", "There is no page /data"),
        (("--page", "//elsewhere.example/"), "/bin/true", "There is no page"),
        (("--out", "/no/such/folder/r.pdf"), "/bin/true", "/no/such/folder/r.pdf is no file"),
    ],
)
def test_what_cannot_be_printed_is_one_sentence(
    sample_shop: Settings, tmp_path: Path, options: tuple[str, ...], browser: str, words: str
) -> None:
    result = report(sample_shop, tmp_path / "r.pdf", *options, SPECTRUM_CHROMIUM=browser)
    assert result.exit_code == 2
    assert words in result.output
    assert result.output.count("\n") == 1, "one line"
    assert list(tmp_path.iterdir()) == []


def test_without_any_browser_it_says_how_to_get_one(
    sample_shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    result = report(sample_shop, tmp_path / "r.pdf", CHROMIUM="")
    assert result.exit_code == 2
    assert "apt-get install chromium" in result.output
    assert list(tmp_path.iterdir()) == []
