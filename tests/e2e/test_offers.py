"""A marketer among the offers, in a real browser: rules, one customer's reasons, a product's audience, bundles."""

import csv
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.engine import URL

from settings import Settings
from tests.conftest import shop_made
from tests.e2e.conftest import OpenPage, beside, filled, served
from tests.offer_shop import NAMES, OfferShop, made


@pytest.fixture(scope="module")
def shop(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfferShop]:
    with shop_made(server, tmp_path_factory.mktemp("offers"), made) as shop:
        yield shop


@pytest.fixture
def of_address(shop: OfferShop) -> Settings:
    return shop.settings


@pytest.fixture(scope="module")
def address(shop: OfferShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(shop.settings, tmp_path_factory.mktemp("log")) as url:
        yield url


def downloaded(page: Page, name: str) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    with waiting.value.path().open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_from_the_rules_to_a_customer_a_product_and_a_bundle(open_page: OpenPage, shop: OfferShop) -> None:
    page = open_page("/recommendations")
    filled(page)
    everything = len(downloaded(page, "Download the lists"))

    box = page.get_by_label("Of a category at most")
    box.fill("1")
    box.press("Tab")
    page.wait_for_url("**per_category=1")
    expect(page.locator(".lists-said")).to_contain_text("The rules make")
    capped = downloaded(page, "Download the lists")
    assert 0 < len(capped) < everything
    page.get_by_role("link", name="For segments").click()
    filled(page)
    expect(page.get_by_label("Of a category at most")).to_have_value("1")
    page.get_by_role("link", name="Clear the rules").click()
    expect(page.get_by_label("Of a category at most")).to_have_value("")
    back = page.get_by_role("link", name="For customers")
    expect(back).to_have_attribute("href", "/recommendations")
    back.click()
    expect(page.locator(".lists-said")).to_have_text("120 lists in this view. ")
    filled(page)

    page.locator("#pick-customer").click()
    page.locator(".dash-dropdown-search").fill("c17")
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("option", name="c17").click()
    page.wait_for_url("**/recommendations/customers/c17")
    filled(page)
    expected = shop.ask(
        "SELECT reason, score, because_product_id FROM current_recommendation "
        "WHERE customer_id = 'c17' AND kind = 'discover' AND rank <= 10 ORDER BY rank"
    )
    offers = page.locator(".panel", has=page.get_by_role("heading", name="New to them")).locator(".offers > li")
    expect(offers).to_have_count(len(expected))
    first = offers.first
    expect(first).to_contain_text(expected[0][0])
    first.locator("summary").click()
    amounts = [float(text.replace("−", "-")) for text in first.locator(".part .number").all_inner_texts()]
    assert sum(amounts) == pytest.approx(expected[0][1], abs=0.05)
    expect(first).to_contain_text("All together")
    first.locator(".because a").click()
    page.wait_for_url(f"**/recommendations/products/{expected[0][2]}")
    filled(page)

    page.locator("#pick-product").click()
    page.locator(".dash-dropdown-search").fill("100% w")
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("option", name=NAMES[1]).click()
    page.wait_for_url("**/recommendations/products/p1")
    filled(page)
    audience = shop.ask("SELECT customer_id FROM current_product_audience WHERE product_id = 'p1' ORDER BY rank")
    expect(page.get_by_role("heading", name=f"Write to {len(audience)} customers")).to_be_visible()
    assert [row["customer_id"] for row in downloaded(page, "Download CSV")] == [who for (who,) in audience]

    page.get_by_role("link", name="Bundles").click()
    rules = "SELECT count(*) FROM current_product_pair WHERE baskets IS NOT NULL AND lift >= "
    expect(page.locator("#bundle-count")).to_have_text(f"{shop.ask(rules + '0')[0][0]} rules")
    least = page.get_by_label("Lift of at least")
    least.fill("4")
    least.press("Enter")
    few = shop.ask(rules + "4")[0][0]
    expect(page.locator("#bundle-count")).to_have_text(f"{few} rules")
    expect(page.locator(".sentence", has_text="times as often as usual")).to_be_visible()
    assert len(downloaded(page, "Download CSV")) == few
    page.locator(".ag-row[row-index='0'] a").first.click()
    page.wait_for_url("**/recommendations/products/**")
    assert parse_qs(urlsplit(page.url).query) == {"lift": ["4"]}


def test_on_a_phone_nothing_lies_beside_the_page(open_page: OpenPage) -> None:
    page = open_page("/recommendations", width=390)
    filled(page)
    box = page.get_by_label("Of a category at most")
    expect(box).to_be_hidden()
    page.get_by_role("button", name="Rules").click()
    expect(box).to_be_visible()
    assert beside(page) <= 0
    for name in ("For segments", "For a product", "Bundles"):
        page.get_by_role("link", name=name).click()
        filled(page)
        assert beside(page) <= 0, name
