"""What every page of ours has: whose it is, what is to be said first, and a page that says one thing."""

from flask import get_flashed_messages, render_template
from flask_login import current_user

from permissions import NOBODY, Viewer

Page = tuple[str, int]
"""HTML and its status."""


def viewer() -> Viewer:
    """Who sends the request at hand."""
    found: Viewer = getattr(current_user, "viewer", NOBODY)
    return found


def shown(template: str, title: str, status: int = 200, **told: object) -> Page:
    """A page of a template, with what was flashed before."""
    said = get_flashed_messages(with_categories=True)
    return render_template(template, title=title, who=viewer(), said=said, **told), status


def message(title: str, words: str, status: int) -> Page:
    """A page of one sentence, and the way on."""
    lead, href = ("Sign in", "/sign-in") if viewer().role is None else ("Go to the dashboard", "/")
    return shown("message.html", title, status, words=words, lead=lead, href=href, narrow=True)
