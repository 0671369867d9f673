"""Everything can be done without a mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, filled

PLACE = """() => {
    const at = document.activeElement, box = at.getBoundingClientRect(), look = getComputedStyle(at);
    return {
        seen: box.width > 0 && box.bottom > 0 && (look.outlineStyle !== 'none' || look.borderColor !== ''),
        place: at.closest('.filters') ? 'filters' : at.closest('main') ? 'main' : at.closest('header') ? 'header' : '',
    };
}"""


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Press Tab until the focus is on, or in, what a selector names."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.closest(wanted) !== null", selector):
            return
    pytest.fail(f"Tab never reached {selector}")


def test_from_the_start_of_the_page_to_a_customer(open_page: OpenPage) -> None:
    page = open_page("/")
    filled(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(page, "main .definition summary", 3)
    page.keyboard.press("Enter")
    expect(page.locator(".definition[open] p")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".definition[open]")).to_have_count(0)

    twin = page.locator(".panel", has=page.locator(".plot-segments")).locator(".twin")
    twin.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(twin.locator("table")).to_be_visible()
    tab_to(page, ".twin td a", 3)
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers?**segment=**")
    filled(page)

    expect(page.locator(".ag-row[row-index='0'] a").first).to_be_visible()
    tab_to(page, ".ag-header-cell")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = "() => document.activeElement.closest('.ag-row')?.getAttribute('row-index')"
    assert page.evaluate(focused) == "1"
    link = "() => document.activeElement.closest('.ag-cell').querySelector('a')?.textContent"
    customer = page.evaluate(link)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{customer}**")


def _chosen(page: Page, name: str) -> None:
    """Type a name into the open list and choose it; Dash draws the list anew while one types, and a key that falls into
    that moment is lost, so look, and press again."""
    search = page.locator(".dash-dropdown-search")
    expect(search).to_be_focused()
    search.press_sequentially(name, delay=30)
    expect(search).to_have_value(name)
    expect(page.get_by_role("option")).to_have_count(1)
    option = page.get_by_role("option").locator("input")
    for _ in range(20):
        if option.is_checked():
            break
        focused = option.evaluate("input => input === document.activeElement")
        page.keyboard.press("Space" if focused else "ArrowDown")
        page.wait_for_timeout(300)
    expect(page.get_by_role("option", selected=True)).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_filter_help_and_the_theme(open_page: OpenPage, width: int) -> None:
    page = open_page("/value", width)
    filled(page)
    tab_to(page, "#toggle-help")
    page.keyboard.press("Enter")
    expect(page.locator("#page-help")).to_be_focused()
    expect(page.locator("#toggle-help")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#page-help")).to_be_hidden()
    expect(page.locator("#toggle-help")).to_be_focused()
    tab_to(page, "#toggle-theme", 3)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    if width == 390:
        expect(page.locator(".filters")).to_be_hidden()
        tab_to(page, ".fold", 20)
        page.keyboard.press("Enter")
        expect(page.locator(".filters")).to_be_visible()
    department = page.get_by_role("button", name=re.compile("^Department"))
    passed = []
    for _ in range(40):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(PLACE))
        if department.evaluate("button => button === document.activeElement"):
            break
    else:
        pytest.fail(f"Tab never reached the filter: {passed}")
    assert all(at["seen"] for at in passed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("option").first).to_be_visible()
    _chosen(page, "Produce")
    page.keyboard.press("Escape")
    page.wait_for_url("**department=Produce**")
    tab_to(page, "main", 20)
