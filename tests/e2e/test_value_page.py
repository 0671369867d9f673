"""From the Value page to the customers behind a mark, in a real browser: as many as it says, and downloadable."""

import csv
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from db.engine import make_engine
from settings import Settings
from tests.e2e.conftest import OpenPage, filled, until


@pytest.fixture(scope="module")
def record(sample_shop: Settings) -> Iterator[Engine]:
    engine = make_engine(sample_shop)
    yield engine
    engine.dispose()


def count(record: Engine, condition: str) -> int:
    with record.connect() as connection:
        sql = f"SELECT count(*) FROM current_customer_segment WHERE {condition}"
        return int(connection.execute(text(sql)).scalar_one())


def click_mark(page: Page, plot: str, trace: int, point: str) -> str:
    """Click one mark of a plot as plotly tells of it; gives the address that it holds."""
    until(page, f"document.querySelector('.plot-{plot} .js-plotly-plot')?.data?.length > {trace}")
    address = page.evaluate(
        f"() => {{ const plot = document.querySelector('.plot-{plot} .js-plotly-plot');"
        f" const mark = plot.data[{trace}].customdata{point};"
        " plot.emit('plotly_click', {points: [{customdata: mark, data: {}}], event: {}});"
        " return Array.isArray(mark) ? mark[0] : mark; }"
    )
    return str(address)


def downloaded(page: Page) -> list[dict[str, str]]:
    """All columns of the list; the page says that it is complete, with as many rows."""
    page.locator("summary", has_text="Download").click()
    page.get_by_label("All columns").check()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    with waiting.value.path().open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    expect(page.locator("#list-told")).to_contain_text(f"is complete: {len(rows):,} row")
    page.keyboard.press("Escape")
    return rows


def test_a_tenth_leads_to_its_customers_and_their_download(open_page: OpenPage, record: Engine) -> None:
    page = open_page("/value")
    filled(page)
    bar = page.locator(".plot-deciles .point").first.bounding_box()
    assert bar is not None
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url("**/customers?value_decile=10..10")
    expected, everyone = count(record, "value_decile = 10"), count(record, "true")
    expect(page.locator("#customer-grid-count")).to_have_text(f"{expected} of {everyone} customers")
    expect(page.locator(".chip", has_text="Value decile: 10")).to_be_visible()
    rows = downloaded(page)
    assert len(rows) == expected
    assert {row["value_decile"] for row in rows} == {"10"}

    page.locator(".chip", has_text="Value decile: 10").click()
    expect(page.locator("#customer-grid-count")).to_have_text(f"All {everyone} customers")


def test_a_cell_of_the_grid_leads_to_whom_it_counts(open_page: OpenPage, record: Engine) -> None:
    page = open_page("/value")
    filled(page)
    address = click_mark(page, "activity", 0, "[1][0]")
    page.wait_for_url(f"**{address}")
    filled(page)
    ranges = {name: found[0].split("..") for name, found in parse_qs(urlsplit(page.url).query).items()}
    assert set(ranges) == {"frequency", "recency_days"}
    within = " AND ".join(
        f"{name} >= {low}" + (f" AND {name} <= {high}" if high else "") for name, (low, high) in ranges.items()
    )
    expected = count(record, within)
    assert expected > 0
    expect(page.locator("#customer-grid-count")).to_contain_text(f"{expected} of")
    assert len(downloaded(page)) == expected


def test_columns_are_chosen_and_remembered(open_page: OpenPage) -> None:
    page = open_page("/customers")
    heads = page.locator(".ag-header-cell-text")
    expect(heads.filter(has_text="Segment")).to_be_visible()
    expect(heads.filter(has_text="Days ago")).to_have_count(0)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Days since last order").check()
    page.get_by_role("checkbox", name="Segment", exact=True).uncheck()
    expect(heads.filter(has_text="Segment")).to_have_count(0)
    page.reload()
    page.evaluate("dash_ag_grid.getApiAsync('customer-grid').then(api => api.ensureColumnVisible('recency_days'))")
    expect(heads.filter(has_text="Days ago")).to_have_count(1)
    expect(heads.filter(has_text="Segment")).to_have_count(0)
