"""What parts of pages show, kept: who asks for the same view of the same snapshot is answered from memory."""

from dataclasses import fields
from typing import Any

import plotly.graph_objects as go

from dashboard.components.graph import nothing
from dashboard.components.plain import plain
from dashboard.pages import OF_PICTURE, OF_SLOT, PICTURES, SLOTS
from dashboard.scope import noted
from dashboard.view import Component, View
from db.remembered import remembered
from db.snapshot import Snapshot
from permissions import for_part


def filled(name: str, view: View) -> Component:
    """What fills a slot of a page; nothing where it is not for whoever looks. Raises KeyError where there is no such
    slot."""
    if not view.viewer.may(for_part(name, OF_SLOT[name].path)):
        return []
    return _filled(view.snapshot, name, *_asked(view))


def drawn(name: str, view: View) -> go.Figure:
    """The figure of a picture, free to be changed; an empty one where it is not for whoever looks. Raises KeyError
    where there is no such picture."""
    if not view.viewer.may(for_part(name, OF_PICTURE[name].path)):
        return nothing(view.theme, "")
    return go.Figure(_drawn(view.snapshot, name, *_asked(view)))


def _asked(view: View) -> tuple[Any, ...]:
    """The view without its snapshot, which what is kept of it must not hold."""
    return tuple(getattr(view, field.name) for field in fields(View) if field.name != "snapshot")


@remembered
def _filled(snapshot: Snapshot, name: str, *asked: Any) -> Component:
    view = View(snapshot, *asked)
    return plain(noted(view, OF_SLOT[name], name, SLOTS[name](view)))


@remembered
def _drawn(snapshot: Snapshot, name: str, *asked: Any) -> go.Figure:
    return PICTURES[name](View(snapshot, *asked))
