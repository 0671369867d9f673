"""The marketer's way, in a real browser: open, filter, drill into a segment, open a customer, download the list."""

import csv
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from db.engine import make_engine
from settings import Settings
from tests.e2e.conftest import OpenPage, filled, until

CHOSEN = """
    SELECT customer_id, segment, frequency, monetary::float8 AS monetary FROM current_customer_segment
    WHERE segment = :segment AND customer_id IN (
        SELECT customer_id FROM transaction_line JOIN product USING (product_id)
        WHERE department = :department AND NOT is_return)
    ORDER BY frequency DESC, customer_id
"""


@pytest.fixture(scope="module")
def record(sample_shop: Settings) -> Iterator[Engine]:
    engine = make_engine(sample_shop)
    yield engine
    engine.dispose()


def ask(record: Engine, sql: str, **values: Any) -> list[Any]:
    with record.connect() as connection:
        return list(connection.execute(text(sql), values).all())


def listed(page: Page) -> None:
    """Wait until the grid shows customers: before, its rows stand empty."""
    expect(page.locator("#customer-grid-count")).to_contain_text("customers")
    expect(page.locator(".ag-pinned-left-cols-container .ag-row[row-index='0'] a")).not_to_be_empty()


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def only_produce(page: Page) -> None:
    department = page.locator(".control", has_text="Department")
    department.locator(".dash-dropdown").click()
    page.get_by_role("option", name="Produce", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator(".chip", has_text="Produce")).to_be_visible()
    assert query(page)["department"] == ["Produce"]


def test_from_the_overview_to_a_downloaded_list(open_page: OpenPage, record: Engine) -> None:
    page = open_page("/")
    filled(page)
    expect(page.locator(".kpi")).to_have_count(6)

    only_produce(page)

    page.get_by_role("link", name="Segments").click()
    filled(page)
    segment = ask(
        record, "SELECT segment FROM current_segment_profile WHERE grouping = 'segment' ORDER BY position LIMIT 1"
    )[0][0]
    page.locator(".segment-card h2 a", has_text=segment).click()
    page.wait_for_url("**/customers?**")
    assert query(page) == {"segment": [segment]}, "the card tells of the whole segment, so it leads to all of it"
    expect(page.locator(".chip", has_text="Produce")).to_have_count(0)
    expect(page.locator(".control", has_text="Department")).to_contain_text("All")
    only_produce(page)

    expected = ask(record, CHOSEN, segment=segment, department="Produce")
    everyone = ask(record, "SELECT count(*) FROM current_customer_segment")[0][0]
    expect(page.locator("#customer-grid-count")).to_have_text(f"{len(expected)} of {everyone} customers")

    header = page.locator(".ag-header-cell", has_text="Orders").locator(".ag-header-cell-text")
    header.click()
    expect(page.locator(".ag-header-cell[aria-sort=ascending]", has_text="Orders")).to_be_visible()
    header.click()
    first = page.locator(".ag-pinned-left-cols-container .ag-row[row-index='0'] a")
    expect(first).to_have_text(expected[0].customer_id)

    page.locator("summary", has_text="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    path = waiting.value.path()
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    downloaded = [(r["customer_id"], r["segment"], int(r["frequency"]), float(r["monetary"])) for r in rows]
    assert downloaded == [tuple(row) for row in expected]

    first.click()
    page.wait_for_url(f"**/customers/{expected[0].customer_id}?**")
    filled(page)
    expect(page.get_by_role("heading", name=f"Customer {expected[0].customer_id}")).to_be_visible()
    for kind, heading in (("discover", "New to them"), ("buy_again", "Buy again")):
        offers = ask(
            record,
            "SELECT coalesce(name, product_id), reason "
            "FROM current_recommendation LEFT JOIN product USING (product_id) "
            "WHERE customer_id = :id AND kind = :kind AND rank <= 10 ORDER BY rank",
            id=expected[0].customer_id,
            kind=kind,
        )
        panel = page.locator(".panel", has=page.get_by_role("heading", name=heading))
        expect(panel.locator("li")).to_have_count(len(offers))
        for item, (name, reason) in zip(panel.locator("li").all(), offers, strict=True):
            expect(item).to_contain_text(name)
            expect(item).to_contain_text(reason)

    page.go_back()
    expect(page.locator("#customer-grid-count")).to_have_text(f"{len(expected)} of {everyone} customers")
    page.locator(".reset").click()
    expect(page.locator("#customer-grid-count")).to_have_text(f"All {everyone} customers")


def test_a_jump_down_the_list_leaves_no_row_empty(open_page: OpenPage) -> None:
    page = open_page("/customers")
    listed(page)
    for row in (290, 610, 95, 505):
        page.evaluate(f"dash_ag_grid.getApi('customer-grid').ensureIndexVisible({row}, 'middle')")
        expect(page.locator(f".ag-pinned-left-cols-container .ag-row[row-index='{row}'] a")).not_to_be_empty()
    expect(page.locator(".ag-row-loading")).to_have_count(0)


def test_a_column_filter_reaches_the_list_and_its_download(open_page: OpenPage, record: Engine) -> None:
    page = open_page("/customers")
    listed(page)
    page.locator(".ag-header-cell", has_text="Customer").locator(".ag-header-cell-filter-button").click()
    page.get_by_placeholder("Filter...").first.fill("77")
    expected = ask(record, "SELECT count(*) FROM current_customer_segment WHERE customer_id LIKE '%77%'")[0][0]
    everyone = ask(record, "SELECT count(*) FROM current_customer_segment")[0][0]
    expect(page.locator("#customer-grid-count")).to_have_text(f"{expected} of {everyone} customers")
    page.keyboard.press("Escape")
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    with waiting.value.path().open(newline="") as stream:
        assert all("77" in row["customer_id"] for row in csv.DictReader(stream))


def test_a_link_shows_the_same_view_and_its_controls(open_page: OpenPage, record: Engine) -> None:
    page = open_page("/?from=2017-03-01&to=2017-03-28&department=Grocery")
    filled(page)
    expect(page.locator("input[type=date]").first).to_have_value("2017-03-01")
    expect(page.locator(".control", has_text="Department")).to_contain_text("Grocery")
    revenue = ask(
        record,
        "SELECT sum(amount)::float8 FROM transaction_line JOIN product USING (product_id) "
        "WHERE department = 'Grocery' AND ordered_at >= '2017-03-01' AND ordered_at < '2017-03-29'",
    )[0][0]
    expect(page.locator(".kpi-figure").first).to_have_text(f"${revenue / 1000:.1f}k")
    page.locator("input[type=date]").first.fill("2017-03-15")
    page.locator("input[type=date]").first.press("Enter")
    expect(page.locator(".chip", has_text="15 Mar – 28 Mar 2017")).to_be_visible()


def test_marks_lead_to_what_they_stand_for(open_page: OpenPage) -> None:
    page = open_page("/")
    filled(page)
    page.locator(".plot-where").scroll_into_view_if_needed()
    bar = page.locator(".plot-where .point").first.bounding_box()
    assert bar is not None
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url("**/?department=*")
    filled(page)
    page.goto(page.url.split("?")[0] + "segments")
    filled(page)
    until(page, "document.querySelector('.plot-rfm .js-plotly-plot')?.data?.length > 1")
    customer = page.evaluate(
        "() => { const plot = document.querySelector('.plot-rfm .js-plotly-plot');"
        " const mark = plot.data[0].customdata[0];"
        " plot.emit('plotly_click', {points: [{curveNumber: 0, pointNumber: 0, x: 1, y: 1, z: 1, data: {}}],"
        " event: {}}); return mark; }"
    )
    page.wait_for_url(f"**/customers/{customer[0][1:]}*")


def test_a_cell_of_the_flat_picture_leads_to_as_many_customers_as_it_tells(open_page: OpenPage) -> None:
    page = open_page("/segments?picture=flat&frequency=2..&from=2017-03-01&to=2017-03-31")
    filled(page)
    until(page, "document.querySelector('.plot-rfm .js-plotly-plot')?.data?.length > 1")
    words = page.evaluate(
        "() => { const plot = document.querySelector('.plot-rfm .js-plotly-plot');"
        " plot.emit('plotly_click', {points: [{curveNumber: 0, pointNumber: 0, x: 1, y: 1, data: {}}],"
        " event: {}}); return plot.data[0].hovertext[0]; }"
    )
    page.wait_for_url("**/customers?*recency_days=*")
    assert "from=" not in page.url, "segments are of the whole history"
    number = words.split("<br>")[-1].split(" customer")[0]
    expect(page.locator("#customer-grid-count")).to_have_text(re.compile(f"^{number} of "))


def test_the_camera_stays_when_the_filters_change(open_page: OpenPage) -> None:
    page = open_page("/segments")
    filled(page)
    until(page, "document.querySelector('.plot-rfm .js-plotly-plot')?.data?.length > 1")
    box = page.locator(".plot-rfm").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 250, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] + 350, box["y"] + 300, steps=4)
    page.mouse.up()
    eye = "() => JSON.stringify(document.querySelector('.plot-rfm .js-plotly-plot')._fullLayout.scene.camera.eye)"
    turned = page.evaluate(eye)
    pill = page.locator(".pill", has_text="shown").first
    shown = pill.inner_text()
    page.locator(".control", has_text="Department").locator(".dash-dropdown").click()
    page.get_by_role("option", name="Floral", exact=True).click()
    page.keyboard.press("Escape")
    expect(pill).not_to_have_text(shown)
    page.wait_for_timeout(500)
    assert page.evaluate(eye) == turned


def test_days_that_nobody_chose_restrict_no_list_and_chosen_ones_say_so(open_page: OpenPage, record: Engine) -> None:
    everyone, bought = ask(
        record,
        """SELECT count(*), count(*) FILTER (WHERE customer_id IN (
            SELECT customer_id FROM transaction_line, (SELECT max(ordered_at)::date AS end FROM transaction_line)
            WHERE NOT is_return AND ordered_at >= "end" - 90)) FROM current_customer_segment""",
    )[0]
    assert bought < everyone
    page = open_page("/")
    filled(page)
    usual = page.locator(".usual-days")
    expect(usual).to_be_visible()
    days = usual.inner_text()
    page.get_by_role("link", name="Customers", exact=True).click()
    expect(page.locator("#customer-grid-count")).to_have_text(f"All {everyone:,} customers")
    expect(page.locator(".chip:visible")).to_have_count(0)
    expect(page.locator("#filter-preset")).to_contain_text("All days")

    page.locator("#filter-preset").click()
    page.get_by_role("option", name="Last 13 weeks").click()
    expect(page.locator(".chip:visible")).to_contain_text(days)
    expect(page.locator("#customer-grid-count")).to_have_text(f"{bought:,} of {everyone:,} customers")
    expect(page.locator("#filter-preset")).to_contain_text("Last 13 weeks")


def test_the_theme_turns_at_once_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page("/segments")
    filled(page)
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    until(
        page,
        "document.querySelector('.plot-rfm .js-plotly-plot')?._fullLayout.font.color.toLowerCase() === '#f5f5f6'"
        " && getComputedStyle(document.body).color === 'rgb(245, 245, 246)'",
    )
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_customer_is_found_by_the_start_of_the_id(open_page: OpenPage) -> None:
    page = open_page("/recommendations")
    filled(page)
    page.locator("#pick-customer").click()
    page.keyboard.type("77")
    page.get_by_role("option", name="77", exact=True).click()
    page.wait_for_url("**/recommendations/customers/77")
    filled(page)
    page.get_by_role("link", name="All about this customer").click()
    page.wait_for_url("**/customers/77")
    filled(page)
    expect(page.get_by_role("heading", name="Customer 77")).to_be_visible()
