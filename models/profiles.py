"""What each segment of a grouping is, in numbers and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C
from models.archetypes import Centre, in_order_of_value
from models.configuration import Group
from models.naming import Name, names
from models.plays import SHAKY, Stakes, play_reason
from models.wording import counted, money, percent

Labels = npt.NDArray[np.integer]

MEASURES = (
    C.RECENCY,
    C.FREQUENCY,
    C.MONETARY,
    C.AVERAGE_ORDER,
    C.GAP,
    C.TENURE,
    C.DISCOUNT_SHARE,
    C.BREADTH,
    C.RETURN_RATE,
)
_PARETO = 0.8
_EVIDENCE = {"tenure": C.TENURE, "discount_share": C.DISCOUNT_SHARE, "return_rate": C.RETURN_RATE}


@dataclass(frozen=True)
class Profiles:
    """The rows of one grouping for the tables `segment_profile` and `segment_measure`; every label has its name."""

    profile: pd.DataFrame
    measures: pd.DataFrame

    @property
    def names(self) -> dict[int, str]:
        """Label -> name."""
        return dict(zip(self.profile[C.CLUSTER].tolist(), self.profile[C.SEGMENT].tolist(), strict=True))

    def named(self, labels: Labels) -> "pd.Series[str]":
        """The name of each label, as a category; the categories run from the most to the least valuable."""
        places = np.zeros(int(self.profile[C.CLUSTER].max()) + 1, np.int16)
        places[self.profile[C.CLUSTER]] = np.arange(len(self.profile))
        kinds = pd.CategoricalDtype(self.profile[C.SEGMENT].tolist(), ordered=True)
        return pd.Series(pd.Categorical.from_codes(places[labels], dtype=kinds))


def cluster_profiles(
    features: pd.DataFrame,
    labels: Labels,
    currency: str,
    *,
    grouping: str = C.SEGMENT,
    kept: Mapping[int, str] | None = None,
) -> Profiles:
    """Profiles of clusters, named by evidence; `kept` has the names of the run before by cluster number.

    `features` has one row a customer (see `models.behaviour.Known`; of those columns recency_days, frequency,
    monetary and silence must be there, and churn_risk and clv may be), `labels` the cluster number of each. Sizes are
    customers, revenue is currency, shares run from 0 to 1 of all customers (a revenue share is 0 where the total is
    not positive), medians are days, orders and currency. Position 1 is the most valuable.
    """
    parts = _parted(features, labels)
    ordered = in_order_of_value([_centre(features, part) for part in parts.values()])
    told = [(parts[centre.cluster], name) for centre, name in zip(ordered, names(ordered, currency, kept), strict=True)]
    return _profiles(features, grouping, told, currency)


def group_profiles(
    features: pd.DataFrame, labels: Labels, groups: Sequence[Group], currency: str, *, grouping: str = C.RFM_GROUP
) -> Profiles:
    """Profiles of RFM groups, named by their table; labels are places in it, and groups nobody is in have no row.

    `features` as for `cluster_profiles`.
    """
    parts = _parted(features, labels)
    ordered = sorted(parts.values(), key=lambda p: (-p.monetary, -p.frequency, p.recency, p.label))
    told = [(part, _group_name(groups[part.label], part, features, currency)) for part in ordered]
    return _profiles(features, grouping, told, currency)


@dataclass(frozen=True)
class _Part:
    """The customers of one label: their places in the frame, what they brought, and their medians."""

    label: int
    rows: npt.NDArray[np.intp]
    customer_share: float
    revenue: float
    revenue_share: float
    recency: float
    frequency: float
    monetary: float


def _parted(features: pd.DataFrame, labels: Labels) -> dict[int, _Part]:
    order = np.argsort(labels, kind="stable")
    found, starts = np.unique(labels[order], return_index=True)
    total = float(features[C.MONETARY].sum())
    parts = {}
    for label, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        recency, frequency, monetary = (
            features[column].to_numpy(np.float64)[rows] for column in (C.RECENCY, C.FREQUENCY, C.MONETARY)
        )
        revenue = float(monetary.sum())
        parts[label] = _Part(
            label=label,
            rows=rows,
            customer_share=len(rows) / len(labels),
            revenue=revenue,
            revenue_share=revenue / total if total > 0 else 0.0,
            recency=float(np.median(recency)),
            frequency=float(np.median(frequency)),
            monetary=float(np.median(monetary)),
        )
    return parts


def _centre(features: pd.DataFrame, part: _Part) -> Centre:
    evidence: dict[str, float] = {}
    for name, column in _EVIDENCE.items():
        if column in features:
            values = features[column].to_numpy(np.float64)
            evidence |= {name: float(np.median(values[part.rows])), f"shop_{name}": float(np.median(values))}
    if "tenure" in evidence:
        evidence["tenure_rank"] = _place(features[C.TENURE], evidence["tenure"])
    return Centre(
        cluster=part.label,
        customers=len(part.rows),
        customer_share=part.customer_share,
        revenue_share=part.revenue_share,
        recency=part.recency,
        frequency=part.frequency,
        monetary=part.monetary,
        silence=_silence(features, part),
        recency_rank=1 - _place(features[C.RECENCY], part.recency),
        frequency_rank=_place(features[C.FREQUENCY], part.frequency),
        monetary_rank=_place(features[C.MONETARY], part.monetary),
        once=_once(features, part),
        **evidence,
    )


def _group_name(group: Group, part: _Part, features: pd.DataFrame, currency: str) -> Name:
    recency, frequency, monetary = (features[c].to_numpy()[part.rows] for c in (C.RECENCY, C.FREQUENCY, C.MONETARY))
    persona = (
        f"{counted(len(part.rows), 'customer')} ({percent(part.customer_share)} of all, {percent(part.revenue_share)} "
        f"of revenue), typically {counted(part.frequency, 'order')}, {money(part.monetary, currency)} spent, the last "
        f"purchase {counted(round(part.recency), 'day')} ago."
    )
    cells = " and ".join(f"R {_listed(box.r)} with FM {_listed(box.fm)}" for box in group.covers)
    least, most = (money(float(bound), currency) for bound in (monetary.min(), monetary.max()))
    often = f"; {percent(_once(features, part))} of them ordered once" if frequency.min() == 1 < frequency.max() else ""
    worth = least if least == most else f"{least} to {most}"
    reason = (
        f"{cells}: the last purchase was {_range(int(recency.min()), int(recency.max()), 'day')} ago, after "
        f"{_range(int(frequency.min()), int(frequency.max()), 'order')} worth {worth}{often}."
    )
    return Name(group.name, group.colour, group.emoji, persona, group.play, group.playbook, reason)


def _listed(scores: Sequence[int]) -> str:
    """`4 or 5`."""
    return " or ".join(str(score) for score in sorted(scores))


def _range(low: int, high: int, unit: str) -> str:
    return counted(low, unit) if low == high else f"{low:,} to {counted(high, unit)}"


def _profiles(features: pd.DataFrame, grouping: str, told: Sequence[tuple[_Part, Name]], currency: str) -> Profiles:
    weight = _pareto_weight(features[C.MONETARY].to_numpy(np.float64))
    rows = [
        {
            C.GROUPING: grouping,
            C.SEGMENT: name.name,
            C.CLUSTER: part.label,
            C.POSITION: position,
            C.CUSTOMERS: len(part.rows),
            C.CUSTOMER_SHARE: part.customer_share,
            C.REVENUE: part.revenue,
            C.REVENUE_SHARE: part.revenue_share,
            C.RECENCY_MEDIAN: part.recency,
            C.FREQUENCY_MEDIAN: part.frequency,
            C.MONETARY_MEDIAN: part.monetary,
            C.PARETO_SHARE: None if weight is None else float(weight[part.rows].mean()),
            C.EMOJI: name.emoji,
            C.COLOUR: name.colour,
            C.PERSONA: name.persona,
            C.PLAY: name.play,
            C.PLAYBOOK: name.playbook,
            C.PLAY_REASON: play_reason(name.play, _stakes(features, part), currency),
            C.REASON: name.reason,
        }
        for position, (part, name) in enumerate(told, start=1)
    ]
    measures = [
        {C.GROUPING: grouping, C.SEGMENT: name.name, C.MEASURE: measure, **_spread(values)}
        for measure in MEASURES
        if measure in features
        for column in [features[measure].to_numpy(np.float64)]
        for part, name in told
        for values in [column[part.rows]]
        if np.isfinite(values).any()
    ]
    return Profiles(pd.DataFrame(rows), pd.DataFrame(measures))


def _spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Quartiles and mean of the values that are there."""
    present = values[np.isfinite(values)]
    q1, median, q3 = np.percentile(present, [25, 50, 75]).tolist()
    return {C.Q1: q1, C.MEDIAN: median, C.Q3: q3, C.MEAN: float(present.mean())}


def _pareto_weight(monetary: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """How much of each customer belongs to the smallest set that brings 80% of the shop's revenue, 0 to 1.

    All or nothing, save that equal customers at the edge of the set share what it needs of them. Where some brought
    less than nothing the set is the smallest that brings 80% of the total all the same. None where the total is not
    positive: no such set means anything.
    """
    total = monetary.sum()
    if total <= 0:
        return None
    largest = np.sort(monetary)[::-1]
    needed = int(np.argmax(np.cumsum(largest) >= _PARETO * total)) + 1
    edge = largest[needed - 1]
    above, at_edge = monetary > edge, monetary == edge
    share = (needed - np.count_nonzero(above)) / np.count_nonzero(at_edge)
    return np.where(above, 1.0, np.where(at_edge, share, 0.0))


def _stakes(features: pd.DataFrame, part: _Part) -> Stakes:
    def of_part(column: str) -> npt.NDArray[np.float64] | None:
        values = features[column].to_numpy(np.float64)[part.rows] if column in features else np.empty(0)
        present = values[np.isfinite(values)]
        return present if len(present) else None

    expected, risk = of_part(C.CLV), of_part(C.CHURN_RISK)
    orders = features[C.FREQUENCY].to_numpy(np.float64)[part.rows]
    return Stakes(
        customers=len(part.rows),
        revenue=part.revenue,
        revenue_share=part.revenue_share,
        silence=_silence(features, part),
        recency=part.recency,
        once=_once(features, part),
        orders_worth=float((features[C.MONETARY].to_numpy(np.float64)[part.rows] / orders).sum()),
        expected=None if expected is None else float(expected.sum()),
        shaky=None if risk is None else int((risk > SHAKY).sum()),
    )


def _silence(features: pd.DataFrame, part: _Part) -> float:
    return float(np.median(features[C.SILENCE].to_numpy(np.float64)[part.rows]))


def _once(features: pd.DataFrame, part: _Part) -> float:
    """The share of customers who ordered once."""
    return float((features[C.FREQUENCY].to_numpy()[part.rows] == 1).mean())


def _place(values: pd.Series, value: float) -> float:
    """Where a value stands among others, 0 to 1: the share below it and half of the share equal to it."""
    return float((values < value).mean() + (values <= value).mean()) / 2
