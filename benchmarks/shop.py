"""A shop of any number of customers who come and go as BG/NBD says (Fader, Hardie, Lee 2005), drawn by a seed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from rich.progress import Progress
from sqlalchemy import Engine

from db import snapshot
from db.columns import Columns as C
from db.embedded import stop
from db.engine import make_engine
from db.queries.features import last_ordered_at
from etl.load import load
from etl.readers import open_source
from models.pipeline import Options
from models.pipeline.segments import publish_segments
from settings import Settings

LINES = 20
"""A customer has about so many lines."""

_AT_ONCE = 100_000
_CLUSTERS = 5
_FIRST = np.datetime64("2023-01-01", "s")
_DAYS = 730
_PRODUCTS, _CATEGORIES, _COUNTRIES = 5_000, 40, 12
_RETURNED, _DISCOUNTED = 0.03, 0.2


def write(path: Path, customers: int, *, seed: int = 42) -> int:
    """Write so many customers' lines of two years as Parquet and give the number of lines; memory does not grow.

    Columns: order_id, customer_id, product_id, category, ordered_at, quantity, unit_price, discount, country.
    """
    lines = 0
    writer = None
    for table in _tables(customers, seed):
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
        lines += table.num_rows
    if writer:
        writer.close()
    return lines


def loaded(settings: Settings, customers: int) -> int:
    """Load such a shop as a user would, with its snapshot; gives the number of lines."""
    file = settings.data_dir / "shop.parquet"
    lines = write(file, customers)
    engine = make_engine(settings)
    load(engine, open_source(str(file)), keep_duplicates=True)
    snapshot.refresh(engine, settings.data_dir)
    engine.dispose()
    file.unlink()
    return lines


@contextmanager
def standing(place: Path | None, customers: int) -> Iterator[tuple[Settings, Engine]]:
    """A shop with segments, made unless it stands in `place`; without one it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="spectrum-bench-") as passing:
        settings = Settings.model_validate({"data_dir": (place or Path(passing)).resolve()})
        if snapshot.newest_version(settings.data_dir) is None:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            loaded(settings, customers)
            engine = make_engine(settings)
            data = snapshot.open_newest(settings.data_dir)
            last = last_ordered_at(data)
            assert last is not None
            as_of = last + timedelta(days=1)
            publish_segments(engine, settings, Options(clusters=_CLUSTERS), data, as_of, Progress(disable=True))
            snapshot.refresh(engine, settings.data_dir)
            engine.dispose()
        engine = make_engine(settings)
        yield settings, engine
        engine.dispose()
        stop(settings.data_dir)


def _tables(customers: int, seed: int) -> Iterator[pa.Table]:
    random = np.random.default_rng(seed)
    price = np.round(random.lognormal(2, 0.8, _PRODUCTS), 2)
    orders = 0
    for first in range(0, customers, _AT_ONCE):
        who, day = _orders(random, min(_AT_ONCE, customers - first))
        order = np.repeat(np.arange(len(who)), 1 + random.poisson(1.9, len(who)))
        taste = random.integers(_CATEGORIES, size=_AT_ONCE)[who[order]]
        category = np.where(random.random(len(order)) < 0.5, taste, random.integers(_CATEGORIES, size=len(order)))
        within = (random.pareto(1.2, len(order)) * 8).astype(np.int64) % (_PRODUCTS // _CATEGORIES)
        product = category * (_PRODUCTS // _CATEGORIES) + within
        back = random.random(len(order)) < _RETURNED
        quantity = 1 + random.geometric(0.6, len(order))
        worth = price[product] * quantity
        discount = np.where(random.random(len(order)) < _DISCOUNTED, np.round(worth * 0.15, 2), 0.0)
        sold = {
            C.ORDER_ID: order + orders,
            C.CUSTOMER_ID: who[order] + first + 1,
            C.PRODUCT_ID: product,
            C.ORDERED_AT: _FIRST + (day[order] * 86_400).astype("timedelta64[s]"),
            C.QUANTITY: quantity,
            C.UNIT_PRICE: price[product],
            C.DISCOUNT: discount,
        }
        returned = {name: values[back] for name, values in sold.items()}
        returned[C.ORDER_ID] = returned[C.ORDER_ID] + len(who)
        returned[C.ORDERED_AT] = returned[C.ORDERED_AT] + np.timedelta64(5, "D")
        returned[C.QUANTITY] = -returned[C.QUANTITY]
        returned[C.DISCOUNT] = -returned[C.DISCOUNT]
        columns = {name: np.concatenate([sold[name], returned[name]]) for name in sold}
        inside = columns[C.ORDERED_AT] < _FIRST + np.timedelta64(_DAYS, "D")
        columns = {name: values[inside] for name, values in columns.items()}
        yield pa.table(
            {
                **columns,
                C.CATEGORY: _named("category", columns[C.PRODUCT_ID] // (_PRODUCTS // _CATEGORIES)),
                C.COUNTRY: _named("country", columns[C.CUSTOMER_ID] % _COUNTRIES),
            }
        )
        orders += 2 * len(who)


def _orders(random: np.random.Generator, customers: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Customer and day of each order: a Poisson process of one's own rate, until one drops out after an order."""
    rate = random.gamma(0.8, 1 / 25, customers) + 1 / 400
    dropout = random.beta(0.8, 5, customers)
    day = random.random(customers) ** 1.2 * _DAYS
    active = np.arange(customers)
    who, days = [], []
    while len(active):
        who.append(active)
        days.append(day[active])
        active = active[random.random(len(active)) >= dropout[active]]
        day[active] += random.exponential(1 / rate[active])
        active = active[day[active] < _DAYS]
    return np.concatenate(who), np.concatenate(days)


def _named(what: str, number: NDArray[np.int64]) -> pa.Array:
    names = pa.array([f"{what} {kind}" for kind in range(max(_CATEGORIES, _COUNTRIES))])
    return pa.DictionaryArray.from_arrays(pa.array(number.astype(np.int32)), names).cast(pa.string())
