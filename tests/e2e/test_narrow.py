"""Nothing that matters lies outside a narrow window."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage

BEYOND = """selector => [...document.querySelectorAll(selector)]
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.textContent)"""


@pytest.mark.parametrize("width", [768, 1024, 1280])
def test_the_whole_menu_and_the_whole_advice_can_be_seen(open_page: OpenPage, width: int) -> None:
    page = open_page("/segments?by=rfm_group", width=width)
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator("td.words")).not_to_have_count(0)
    assert page.evaluate(BEYOND, "nav a, td.words, th.words") == []


def test_on_a_phone_the_legend_lies_above_the_points(open_page: OpenPage) -> None:
    page = open_page("/segments?by=rfm_group", width=390)
    legend, scene = (
        page.locator(".plot-rfm .legend .bg"),
        page.locator(".plot-rfm .gl-container #scene, .plot-rfm canvas"),
    )
    expect(legend).to_be_visible()
    expect(page.locator(".plot-rfm .legend .traces")).to_have_count(8)
    below, above = legend.bounding_box(), scene.first.bounding_box()
    assert below
    assert above
    assert below["y"] + below["height"] <= above["y"] + 1
