"""make bench-browser: from a click to what is painted, in a real browser before a served dashboard.

By turns a page is opened by its link in the menu and the filters of a page are changed, each time to filters that
nobody asked for before. It counts from the click until every part of the page has its answer, every plot is drawn, and
a frame is painted. The browser shares the processors with the server.
"""

import os
import random
import shutil
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from playwright.sync_api import Page, sync_playwright
from rich.table import Table

from benchmarks import shop
from benchmarks.dashboard import made_filters
from benchmarks.serving import served
from console import console
from db import snapshot

_PAGES = ("/", "/value", "/movement", "/segments", "/customers")
_FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_COUNTED = """
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
"""
"""Counts what is asked and what is not answered yet."""

_PAINTED = """
async ([address, follow]) => {
  const began = performance.now(), asked = window.asked;
  if (follow) document.querySelector(`#nav a[href^="${follow}"]`).click();
  else {
    history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  const frame = () => new Promise(requestAnimationFrame);
  let painted = null;
  while (painted === null || performance.now() - painted < 150) {  // what is there must stay
    await frame();
    if (performance.now() - began > 30000) throw new Error(`${location} is not there after 30 seconds`);
    const done = window.asked > asked && !window.open_ && !document.querySelector("[data-dash-is-loading=true]")
      && window.spectrumReport().state !== "waiting";
    painted = done ? painted ?? performance.now() : null;
  }
  return painted - began;
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
        page.add_init_script(_COUNTED)
        first = [_opened(page, f"http://127.0.0.1:{port}/") for _ in range(5)]
        took: dict[str, list[float]] = {}
        rng = random.Random(seed)
        for number, query in enumerate(queries):
            here = page.evaluate("location.pathname")
            goal = rng.choice([path for path in _PAGES if path != here])
            follow = goal if number % 2 else ""
            name = f"menu, to {goal}" if follow else f"filters, on {here}"
            took.setdefault(name, []).append(page.evaluate(_PAINTED, [here + query, follow]) / 1000)
        window.close()
    table = Table(
        "click", "number", "median, s", "95%, s", "longest, s", title=f"{clicks} clicks, other filters each time"
    )
    every = [seconds for of in took.values() for seconds in of]
    for name, of in [*sorted(took.items()), ("all", every)]:
        table.add_row(name, str(len(of)), f"{median(of):.2f}", f"{np.percentile(of, 95):.2f}", f"{max(of):.2f}")
    console.print(table)
    console.print(
        f"The Overview opened anew, seconds until all of it is painted: {', '.join(f'{s:.2f}' for s in first)}"
    )


def _opened(page: Page, address: str) -> float:
    page.goto("about:blank")
    page.goto(address)
    return float(
        page.evaluate(
            """async () => {
              while (!window.spectrumReport || window.spectrumReport().state === "waiting")
                await new Promise(requestAnimationFrame);
              await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              return performance.now() / 1000;
            }"""
        )
    )


if __name__ == "__main__":
    app()
