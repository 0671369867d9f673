"""The documents that come with the product, to be read beside it."""

import re
from pathlib import Path

from dash import dcc, html

from dashboard.components.help import GUIDE
from dashboard.components.states import empty
from dashboard.view import Component, Page

_DOCS = Path(__file__).parents[2] / "docs"
_LINK = re.compile(r"\]\((?:\.\./docs/|docs/)?([a-z-]+)\.md(#[^)]*)?\)")


def layout(name: object) -> Component:
    """One document; a name that is none of them gives the list."""
    there = {path.stem: path for path in sorted(_DOCS.glob("*.md"))}
    path = there.get(str(name))
    if path is None:
        links = [html.Li(dcc.Link(_title(path), href=GUIDE + stem)) for stem, path in there.items()]
        missing = empty("No documents here", "They come with the product, in its folder docs.")
        return [html.H1("Guide", className="visually-hidden"), html.Ul(links, className="guide") if links else missing]
    text = _LINK.sub(rf"]({GUIDE}\1)", path.read_text(encoding="utf-8"))
    body = re.sub(r"\A# .*\n", "", text)
    return [
        html.P(dcc.Link("← All documents", href=GUIDE), className="crumb"),
        html.H1(_title(path), className="name"),
        html.Article(dcc.Markdown(body, className="guide"), className="panel"),
    ]


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()


PAGE = Page(path=GUIDE, title="Guide", layout=layout, slots={}, record=True)
