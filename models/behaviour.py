"""What was known of every customer at each of several moments, from what they did in the periods between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.columns import Columns as C

RETURNED = "returned"
"""Of the features, what is of no table."""

_DAY = np.timedelta64(1, "D")
_PLACES = 4
"""Decimals that money is recorded to: beyond them a sum has only what its order of addition left."""
_SUMS = ("orders", "amount", "sold", "on_discount", "returned", "categories")


@dataclass(frozen=True)
class Known:
    """What was known at a moment: one row a customer with a purchase by then, in ascending id.

    `features` is indexed by the customer's number and has first_ordered_at, last_ordered_at, recency_days (whole
    days), frequency (orders), monetary (net revenue), tenure_days (since the first purchase), gap_days (mean days from
    order to order; NaN after one order), average_order (monetary an order), silence (recency in usual gaps), returned
    (worth of what came back), and where the data have any: discount_share (share of spend bought on discount),
    category_breadth (distinct categories), return_rate (share of what was sold that came back).
    """

    as_of: datetime
    features: pd.DataFrame


def known(ids: npt.NDArray[np.object_], periods: pd.DataFrame, moments: Sequence[datetime]) -> Iterator[Known]:
    """What was known at each moment, from the earliest on; a moment before the first purchase has no rows.

    `ids` and `periods` are those of `db.queries.features.customer_periods` for the same moments.
    """
    customers = len(ids)
    sums = {name: np.zeros(customers) for name in _SUMS}
    first, last = np.full(customers, np.datetime64("NaT", "us")), np.full(customers, np.datetime64("NaT", "us"))
    has = {name: bool(periods[name].any()) for name in ("on_discount", "returned", "categories")}
    starts = np.searchsorted(periods["period"].sort_values().to_numpy(), np.arange(len(moments) + 1))
    in_order = periods.sort_values("period", kind="stable")
    for at, moment in enumerate(moments):
        rows = in_order.iloc[starts[at] : starts[at + 1]]
        who = rows["customer"].to_numpy()
        for name in _SUMS:
            sums[name][who] = np.round(sums[name][who] + rows[name].to_numpy(), _PLACES)
        first[who] = np.fmin(first[who], rows["first_at"].to_numpy("datetime64[us]"))
        last[who] = np.fmax(last[who], rows["last_at"].to_numpy("datetime64[us]"))
        yield Known(moment, _features(sums, first, last, np.datetime64(moment, "us"), has))


def _features(
    sums: dict[str, npt.NDArray[np.float64]],
    first: npt.NDArray[np.datetime64],
    last: npt.NDArray[np.datetime64],
    moment: np.datetime64,
    has: dict[str, bool],
) -> pd.DataFrame:
    who = np.flatnonzero(sums["orders"] > 0)
    total = {name: values[who] for name, values in sums.items()}
    first, last = first[who], last[who]
    orders = total["orders"]
    span = (last - first) / _DAY
    gap = np.divide(span, orders - 1, out=np.full(len(who), np.nan), where=orders > 1)
    recency = ((moment - last) // _DAY).astype(np.int32)
    columns: dict[str, npt.NDArray[np.generic]] = {
        C.FIRST_ORDERED_AT: first,
        C.LAST_ORDERED_AT: last,
        C.RECENCY: recency,
        C.FREQUENCY: orders.astype(np.int32),
        C.MONETARY: total["amount"],
        C.TENURE: ((moment - first) // _DAY).astype(np.int32),
        C.GAP: gap,
        C.AVERAGE_ORDER: total["amount"] / orders,
        C.SILENCE: recency / _usual_gap(gap),
        RETURNED: total["returned"],
    }
    sold = np.where(total["sold"] > 0, total["sold"], np.inf)  # nothing sold: nothing of it came back
    if has["on_discount"]:
        columns[C.DISCOUNT_SHARE] = total["on_discount"] / sold
    if has["categories"]:
        columns[C.BREADTH] = total["categories"].astype(np.int32)
    if has["returned"]:
        columns[C.RETURN_RATE] = np.clip(total["returned"] / sold, 0, 1)
    return pd.DataFrame(columns, index=who)


def _usual_gap(gap: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Days from order to order, at least one: the customer's mean; the shop's median for who ordered once.

    Infinite where nobody ever came back: a shop without a rhythm has no silence.
    """
    own = np.maximum(gap, 1)
    typical = np.nanmedian(own) if np.isfinite(own).any() else np.inf
    return np.where(np.isnan(own), typical, own)
