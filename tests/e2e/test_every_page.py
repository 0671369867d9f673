"""Every page in both widths and themes: nothing beside the window, no serious fault by axe-core.

From page to page the themes change places between the widths. With PICTURES=1 each width is seen in both, and pictures
of all stand in `tests/e2e/shots` afterwards; `make images` takes those of the README from there.
"""

import json
import os
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, beside, filled, until

SHOTS = Path(__file__).parent / "shots"
PICTURES = bool(os.environ.get("PICTURES"))
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
NOT_OURS = [
    [".dash-options-list"],  # Dash's lists put a checkbox into each option, and nothing tells them not to
]
WALKS = {
    "executive": {
        "overview": "/",
        "segments": "/segments",
        "value": "/value",
        "movement": "/movement",
        "quality": "/quality",
        "guide": "/guide/segments",
        "nowhere": "/nowhere",
    },
    "marketer": {
        "customers": "/customers",
        "customer": "/customers/17",
        "recommendations": "/recommendations",
        "offers_customer": "/recommendations/customers/17",
        "offers_segments": "/recommendations/segments",
        "offers_product": "/recommendations/products",
        "offers_bundles": "/recommendations/bundles",
        "data": "/data",
        "account": "/data?load=1",
    },
}
TWINLESS = """() => [...document.querySelectorAll('main .plot')].filter(plot => {
    const drawn = plot.querySelector('.js-plotly-plot'), card = plot.closest('.panel');
    const marks = JSON.stringify((drawn?.data ?? []).map(t => [t.customdata, t.node?.customdata, t.link?.customdata]));
    const leads = /"\\/[a-z?][^"]*"/.test(marks), twin = card?.querySelector('.twin');
    return leads && plot.getAttribute('role') === 'img' && !twin?.querySelector('a');
}).map(plot => plot.className)"""


def faults(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical, with where."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    found = page.evaluate(f"axe.run({{exclude: {json.dumps(NOT_OURS)}}}, {{resultTypes: ['violations']}})")
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def settled(page: Page) -> None:
    """Wait until every part is there, and every plot that can be seen has the width of its place."""
    filled(page)
    until(
        page,
        "!document.querySelector('[data-dash-is-loading=true], .dash-graph--pending')"
        " && [...document.querySelectorAll('.js-plotly-plot')].every(plot => plot._fullLayout &&"
        " (!plot.offsetParent || Math.abs(plot._fullLayout.width - plot.clientWidth) < 2))",
    )


def picture(page: Page, name: str, width: int, theme: str) -> None:
    """Keep how it looks: all of it, and what is seen first."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}-{theme}.png", full_page=True)
    if (width, theme) == (1280, "light"):
        page.screenshot(path=SHOTS / f"{name}-top.png")  # what README shows


@pytest.mark.parametrize("walk", WALKS)
def test_every_page_fits_and_can_be_used_by_everyone(open_page: OpenPage, walk: str) -> None:
    page = open_page("/nowhere")
    root, theme = page.url.removesuffix("/nowhere"), "light"
    for name, path in WALKS[walk].items():
        page.goto(root + path)
        other = "dark" if theme == "light" else "light"
        for width, wanted in (*((1280, theme), (390, other)), *(((390, theme), (1280, other)) if PICTURES else ())):
            if theme != wanted:
                page.locator("#toggle-theme").click()
                theme = wanted
                expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            where = f"{name} at {width} in {theme}"
            assert page.evaluate("document.documentElement.dataset.bsTheme") == theme, where
            assert beside(page) <= 0, where
            assert faults(page) == [], where
            if PICTURES:
                picture(page, name, width, theme)
        assert page.evaluate(TWINLESS) == [], name
    page.set_viewport_size({"width": 2560, "height": 1440})
    assert beside(page) <= 0


def test_what_opens_can_be_used_by_everyone_too(open_page: OpenPage) -> None:
    page = open_page("/customers")
    filled(page)
    page.locator("#toggle-help").click()
    page.get_by_text("Columns", exact=True).click()
    assert faults(page) == []
    page.locator(".filters .dash-dropdown:visible").first.click()
    expect(page.get_by_role("option").first).to_be_visible()
    assert faults(page) == []
