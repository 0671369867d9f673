"""The analyst's way, in a real browser: drop a file, correct its mapping, load it, mend what is rejected."""

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from settings import Settings
from tests.e2e.conftest import ROOT, OpenPage, beside, wait_for

SHOPIFY = ROOT / "tests" / "data" / "shapes" / "shopify.csv"
DROP = """
async ([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  document.getElementById("drop-zone").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
}
"""


@pytest.fixture
def of_address(settings: Settings) -> Settings:
    return settings


@pytest.fixture
def address(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The address of a dashboard over an empty shop of the test's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = settings.environment() | {"SPECTRUM_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with (tmp_path / "log").open("w+") as log:
        command = [sys.executable, "-m", "dashboard"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/health/live", process, tmp_path / "log")
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    assert "Traceback" not in (tmp_path / "log").read_text()


def dropped(page: Page, text: str, name: str) -> None:
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.locator("#drop-zone")).to_be_visible()
    page.evaluate(DROP, [text, name])
    expect(page.locator(".data-page .grid")).to_be_visible()


def chosen(page: Page, meaning: str, column: str) -> None:
    row = page.locator(".data-page tr", has=page.get_by_role("rowheader", name=meaning, exact=True))
    row.locator(".dash-dropdown").click()
    page.get_by_role("option", name=column, exact=True).click()


def loaded(page: Page) -> None:
    """Drop a file on an empty shop, correct what a column means, load it."""
    page.get_by_role("link", name="Drop a file on the Data page").click()
    expect(page.get_by_text("Nothing is loaded yet")).to_be_visible()
    dropped(page, SHOPIFY.read_text(), "shopify.csv")
    expect(page.locator(".sentence")).to_contain_text("the export of Shopify")

    chosen(page, "Customer id", "Billing Name")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("cell", name="Anna Groß").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("cell", name="Anna Groß").first).to_be_visible()
    page.get_by_role("button", name="Load", exact=True).click()
    expect(page.locator(".sentence")).to_contain_text("14 of 19 rows accepted")


def test_on_a_phone_a_file_is_dropped_corrected_and_loaded(open_page: OpenPage) -> None:
    page = open_page("/", 390, "dark")
    loaded(page)
    assert beside(page) <= 0


def test_a_file_is_dropped_corrected_loaded_mended_and_loaded_again(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/")
    loaded(page)
    assert beside(page) <= 0

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    path = tmp_path / "rejected.csv"
    download.value.save_as(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([{**row, "Financial Status": "paid"} for row in rows])
    page.get_by_role("link", name="All loads").click()
    dropped(page, path.read_text(), "mended.csv")
    page.get_by_role("button", name="Load", exact=True).click()
    expect(page.locator(".sentence")).to_contain_text("5 of 5 rows accepted")
    page.get_by_role("link", name="All loads").click()
    expect(page.locator(".data-page h2", has_text="2 loads: 19 of 24 rows accepted")).to_be_visible()
    page.go_back()
    expect(page.locator(".sentence")).to_contain_text("5 of 5 rows accepted")
    assert os.listdir(tmp_path / "uploads")


def test_what_the_file_does_not_tell_is_asked(open_page: OpenPage) -> None:
    page = open_page("/data")
    dropped(page, "order id,sku,date,qty,cost us\n1,a,03/04/2011,1,2.50\n", "open.csv")
    expect(page.locator(".points")).to_contain_text("unit_price")
    expect(page.get_by_role("button", name="Load", exact=True)).to_have_count(0)
    chosen(page, "Unit price", "cost us")
    days = page.locator(".how", has_text="Dates such as")
    days.locator(".dash-dropdown").click()
    page.get_by_role("option", name="Day first").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("is read as 2011-04-03")).to_be_visible()
    page.get_by_role("button", name="Load", exact=True).click()
    expect(page.locator(".sentence")).to_contain_text("1 of 1 rows accepted")
