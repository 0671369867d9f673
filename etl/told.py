"""What the rows of a file tell together: the currency of its amounts, and money that is off whole orders."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.mapping import Layout
from etl.meanings import EXPORTS, export_of, keys
from etl.search import numbers


class Told:
    """One pass over the rows of a file, some at a time.

    currencies: each with the first row that has it, from 1. sums: column of money off whole orders -> its sum.
    """

    def __init__(self, name: str, layout: Layout, columns: Sequence[str]) -> None:
        self._name, self._decimal = name, layout.decimals.get(C.UNIT_PRICE)
        export = export_of(columns) if layout.kind == "orders" else None
        of_orders = keys(EXPORTS[export].of_orders) if export else frozenset()
        used = set(layout.columns.values())
        self.sums = {column: 0.0 for column in columns if keys([column]) <= of_orders and column not in used}
        self.currencies: dict[str, int] = {}

    def see(self, currency: pa.Array | None, first_row: int) -> None:
        """Note the currencies of rows numbered from `first_row`, blank ones aside; None: the file tells none.

        Raises InputError at the second one: sums over both would be of nothing.
        """
        if currency is None:
            return
        written = pc.utf8_upper(parse.text(currency))
        for one in pc.unique(written).drop_null().to_pylist():
            self.currencies.setdefault(one, first_row + pc.index(written, one).as_py())
        if len(self.currencies) > 1:
            (one, _), (other, row), *_ = sorted(self.currencies.items(), key=lambda found: found[1])
            raise InputError(
                f"{self._name} has amounts in more than one currency ({one}, and in row {row:,} {other}); export "
                "each currency by itself, or convert the amounts to one, and load it again."
            )

    def add(self, rows: pa.RecordBatch, numbered: pa.Array, accepted: pa.Array) -> None:
        """Sum up what rows with these numbers have off whole orders, those that are `accepted` by their numbers."""
        for column in self.sums:
            cells = rows.column(column).filter(pc.is_in(numbered, accepted))
            values = numbers(cells) if self._decimal is None else parse.number(cells, self._decimal)
            self.sums[column] += pc.sum(values, min_count=0).as_py()

    def remarks(self, which: str) -> list[str]:
        """Sentences about all this, the sums being of the rows said: accepted, all."""
        said = [f"The amounts are in {currency}." for currency in self.currencies]
        off = [f"{column} ({total:,.2f} in {which} rows)" for column, total in self.sums.items() if total]
        if off:
            said.append(
                f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} of whole orders and not subtracted, because "
                "the file does not say of which lines."
            )
        return said
