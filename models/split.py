"""A split by time: what came before a moment trains, what came after tests.

By time and not at random, because a shop asks what a customer buys next; a random split would let a model see next
month's fashions, and other orders of the very basket it is asked for. Several windows, because one month may be unlike
the others (a rolling origin; Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, 5.10).
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
    """`before` holds the purchases earlier than `at`, `after` those of the `days` days from it on."""

    at: datetime
    days: int
    before: pd.DataFrame
    after: pd.DataFrame


def splits(purchases: pd.DataFrame, days: int | None, windows: int) -> list[Split]:
    """So many windows, the newest first, each a holdout earlier than the one before it; fewer in a short history.

    The newest is that of `split`, and needs a history of two holdouts. Each earlier one must leave two holdouts before
    it, one for a model that learns from what happened between to learn from, and one of history before that: window
    number n needs n + 2 holdouts in all, so that three windows of 28 days need 140 days. A window without a customer
    who bought on both sides ends the row.

    >>> frame = pd.DataFrame({"customer_id": "a", "ordered_at": pd.date_range("2024-01-01", "2024-05-20", freq="D")})
    >>> [f"{window.at:%d %b}, {len(window.after)} days" for window in splits(frame, 28, 9)]
    ['22 Apr, 29 days', '25 Mar, 28 days', '26 Feb, 28 days']
    >>> all(window.before["ordered_at"].max() < window.at <= window.after["ordered_at"].min()
    ...     for window in splits(frame, 28, 9))
    True

    Raises NotEnoughDataError as `split` does where not even the newest stands.
    """
    newest = split(purchases, days)
    found, holdout = [newest], timedelta(days=newest.days)
    first = purchases[C.ORDERED_AT].min()
    while len(found) < windows and newest.at - (len(found) + 2) * holdout >= first:
        end = found[-1]
        earlier = _parted(end.before, end.at - holdout, end.days)
        if not _has_returning(earlier):
            break
        found.append(earlier)
    return found


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
    found = _parted(purchases, last - timedelta(days=days), days)
    if not _has_returning(found):
        raise NotEnoughDataError(
            f"Recommendations need customers who bought both before and after {found.at:%Y-%m-%d}, to test them on, "
            "and none was found; load transactions with repeat purchases."
        )
    return found


def _parted(purchases: pd.DataFrame, at: datetime, days: int) -> Split:
    is_before = purchases[C.ORDERED_AT] < at
    return Split(at, days, purchases[is_before], purchases[~is_before])


def _has_returning(parts: Split) -> bool:
    return bool(parts.after[C.CUSTOMER_ID].isin(parts.before[C.CUSTOMER_ID].unique()).any())


def holdout_days(purchases: pd.DataFrame) -> int:
    """Long enough for the typical customer to return: 28 days where half of all returns come within 14, else 60.

    A return is a customer's next day with a purchase. Without any return, 60.
    """
    days = purchases[[C.CUSTOMER_ID]].assign(day=purchases[C.ORDERED_AT].dt.floor("D")).drop_duplicates()
    gaps = days.sort_values([C.CUSTOMER_ID, "day"]).groupby(C.CUSTOMER_ID, observed=True)["day"].diff().dropna()
    return _SHORT if len(gaps) and gaps.dt.days.median() <= _QUICK_RETURN else _LONG
