"""Presets that refine the list of customers by when they were last seen, what they are worth, and their scores."""

from dataclasses import dataclass

from dash import html

from dashboard.components.choice import choice
from dashboard.measures import in_words
from dashboard.view import Component, View
from db.drill import Range
from db.queries import customers as queries

Preset = tuple[str, float | None, float | None]
_SCORES: tuple[Preset, ...] = (("5, best", 5, 5), ("4 or 5", 4, 5), ("3", 3, 3), ("1 or 2", 1, 2))


@dataclass(frozen=True)
class Refinement:
    """One control: the number it restricts, and its ranges in words."""

    column: str
    label: str
    presets: tuple[Preset, ...]


REFINEMENTS = (
    Refinement(
        "recency_days",
        "Last order",
        (
            ("30 days ago or less", None, 30),
            ("31 to 90 days ago", 31, 90),
            ("91 to 180 days ago", 91, 180),
            ("181 to 365 days ago", 181, 365),
            ("Over a year ago", 366, None),
        ),
    ),
    Refinement(
        "value_decile",
        "Value, next year",
        (("Best tenth", 10, 10), ("Best fifth", 9, 10), ("Better half", 6, 10), ("Lesser half", 1, 5)),
    ),
    Refinement(
        "churn_risk",
        "Churn risk",
        (("90% or more", 0.9, None), ("50% or more", 0.5, None), ("Under 50%", None, 0.5)),
    ),
    Refinement("r_score", "R score", _SCORES),
    Refinement("f_score", "F score", _SCORES),
    Refinement("m_score", "M score", _SCORES),
)


def refine(view: View) -> Component:
    """A control for each number that anybody has; what is chosen stands in the address."""
    there = queries.filled(view.snapshot)
    controls = [_control(view, of) for of in REFINEMENTS if of.column in there]
    return html.Div(controls, className="controls refine", role="group", **{"aria-label": "Refine the list"})


def _control(view: View, of: Refinement) -> Component:
    others = tuple(kept for kept in view.filters.ranges if kept.column != of.column)
    now = next((kept for kept in view.filters.ranges if kept.column == of.column), None)
    presets = [(words, Range(of.column, low, high)) for words, low, high in of.presets]
    if now is not None and now not in [preset for _, preset in presets]:
        presets.append((in_words(now, view.currency), now))
    options = [("Any", view.href("/customers", ranges=others))]
    options += [(words, "/customers" + view.filters.within(preset).query()) for words, preset in presets]
    return choice(f"refine-{of.column}", of.label, options, view.href("/customers"))
