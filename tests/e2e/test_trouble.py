"""What goes wrong is said, with the reference that the log has, and asked again part by part; cards are saved."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from struct import unpack

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import OpenPage, filled


def asked(page: Page) -> list[str]:
    """The parts that the page asks for from now on, by their names."""
    found: list[str] = []
    page.on(
        "request", lambda r: found.extend(re.findall(r'"name":"([a-z_.]+)","type":"slot"\}', r.post_data or "")[:1])
    )
    return found


def test_a_part_that_fails_is_asked_again_alone(new_page: Callable[[str], Page], address: str) -> None:
    page = new_page("light")

    def broken(route: Route) -> None:
        if '"value.deciles"' in (route.request.post_data or ""):
            route.fulfill(status=500, headers={"X-Request-Id": "0badcafe"}, body="no")
        else:
            route.continue_()

    page.route("**/_dash-update-component**", broken)
    page.goto(f"{address}/value")
    expect(page.get_by_role("alert")).to_contain_text("0badcafe")
    expect(page.locator(".skeleton")).to_have_count(1)
    page.unroute("**/_dash-update-component**")
    again = asked(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".plot-deciles .point").first).to_be_visible()
    assert set(again) == {"value.deciles"}
    expect(page.locator(".toast-box")).to_have_count(0)
    page.locator(".plot-deciles .point").first.click(force=True)  # under the plot's own cover
    page.wait_for_url("**/customers?value_decile=10..10")
    page.close()


def test_a_server_that_is_away_is_said_and_asked_again(new_page: Callable[[str], Page], address: str) -> None:
    page = new_page("light")
    page.goto(address)
    filled(page)
    page.route("**/_dash-update-component**", lambda route: route.abort())
    page.get_by_role("link", name="Value", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/_dash-update-component**")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("main h1")).to_have_text("Value")
    filled(page)
    expect(page.locator(".toast-box")).to_have_count(0)
    assert page.evaluate("window.notReloaded")
    page.close()


def test_a_card_is_saved_as_picture_and_as_table(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/?department=Produce")
    filled(page)
    card = page.locator(".panel", has=page.locator(".plot-segments"))
    title = card.locator("h2").inner_text()
    words = re.sub(r"[^A-Za-z0-9.]+", "-", title).strip("-")
    for form in ("PNG", "CSV"):
        with page.expect_download() as waiting:
            card.get_by_role("button", name=f"{form}: {title}").click()
        assert waiting.value.suggested_filename.startswith(f"{words}_")
        assert "Department-Produce" in waiting.value.suggested_filename
        waiting.value.save_as(tmp_path / form)
    box = card.locator(".plot").bounding_box()
    assert box
    png = (tmp_path / "PNG").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    wide, tall = unpack(">II", png[16:24])
    assert wide >= 2 * int(box["width"])
    assert tall >= 2 * int(box["height"])

    with (tmp_path / "CSV").open(newline="", encoding="utf-8-sig") as stream:
        saved = list(csv.reader(stream))
    card.locator("summary").click()
    rows = card.locator("tbody tr").all()
    assert [row[0] for row in saved[1:]] == [row.locator("td").first.inner_text() for row in rows]
    assert sum(float(row[2]) for row in saved[1:]) == 1, "shares of all customers, not rounded"


def test_a_cell_that_looks_like_a_formula_is_saved_as_text(open_page: OpenPage) -> None:
    page = open_page("/nowhere")
    filled(page)
    page.evaluate(
        """() => document.querySelector('main').innerHTML = `<section class="panel"><h2>=T</h2>
        <button data-save="csv">CSV</button><table><tr><td>=1+1</td><td>-2</td><td data-value="-2">−2</td>
        <td>a "b", c</td></tr></table></section>`"""
    )
    with page.expect_download() as waiting:
        page.locator("[data-save]").click()
    assert waiting.value.path().read_text(encoding="utf-8-sig") == '\'=1+1,\'-2,-2,"a ""b"", c"\n'
