"""Nothing that matters lies outside a narrow window."""

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, filled, until

BEYOND = """selector => [...document.querySelectorAll(selector)]
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.textContent)"""


def test_the_whole_menu_and_the_whole_advice_can_be_seen_and_the_legend_lies_above_the_points(
    open_page: OpenPage,
) -> None:
    page = open_page("/segments?by=rfm_group")
    filled(page)
    expect(page.locator("td.words")).not_to_have_count(0)
    for width in (1280, 1024, 768):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(BEYOND, "nav a, td.words, th.words") == [], width

    page.set_viewport_size({"width": 390, "height": 900})
    legend, scene = (
        page.locator(".plot-rfm .legend .bg"),
        page.locator(".plot-rfm .gl-container #scene, .plot-rfm canvas"),
    )
    expect(page.locator(".plot-rfm .legend .traces")).to_have_count(8)
    until(page, "document.querySelector('.plot-rfm .main-svg').getBoundingClientRect().width < 390")
    below, above = legend.bounding_box(), scene.first.bounding_box()
    assert below
    assert above
    assert below["y"] + below["height"] <= above["y"] + 1
