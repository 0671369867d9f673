"""The cells of a file under canonical names: chosen, constants and carried cells filled in, nothing read yet."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from db.columns import Columns as C
from etl import parse
from etl.mapping import Layout
from etl.meanings import key

Mask = NDArray[np.bool_]


class Cells:
    """The cells of one file, batch by batch in the file's order; it remembers where the batch before it ended."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._carried = [name for name in layout.carried if name in layout.columns and C.ORDER_ID in layout.columns]
        self._above: dict[str, pa.Scalar] = {}
        """Canonical name -> the last row's cell in the batches so far, filled in."""

    def of(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """Canonical name -> the batch's cells as the file has them; nothing is copied where nothing is to be done.

        A column that the file lacks is no key, or holds its constant. A blank carried cell has what stands above it
        in the same order, an order being rows below each other with one id. A product without an id goes by its name.
        An e-mail address that tells a customer is one in capitals and small letters. A date without a clock has
        the time of day beside it.
        """
        columns = self._layout.columns
        cells = {canonical: batch.column(name) for canonical, name in columns.items()}
        for canonical, value in self._layout.constants.items():
            cells[canonical] = pa.repeat(pa.scalar(value, pa.string()), batch.num_rows)
        if C.TIME_OF_DAY in cells:
            cells[C.ORDERED_AT] = parse.at_clock(cells[C.ORDERED_AT], cells.pop(C.TIME_OF_DAY))
        if C.DISCOUNT in columns and self._layout.discount_is == "percent":
            cells[C.DISCOUNT] = parse.percentages(cells[C.DISCOUNT])
        if self._carried and batch.num_rows:
            self._carry(cells)
        if "mail" in key(columns.get(C.CUSTOMER_ID, "")):
            cells[C.CUSTOMER_ID] = pc.utf8_lower(parse.text(cells[C.CUSTOMER_ID]))
        if C.PRODUCT_NAME in columns:
            cells[C.PRODUCT_ID] = _identity(cells.get(C.PRODUCT_ID), cells[C.PRODUCT_NAME])
        return cells

    def _carry(self, cells: dict[str, pa.Array]) -> None:
        if C.ORDER_ID in self._carried:
            cells[C.ORDER_ID] = _filled(cells[C.ORDER_ID], None, self._above.get(C.ORDER_ID))
        starts = self._starts(cells[C.ORDER_ID])
        for name in self._carried:
            if name != C.ORDER_ID:
                cells[name] = _filled(cells[name], starts, self._above.get(name))
        for name in (C.ORDER_ID, *self._carried):
            self._above[name] = cells[name][-1]

    def _starts(self, order_id: pa.Array) -> Mask:
        """True where a row is of another order than the row above it, or of none."""
        above = self._above.get(C.ORDER_ID, pa.scalar(None, order_id.type))
        shifted = pa.concat_arrays([pa.array([above.as_py()], order_id.type), order_id.slice(0, len(order_id) - 1)])
        same = pc.and_(pc.fill_null(pc.equal(order_id, shifted), False), pc.invert(_blank(order_id)))
        return np.asarray(pc.invert(same).to_numpy(zero_copy_only=False))


def _filled(column: pa.Array, starts: Mask | None, above: pa.Scalar | None) -> pa.Array:
    """Blank cells take the cell above them, unless their row starts an order; `above` stands over the first row."""
    blank = np.asarray(_blank(column).to_numpy(zero_copy_only=False))
    if not blank.any():
        return column
    own = ~blank if starts is None else ~blank | starts
    places = np.maximum.accumulate(np.where(own, np.arange(len(column)) + 1, 0))  # 0: above this batch
    over = pa.array([None if above is None else above.as_py()], column.type)
    return pa.concat_arrays([over, column]).take(pa.array(places))


def _identity(product_id: pa.Array | None, product_name: pa.Array) -> pa.Array:
    if product_id is None:
        return product_name
    if not pc.any(_blank(product_id)).as_py():
        return product_id
    return pc.coalesce(parse.identifier(product_id), parse.text(product_name))


def _blank(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return parse.missing(column)
    empty = pc.equal(pc.binary_length(column), 0)
    return pc.fill_null(pc.or_(empty, pc.utf8_is_space(column)), True)
