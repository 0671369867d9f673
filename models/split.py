"""A split by time: what came before a moment trains, what came after tests.

By time and not at random, because a shop asks what a customer buys next; a random split would let a model see next
month's fashions, and other orders of the very basket it is asked for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from db.columns import Columns as C
from errors import NotEnoughDataError

_SHORT, _LONG = 28, 60
_QUICK_RETURN = 14


@dataclass(frozen=True)
class Split:
    """`before` holds the purchases earlier than `at`, `after` those at or later than it."""

    at: datetime
    days: int
    before: pd.DataFrame
    after: pd.DataFrame


def split(purchases: pd.DataFrame, days: int | None = None) -> Split:
    """Hold out the last `days` days of purchases (customer_id, product_id, ordered_at); None for `holdout_days`.

    >>> frame = pd.DataFrame({"customer_id": "a", "ordered_at": pd.to_datetime(["2024-01-01", "2024-02-20"])})
    >>> halves = split(frame, 20)
    >>> bool(halves.before["ordered_at"].max() < halves.at <= halves.after["ordered_at"].min())
    True

    Raises NotEnoughDataError where the history is shorter than twice the holdout, or no customer bought on both sides.
    """
    if purchases.empty:
        raise NotEnoughDataError(
            "Recommendations need customers' purchases, and none was found; load transactions that carry a customer id."
        )
    days = holdout_days(purchases) if days is None else days
    first, last = purchases[C.ORDERED_AT].min(), purchases[C.ORDERED_AT].max()
    if last - first < timedelta(days=2 * days):
        raise NotEnoughDataError(
            f"Recommendations need a history of at least {2 * days} days, twice the {days} held out to test them, and "
            f"{(last - first).days} were found; load more, or hold out fewer with --holdout-days."
        )
    at = last - timedelta(days=days)
    is_before = purchases[C.ORDERED_AT] < at
    before, after = purchases[is_before], purchases[~is_before]
    if not after[C.CUSTOMER_ID].isin(before[C.CUSTOMER_ID].unique()).any():
        raise NotEnoughDataError(
            f"Recommendations need customers who bought both before and after {at:%Y-%m-%d}, to test them on, and none "
            "was found; load transactions with repeat purchases."
        )
    return Split(at, days, before, after)


def holdout_days(purchases: pd.DataFrame) -> int:
    """Long enough for the typical customer to return: 28 days where half of all returns come within 14, else 60.

    A return is a customer's next day with a purchase. Without any return, 60.
    """
    days = purchases[[C.CUSTOMER_ID]].assign(day=purchases[C.ORDERED_AT].dt.floor("D")).drop_duplicates()
    gaps = days.sort_values([C.CUSTOMER_ID, "day"]).groupby(C.CUSTOMER_ID, observed=True)["day"].diff().dropna()
    return _SHORT if len(gaps) and gaps.dt.days.median() <= _QUICK_RETURN else _LONG
