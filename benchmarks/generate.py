"""A shop of any size: the sample's households drawn again and again, under new ids and at shifted dates, by a seed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

from db.columns import Columns as C
from etl.readers import sample

_HOUSEHOLDS_AT_ONCE = 100
_WEEKS = 104  # so far dates are shifted, by whole weeks: each weekday keeps its trade


def write(path: Path, rows: int, *, words: bool = False, seed: int = 42) -> None:
    """Write exactly so many lines as CSV or, by the suffix, Parquet; memory does not grow with `rows`.

    The same size and seed give the same file. Columns: those of the sample's lines (order_id, customer_id, product_id,
    ordered_at, quantity, discount, amount), and with `words` product_name and category on each line.
    """
    batches = _batches(rows, seed, words)
    first = next(batches)
    writer = parquet.ParquetWriter if path.suffix == ".parquet" else csv.CSVWriter
    with writer(str(path), first.schema) as out:
        out.write(first) if path.suffix != ".parquet" else out.write_table(first)
        for batch in batches:
            out.write(batch) if path.suffix != ".parquet" else out.write_table(batch)


def _batches(rows: int, seed: int, words: bool) -> Iterator[pa.Table]:
    lines = _sample()
    lines = lines if words else lines.drop_columns([C.PRODUCT_NAME, C.CATEGORY])
    ends = np.searchsorted(lines[C.CUSTOMER_ID].to_numpy(), np.unique(lines[C.CUSTOMER_ID].to_numpy()), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    random = np.random.default_rng(seed)
    customers = orders = 0
    while rows > 0:
        drawn = random.integers(len(ends), size=_HOUSEHOLDS_AT_ONCE)
        shift = random.integers(_WEEKS, size=_HOUSEHOLDS_AT_ONCE)
        sizes = ends[drawn] - starts[drawn]
        places = np.concatenate([np.arange(starts[one], ends[one]) for one in drawn])
        household = np.repeat(np.arange(_HOUSEHOLDS_AT_ONCE), sizes)
        part = lines.take(places)
        basket = pd.factorize(
            pd.Series(household * (1 << 40) + pc.rank(part[C.ORDER_ID], tiebreaker="dense").to_numpy())
        )[0]
        columns = {
            **{name: part[name] for name in part.column_names},
            C.ORDER_ID: pa.array(basket + 1 + orders),
            C.CUSTOMER_ID: pa.array(household + 1 + customers),
            C.ORDERED_AT: _shifted(part[C.ORDERED_AT], shift[household]),
        }
        yield pa.table(columns).slice(0, rows)
        rows -= part.num_rows
        customers += _HOUSEHOLDS_AT_ONCE
        orders += len(np.unique(basket))


def _shifted(moments: pa.ChunkedArray, weeks: NDArray[np.int64]) -> pa.Array:
    return pa.array(moments.to_numpy() + weeks * np.timedelta64(7, "D")).cast(pa.timestamp("s"))


def _sample() -> pa.Table:
    """The sample's lines by household, with the words its catalogue has for each product."""
    source = sample.read()
    names = [C.ORDER_ID, C.CUSTOMER_ID, C.PRODUCT_ID, C.ORDERED_AT, C.QUANTITY, C.DISCOUNT, C.AMOUNT]
    lines = pa.Table.from_batches(source.batches()).select(names)
    catalogue = source.products
    assert catalogue is not None
    place = pc.index_in(lines[C.PRODUCT_ID].cast(pa.string()), catalogue[C.PRODUCT_ID])
    words = {C.PRODUCT_NAME: catalogue[C.NAME].take(place), C.CATEGORY: catalogue[C.CATEGORY].take(place)}
    seconds = lines[C.ORDERED_AT].cast(pa.timestamp("s"), safe=False)
    whole = {**{name: lines[name] for name in names}, **words, C.ORDERED_AT: seconds}
    return pa.table(whole).combine_chunks().sort_by(C.CUSTOMER_ID)
