"""What only stands there to be read, drawn by the browser as it is, without a component of Dash for each element.

Each component of Dash listens to every change of the page's state. A few thousand of them, the cells of a page's
tables, made each answer wait for seconds; as one `Plain` they are drawn once. `assets/plain.js` draws it.
"""

import copy
from collections.abc import Iterable
from typing import Any, ClassVar, TypeAlias

from dash import dcc
from dash.development.base_component import Component as DashComponent

from dashboard.view import Component

Element: TypeAlias = Any
"""A text, a number, or [name, attributes, *elements]."""

_HTML = "dash_html_components"


class Plain(DashComponent):  # type: ignore[misc]  # Dash's own classes carry no types
    """Elements in a row."""

    _namespace = "spectrum_plain"
    _type = "Plain"
    _prop_names: ClassVar = ["tree"]
    available_properties: ClassVar = ["tree"]
    available_wildcard_properties: ClassVar[list[str]] = []
    _valid_wildcard_attributes: ClassVar[list[str]] = []
    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = []

    def __init__(self, tree: list[Element]) -> None:
        super().__init__(tree=tree)


def plain(content: Component) -> Component:
    """The same content, each largest part of it that no callback can name as one `Plain`.

    What has an id, and what is more than an element of HTML or a link, stays what it was; what stands around it too.
    The content itself is not changed.
    """
    made = _row(_as_list(content))
    return made[0] if len(made) == 1 else made


def _row(content: Iterable[Component]) -> list[Component]:
    made: list[Component] = []
    row: list[Element] | None = None
    for part in content:
        element = _element(part)
        if element is None:
            made.append(_around(part))
            row = None
        elif row is None:
            row = [element]
            made.append(Plain(row))
        else:
            row.append(element)
    return made


def _element(part: Component) -> Element | None:
    """The part as an element; None where something in it is more than that."""
    if not isinstance(part, DashComponent):
        return part if isinstance(part, str | int | float) else str(part)  # a list would be read as an element
    if not (_is_html(part) or isinstance(part, dcc.Link)) or getattr(part, "id", None) is not None:
        return None
    attributes = dict(part.to_plotly_json()["props"])
    inner = []
    for child in _as_list(attributes.pop("children", None)):
        element = _element(child)
        if element is None:
            return None
        inner.append(element)
    return [part._type.lower(), attributes, *inner]


def _around(part: Component) -> Component:
    """What stays a component of Dash, with what is plain in it."""
    children = getattr(part, "children", None)
    if not isinstance(children, list | tuple | DashComponent):
        return part
    made = copy.copy(part)
    made.children = plain(children)
    return made


def _is_html(part: DashComponent) -> bool:
    return bool(part._namespace == _HTML)


def _as_list(content: Component) -> list[Component]:
    """One after the other, lists in lists too; what is nothing is left out."""
    if isinstance(content, list | tuple):
        return [part for of in content for part in _as_list(of)]
    return [] if content is None else [content]
