"""The filter bar in a browser: by keyboard, by chips, and by an address that somebody typed."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage


def query(page: Page) -> str:
    return urlsplit(page.url).query


@pytest.mark.parametrize("width", [390, 1280])
def test_more_filters_by_keyboard(open_page: OpenPage, width: int) -> None:
    page = open_page("/customers", width)
    count = page.locator("#customer-grid-count")
    expect(count).to_contain_text("All ")
    if width == 390:
        page.locator(".fold").press("Enter")
    more = page.locator(".more")
    expect(page.locator(".more-filters")).to_be_hidden()
    more.press("Enter")
    expect(page.locator(".more-filters")).to_be_visible()
    orders = page.get_by_label("Orders, from")
    orders.fill("30")
    orders.press("Tab")
    expect(page.locator(".chip")).to_contain_text(["Orders: 30 or more"])
    expect(count).to_contain_text(" of ")
    assert query(page) == "frequency=30.."
    expect(more).to_contain_text("(1)")
    orders.press("Escape")
    expect(page.locator(".more-filters")).to_be_hidden()
    assert page.evaluate("document.activeElement.classList.contains('more')")
    page.get_by_title("Remove Orders: 30 or more").press("Enter")
    expect(count).to_contain_text("All ")
    more.press("Enter")
    expect(orders).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_typed_address_is_written_in_its_canonical_form_and_back_leads_out_of_it(open_page: OpenPage) -> None:
    page = open_page("/value")
    expect(page.locator(".kpis")).to_be_visible()
    page.goto(page.url + "?trait=age:45-54&nonsense=1&from=2017-12-31&to=2017-12-01&against=year")
    expect(page).to_have_url(re.compile(r"\?from=2017-12-01&to=2017-12-31&against=year&trait=age%3A45-54$"))
    expect(page.locator("#filter-preset")).to_contain_text("Last month")
    expect(page.locator(".page-scope")).to_have_text(
        "The period does not apply on this page, which is over the whole history."
    )
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("#filter-against")).to_contain_text("A year before")
    expect(page.locator(".chips")).to_contain_text("Compared with the same 31 days a year before")
    page.get_by_role("link", name="Reset").click()
    expect(page.locator(".chips")).to_contain_text("Compared with the 91 days before")
    assert urlsplit(page.url).path == "/"
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/value\?from=2017-12-01&to=2017-12-31&against=year&trait=age%3A45-54$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/value$"))
