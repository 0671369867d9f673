"""What was known of customers, from a plain table of orders: for tests of models that take `Known`."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.behaviour import Known


def known_from(orders: pd.DataFrame, moments: Sequence[datetime]) -> list[Known]:
    """Known at each moment, with the features a forecast reads.

    orders: customer (a number), at, amount (net revenue), and order (False for what only brought goods back).
    """
    return [_known(orders[orders["at"] < moment], moment) for moment in moments]


def _known(orders: pd.DataFrame, moment: datetime) -> Known:
    bought = orders[orders["order"]].groupby("customer")["at"].agg(["min", "max", "size"])
    monetary = orders.groupby("customer")["amount"].sum().reindex(bought.index)
    return Known(
        moment,
        pd.DataFrame(
            {
                C.RECENCY: (moment - bought["max"]).dt.days,
                C.FREQUENCY: bought["size"].astype(np.int32),
                C.MONETARY: monetary,
                C.TENURE: (moment - bought["min"]).dt.days,
                C.AVERAGE_ORDER: monetary / bought["size"],
            }
        ),
    )


def steady_shop(customers: int, seed: int, *, wandering: bool = False, leaving: float = 2.0) -> pd.DataFrame:
    """Two years of orders as BG/NBD and Gamma-Gamma have them; wandering: rates are drawn anew each quarter.

    Ends at 2024-01-01. Everyone orders first on a day of the first 500.
    """
    random = np.random.default_rng(seed)
    born, value = random.uniform(0, 500, customers), random.gamma(4, 1 / 60, customers)
    rates = random.gamma(1.2, 1 / 20, (customers, 9))
    leaves = random.beta(1, leaving * 8, customers) if leaving else np.zeros(customers)
    now, parts = born.copy(), [(np.arange(customers), born)]
    going = np.arange(customers)
    while len(going):
        quarter = (now[going] // 90).astype(int) if wandering else 0
        now[going] += random.exponential(1 / rates[going, quarter])
        going = going[now[going] < 730]
        parts.append((going, now[going]))
        going = going[random.random(len(going)) >= leaves[going]]
    who, days = (np.concatenate(part) for part in zip(*parts, strict=True))
    at = pd.Timestamp("2022-01-01") + pd.to_timedelta(days, unit="D")
    amount = random.gamma(3, 1 / value[who])
    return pd.DataFrame({"customer": who, "at": at.floor("s"), "amount": amount, "order": True})
