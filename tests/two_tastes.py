"""A small shop made at random: customers of two tastes, gaps in texts, one who never bought, one product just begun."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.training import Training, training

AS_OF = datetime.fromisoformat("2024-07-01")
CUSTOMERS, PRODUCTS = 80, 41
SERVICE = "POSTAGE"
COLD, NEW = "c79", "p40"
WINDOW = timedelta(days=60)


def purchases() -> pd.DataFrame:
    """Half a year; a service product, which is no candidate, among them."""
    random = np.random.default_rng(5)
    taste = np.arange(CUSTOMERS) % 2
    rows = [
        (f"c{who:02}", f"p{2 * random.integers(PRODUCTS // 2) + (taste[who] if random.random() < 0.9 else 0):02}", day)
        for who in range(CUSTOMERS - 1)
        for day in random.integers(1, 180, 20)
    ]
    rows += [(f"c{who:02}", SERVICE, 3) for who in range(CUSTOMERS - 1)]
    rows += [(f"c{who:02}", NEW, 1) for who in range(0, 10, 2)]
    return dated(rows)


def dated(rows: Sequence[tuple[str, str, int]]) -> pd.DataFrame:
    """Purchases of (customer, product, days before AS_OF); those of a day are one order."""
    frame = pd.DataFrame(rows, columns=[C.CUSTOMER_ID, C.PRODUCT_ID, "days"])
    frame[C.ORDERED_AT] = [AS_OF - timedelta(days=int(day)) for day in frame["days"]]
    frame[C.ORDER_ID] = frame[C.CUSTOMER_ID] + " " + frame["days"].astype(str)
    return frame


def products() -> pd.DataFrame:
    return pd.DataFrame(
        {
            C.PRODUCT_ID: [f"p{number:02}" for number in range(PRODUCTS)],
            C.NAME: [None if number == 7 else f"thing {number}" for number in range(PRODUCTS)],
            C.CATEGORY: [None if number < 4 else f"taste {number % 2}" for number in range(PRODUCTS)],
            C.DEPARTMENT: None,
            C.BRAND: None,
            C.PRICE: [None if number == 9 else 1.0 + number for number in range(PRODUCTS)],
        }
    )


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            C.CUSTOMER_ID: [f"c{who:02}" for who in range(CUSTOMERS)],
            C.COUNTRY: None,
            C.ATTRIBUTES: ['{"age": "45-54", "country": "x"}' if who % 3 else "{}" for who in range(CUSTOMERS)],
            C.SEGMENT: [None if who == CUSTOMERS - 1 else "Loyal" for who in range(CUSTOMERS)],
        }
    )


def known(bought: pd.DataFrame | None = None, at: datetime = AS_OF, windows: int = 2) -> Training:
    """What was known at a moment, and so many windows of 60 days before it."""
    frame = purchases() if bought is None else bought
    before = known(frame, at - WINDOW, windows - 1) if windows else None
    return training(frame, products(), customers(), at, before=before)
