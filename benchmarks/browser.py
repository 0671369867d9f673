"""make bench-browser: from a click to what is painted, in a real browser before a served dashboard.

By turns a page is opened by its link in the menu and the filters of a page are changed, each time to filters that
nobody asked for before. It counts from the click until every part that the window shows has its answer, its plots are
drawn, and a frame is painted; and until the same holds of the whole page, below the window too. The browser shares the
processors with the server.
"""

import os
import random
import shutil
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from playwright.sync_api import Page, sync_playwright
from rich.table import Table

from benchmarks import shop
from benchmarks.dashboard import made_filters
from benchmarks.serving import Visitor, served
from console import console
from db import snapshot

_PAGES = ("/", "/value", "/movement", "/segments", "/customers")
_FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_WATCH = """
window.asked = window.open_ = 0;
const fetch_ = window.fetch;
window.fetch = function (...of) {
  const counts = String(of[0]?.url ?? of[0]).includes("/_dash-update-component");
  if (!counts) return fetch_.apply(this, of);
  window.asked += 1; window.open_ += 1;
  const answer = fetch_.apply(this, of);
  answer.then((reply) => reply.clone().text()).finally(() => { window.open_ -= 1; });
  return answer;
};
window.painted = async (began, asked) => {
  const frame = () => new Promise(requestAnimationFrame);
  const isSeen = (part) => {
    const at = part.getBoundingClientRect();
    return at.bottom > 0 && at.top < innerHeight;
  };
  const waits = (part) => {
    if (part.matches(".plot")) return !part.querySelector(".main-svg") || part.querySelector(".dash-graph--pending");
    if (part.matches(".ag-root-wrapper")) return window.open_ || !part.querySelector(".ag-row");
    return part.dataset.dashIsLoading === "true" || part.querySelector(".skeleton");
  };
  let view = null, page = null;
  while (page === null || performance.now() - page < 150) {  // what is there must stay
    await frame();
    if (performance.now() - began > 30000) throw new Error(`${location} is not there after 30 seconds`);
    const parts = [...document.querySelectorAll("main .slot, main .plot, main .ag-root-wrapper")];
    const isThere = window.asked > asked && parts.length && !parts.filter(isSeen).some(waits);
    const isWhole = isThere && !window.open_ && !parts.some(waits) && window.spectrumReport?.().state !== "waiting";
    view = isThere ? view ?? performance.now() : null;
    page = isWhole ? page ?? performance.now() : null;
  }
  return [view - began, page - began];
};
"""
"""`painted` tells after how many milliseconds what the window shows is there, and all of the page."""

_CLICK = """
async ([address, follow]) => {
  const began = performance.now(), asked = window.asked;
  if (follow) document.querySelector(`#nav a[href^="${follow}"]`).click();
  else {
    history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  return await window.painted(began, asked);
}
"""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def browser(
    place: Annotated[Path | None, typer.Option(help="A folder to keep the shop in, and to find it in again.")] = None,
    customers: Annotated[int, typer.Option(help="Customers of the shop, where it is made.")] = 1_000_000,
    clicks: Annotated[int, typer.Option(min=2)] = 50,
    seed: Annotated[int, typer.Option()] = 42,
) -> None:
    """Print the table."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("There is no chromium here; install it, or name it with CHROMIUM.")
    with (
        shop.standing(place, customers) as (settings, _),
        served(settings) as (_, port),
        sync_playwright() as playwright,
    ):
        data = snapshot.open_newest(settings.data_dir)
        made = (filters.query() for filters in made_filters(data, clicks, random.Random(seed)))
        queries = list(dict.fromkeys(made))  # the same again would ask nothing
        window = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        page = window.new_page(viewport={"width": 1280, "height": 900})
        page.goto(Visitor(settings, port).link)
        page.add_init_script(_WATCH)
        first = [_opened(page, f"http://127.0.0.1:{port}/") for _ in range(5)]
        took: dict[str, list[list[float]]] = {}
        goals = cycle(_PAGES)
        for number, query in enumerate(queries):
            here = page.evaluate("location.pathname")
            follow = next(path for path in goals if path != here) if number % 2 else ""
            name = f"menu, to {follow}" if follow else f"filters, on {here}"
            took.setdefault(name, []).append(page.evaluate(_CLICK, [here + query, follow]))
        window.close()
    table = Table(title=f"{len(queries)} clicks, other filters each time: seconds until it is painted")
    for heading in ("click", "number", "the view, median", "95%", "longest", "all of the page, median", "95%"):
        table.add_column(heading)
    every = [both for of in took.values() for both in of]
    for name, of in [*sorted(took.items()), ("all", every)]:
        view, whole = np.array(of).T / 1000
        figures = (median(view), np.percentile(view, 95), max(view), median(whole), np.percentile(whole, 95))
        table.add_row(name, str(len(of)), *(f"{seconds:.2f}" for seconds in figures))
    console.print(table)
    for part, opened in zip(("the view", "all of it"), np.array(first).T / 1000, strict=True):
        times = ", ".join(f"{seconds:.2f}" for seconds in opened)
        console.print(f"The Overview opened anew, seconds until {part} is painted: {times}")


def _opened(page: Page, address: str) -> list[float]:
    page.goto("about:blank")
    page.goto(address)
    both: list[float] = page.evaluate("window.painted(0, 0)")
    return both


if __name__ == "__main__":
    app()
