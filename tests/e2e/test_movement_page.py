"""Movement in a real browser: a flow, a bar and a cell lead to as many customers as they say."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, filled, until

POINT_ON_LARGEST_MOVE = """() => {
    const links = [...document.querySelectorAll('.plot-flows .sankey-link')];
    const moves = links.filter(l => /%3A(bought|quiet|yardstick|returned)(&|$)/.test(l.__data__.link.customdata));
    const largest = moves.sort((a, b) => b.__data__.link.value - a.__data__.link.value)[0];
    const box = largest.getBoundingClientRect(), frame = largest.getScreenCTM().inverse();
    for (let y = box.top; y < box.bottom; y += 1) {
        const at = new DOMPoint(box.left + 40, y).matrixTransform(frame);
        if (largest.isPointInFill(at) && document.elementFromPoint(box.left + 40, y) === largest)
            return {x: box.left + 40, y: y + 1, customers: largest.__data__.link.value};
    }
}"""


def counted(page: Page) -> int:
    """How many customers the list says it has."""
    page.wait_for_url("**/customers?**")
    count = page.locator("#customer-grid-count")
    expect(count).to_contain_text("customer")
    found = re.match(r"([\d,]+)", count.inner_text())
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("by", ["segment", "rfm_group"])
def test_a_flow_leads_to_its_customers(open_page: OpenPage, by: str) -> None:
    page = open_page(f"/movement?by={by}")
    filled(page)
    plot = page.locator(".plot-flows")
    plot.scroll_into_view_if_needed()
    until(page, "document.querySelectorAll('.plot-flows .sankey-link').length > 1")
    mark = page.evaluate(POINT_ON_LARGEST_MOVE)
    page.mouse.click(mark["x"], mark["y"])
    assert counted(page) == mark["customers"]
    expect(page.locator(".chip", has_text="oved")).to_be_visible()


def test_a_bar_of_the_bridge_leads_to_its_customers(open_page: OpenPage) -> None:
    page = open_page("/movement")
    filled(page)
    page.locator(".plot-bridge").scroll_into_view_if_needed()
    bar = page.locator(".plot-bridge .bars .point").nth(2)
    expect(bar).to_be_visible()
    hover = page.evaluate("document.querySelector('.plot-bridge .js-plotly-plot').data[0].hovertext[2]")
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = re.search(r"([\d,]+) customers", hover)
    assert said
    assert counted(page) == int(said[1].replace(",", ""))


def test_a_cell_of_the_cohorts_leads_to_its_customers(open_page: OpenPage) -> None:
    page = open_page("/movement")
    filled(page)
    plot = page.locator(".plot-retention-share")
    expect(plot.locator(".main-svg").first).to_be_visible()
    plot.scroll_into_view_if_needed()
    said = page.evaluate("document.querySelector('.plot-retention-share .js-plotly-plot').data[0].hovertext[0][1]")
    place = page.evaluate(
        "() => { const plot = document.querySelector('.plot-retention-share .js-plotly-plot');"
        "const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;"
        "return {x: box.left + xaxis._offset + xaxis.c2p(1), y: box.top + yaxis._offset + yaxis.c2p(0)}; }"
    )
    page.mouse.move(place["x"] - 3, place["y"])
    page.mouse.click(place["x"], place["y"])
    assert counted(page) == int(said.split(" of ")[0].replace(",", ""))


def test_other_dates_are_chosen_and_kept_in_the_address(open_page: OpenPage) -> None:
    page = open_page("/movement")
    filled(page)
    page.locator(".control", has_text="From").locator(".dash-dropdown").last.click()
    first = page.get_by_role("option").first
    day = first.inner_text()
    first.click()
    expect(page.locator("main .sentence")).to_contain_text(f"between {day}")
    assert "since=" in page.url
    page.get_by_role("link", name="RFM groups").click()
    expect(page).to_have_url(re.compile("by=rfm_group"))
    expect(page.locator("main .sentence")).to_contain_text(f"between {day}")
