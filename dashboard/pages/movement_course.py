"""What the flows of the Movement page compare: a grouping, two moments, and who went where between them."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from dashboard import format as fmt
from dashboard.components.flows import CAUSES
from dashboard.view import View
from db.drill import Grouping, Move
from db.queries import movement as queries
from db.queries import segments

_MONTH = timedelta(days=28)

NOBODY = "No order yet"


@dataclass(frozen=True)
class Course:
    """What the view compares: the grouping, the days of the run's moments, two of them, and the flows between these."""

    grouping: Grouping
    days: list[date]
    since: date
    until: date
    flows: pd.DataFrame

    @property
    def moved(self) -> pd.DataFrame:
        """The flows of customers who stand elsewhere than before."""
        return self.flows[~self.flows["cause"].isin(["stayed", "new"])]

    def customers(self, *causes: str) -> int:
        """How many customers have one of the causes; all without any."""
        return int(self.flows.loc[self.flows["cause"].isin(causes or CAUSES), "customers"].sum())


def course_of(view: View, *, revenue: bool = False) -> Course | None:
    """None where the run knows fewer than two moments."""
    moments = queries.moments(view.snapshot)
    if len(moments) < 2:
        return None
    grouping: Grouping = "rfm_group" if view.filters.by == "rfm_group" else "segment"
    days = list(moments["day"].dt.date)
    until = next((at for at in range(1, len(days)) if days[at] == view.filters.until), len(days) - 1)
    month = max((at for at in range(until) if days[until] - days[at] >= _MONTH), default=until - 1)
    since = next((at for at in range(until) if days[at] == view.filters.since), month)
    flows = queries.flows(
        view.snapshot,
        view.filters,
        grouping,
        int(moments["moment"][since]),
        int(moments["moment"][until]),
        revenue=revenue,
    )
    return Course(grouping, days, days[since], days[until], flows.assign(told=_told(view, grouping, flows)))


def _told(view: View, grouping: Grouping, flows: pd.DataFrame) -> pd.Series:
    """The cause, and "less" where customers bought and yet came down: to a segment of less value and of older orders.

    Value alone does not tell: who comes back may stand among new customers, who have spent less.
    """
    profiles = segments.profiles(view.snapshot, grouping).set_index("segment")
    ends = [flows[column] for column in ("from_segment", "to_segment")]
    place, recency = ([end.map(profiles[c]).astype(float) for end in ends] for c in ("position", "recency_median"))
    down = (flows["cause"] == "bought") & (place[0] < place[1]) & (recency[0] < recency[1])
    return flows["cause"].mask(down, "less")


def mark(view: View, course: Course, origin: str = "", target: str = "", cause: str = "") -> str:
    """The address of the customers of a flow."""
    days = course.since, course.until
    move = Move(course.grouping, *days, origin, target, cause)
    return view.href("/customers", start=None, end=None, since=None, until=None, move=move)


def side(frame: pd.DataFrame, name: str, colour: str) -> pd.DataFrame:
    """The bars of one side, in the order of the segments: name, customers, colour, label."""
    position = {"origin": "from_position", "to_segment": "to_position"}[name]
    bars = frame.groupby(name, as_index=False).agg(
        customers=("customers", "sum"), colour=(colour, "first"), position=(position, "first")
    )
    bars = bars.sort_values(["position", name], na_position="last", ignore_index=True)
    names = bars[name].astype(str)
    label = [f"{text}  {fmt.number(count)}" for text, count in zip(names, bars["customers"], strict=True)]
    return bars.assign(name=names, label=label, colour=bars["colour"].fillna("other"))
