"""Movement: who moved between two dates and why, what made revenue change, who comes back."""

from datetime import timedelta

from dash import html

from dashboard import format as fmt
from dashboard import helps
from dashboard.components.choice import choice, either
from dashboard.components.states import empty, slot
from dashboard.pages import movement_bridge, movement_cohorts, movement_months
from dashboard.pages.movement_course import course_of
from dashboard.pages.movement_flows import flows
from dashboard.pages.movement_matrix import matrix
from dashboard.run_choice import run_choice
from dashboard.view import CONTROL, Component, Ignores, Page, View
from db.drill import Grouping
from db.queries import movement as queries
from db.queries import shop
from db.queries.features import first_ordered_at
from db.runs import SEGMENTS
from db.standing import first_of_month

# the earliest and the latest month that a run looks at: so long after the first order, so long before its own day
_SETTLED, _NEAR = timedelta(days=90), timedelta(days=7)

_GROUPINGS: dict[Grouping, str] = {"segment": "Clusters", "rfm_group": "RFM groups"}


def layout(_: View) -> Component:
    """The frame of the page."""
    return [
        html.H1("Movement", className="visually-hidden"),
        slot("movement.sentence", "sentence"),
        slot("movement.choices", "controls"),
        html.Div([slot("movement.flows", "tall", "full"), slot("movement.matrix", "chart", "full")], className="grid"),
        html.H2("From period to period", className="section"),
        html.Div(
            [slot("movement.bridge", "chart", "full"), slot("movement.months", "chart", "full")], className="grid"
        ),
        html.H2("Who comes back", className="section"),
        html.Div(slot("movement.retention", "tall", "full"), className="grid"),
    ]


def _nothing(view: View) -> Component:
    """Why the run knows one moment alone, or none: the true reason of several."""
    command = html.Code("python -m models run")
    run = shop.published_run(view.snapshot, SEGMENTS)
    if run is None:
        return empty("No movement yet", "Run ", command, " to part the customers, as of past months too.")
    if queries.moments(view.snapshot).empty or run.parameters.get("months") == 0:
        return empty("No movement yet", "This run did not look at past months; the next ", command, " does.")
    first = first_ordered_at(view.snapshot) or run.as_of
    latest = first_of_month((run.as_of - _NEAR).date())
    if latest < (first + min(_SETTLED, (run.as_of - first) / 4)).date():
        words = f"The orders begin on {fmt.day(first)}: the history is too short to hold a month to compare with."
        return empty("No movement yet", words, " There is movement once later orders are loaded and modelled.")
    segments = fmt.plural(int(run.metrics.get("k") or 0), "segment")
    words = f"At every earlier month the shop had too few customers to follow in {segments}: fewer than ten for each."
    return empty("No movement yet", words)


def sentence(view: View) -> Component:
    """How many moved, why, and that the counts add up."""
    course = course_of(view)
    if course is None:
        return _nothing(view)
    everyone, moved = course.customers(), int(course.moved["customers"].sum())
    if not everyone:
        return empty("No customers in this view", "Choose fewer filters.")
    since, until = fmt.day(course.since), fmt.day(course.until)
    causes = course.moved.groupby("told")["customers"].sum().sort_values(ascending=False)
    why = ", ".join(f"{fmt.number(count)} {_BECAUSE[str(cause)]}" for cause, count in causes.items())
    lead = f"{fmt.plural(moved, 'customer')} moved between {since} and {until}" + (f": {why}." if why else ".")
    adds = (
        f" {fmt.plural(everyone, 'customer')} in all: {fmt.number(course.customers('stayed'))} stayed, "
        f"{fmt.number(moved)} moved, {fmt.number(course.customers('new'))} new."
    )
    return html.P([html.Strong(lead), adds], className="sentence")


_BECAUSE = {
    "bought": "bought",
    "less": "bought too little to stay",
    "returned": "only returned goods",
    "quiet": "went quiet",
    "yardstick": "moved with the yardstick alone",
}


def choices(view: View) -> Component:
    """The two dates and the grouping."""
    course = course_of(view)
    if course is None:
        return []
    since, until = course.since, course.until

    def address(**changes: object) -> str:
        return view.href("/movement", **{"since": since, "until": until, **changes})

    here = address()
    return html.Div(
        [
            choice("since", "From", [(fmt.day(d), address(since=d)) for d in course.days if d < until], here),
            choice("until", "To", [(fmt.day(d), address(until=d)) for d in course.days if d > since], here),
            either(
                "By",
                [(text, address(by=by)) for by, text in _GROUPINGS.items()],
                address(by=course.grouping),
            ),
            run_choice(view, "/movement"),
        ],
        className="controls page-controls",
    )


PAGE = Page(
    path="/movement",
    title="Movement",
    help=helps.MOVEMENT,
    icon="movement",
    layout=layout,
    slots={
        "movement.sentence": sentence,
        "movement.choices": choices,
        "movement.flows": flows,
        "movement.matrix": matrix,
        "movement.bridge": movement_bridge.bridge,
        "movement.months": movement_months.months,
        "movement.retention": movement_cohorts.retention,
    },
    about="The period applies to the revenue bridge: flows have dates of their own, months and cohorts cover all data.",
    ignoring={
        "movement.choices": CONTROL,
        **{
            f"movement.{name}": Ignores(frozenset({"days", "move"}), "Between the two dates")
            for name in ("sentence", "flows", "matrix")
        },
        "movement.bridge": Ignores(frozenset({"bridge", "against"}), "Against the days before"),
        "movement.months": Ignores(frozenset({"days", "bridge"}), "All months"),
        "movement.retention": Ignores(frozenset({"days", "cohort"}), "All months"),
    },
)
