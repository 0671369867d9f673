"""Whether a file writes 1,234 for one thousand and more or for one and a bit: the whole column decides."""

from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from errors import InputError
from etl import parse
from etl.mapping import Layout
from etl.readers.base import Source

_NUMERIC = (C.QUANTITY, C.UNIT_PRICE, C.DISCOUNT, C.AMOUNT)


def with_decimal_marks(layout: Layout, source: Source) -> Layout:
    """The layout with `decimals` told from the columns of numbers that are text; plain ones (12, -3.5) need none.

    A column that shows neither mark (1,234 or 1.234 all the way down) follows the others of the file. Raises InputError
    where those do not tell or disagree, and where one column has both marks for its decimals or more than one currency.
    A mark that is given stands.
    """
    found = {canonical: _Written() for canonical in _NUMERIC if canonical in layout.columns}
    for batch in source.batches():
        columns = {canonical: batch.column(layout.columns[canonical]) for canonical in found}
        found = {name: written for name, written in found.items() if pa.types.is_string(columns[name].type)}
        if not found:
            return layout
        for canonical, written in found.items():
            per_cent = canonical == C.DISCOUNT and layout.discount_is == "percent"
            column = parse.percentages(columns[canonical]) if per_cent else columns[canonical]
            written.add(pc.unique(parse.text(column)))
    decimals = {}
    for canonical, written in found.items():
        where = f"The column {layout.columns[canonical]} of {source.name}"
        others = {mark for other in found.values() for mark in other.proofs}
        if canonical in layout.decimals:
            continue
        mark = _mark(written, others, where)
        if mark == "," or not written.plain:
            decimals[canonical] = mark
    return replace(layout, decimals={**decimals, **layout.decimals})


@dataclass
class _Written:
    """What one column has shown so far, each by its first example."""

    proofs: dict[str, str] = field(default_factory=dict)
    """Decimal mark -> a number that can have no other."""
    open: str | None = None
    """A number that can be read with either, and differently."""
    plain: bool = True
    currencies: set[str] = field(default_factory=set)

    def add(self, cells: pa.Array) -> None:
        plain = pc.match_substring_regex(cells, parse.PLAIN_NUMBER)
        cells = parse.signed(cells)
        point, comma = (pc.match_substring_regex(cells, parse.NUMBER_BY_MARK[mark]) for mark in ".,")
        for mark, proof in ((".", pc.and_not(point, comma)), (",", pc.and_not(comma, point))):
            if (example := _first(cells, proof)) is not None:
                self.proofs.setdefault(mark, example)
        both = cells.filter(pc.and_(point, comma))
        self.open = self.open or _first(both, pc.match_substring_regex(both, "[.,]"))
        marked = cells.filter(pc.and_not(pc.or_(point, comma), plain))
        self.plain = self.plain and not len(marked)
        self.currencies |= {name for name in pc.unique(parse.currency(marked)).to_pylist() if name}


def _mark(written: _Written, others: set[str], where: str) -> str:
    if len(written.currencies) > 1:
        raise InputError(
            f"{where} has more than one currency ({', '.join(sorted(written.currencies))}); "
            "write all of it in one and load it again."
        )
    if len(written.proofs) > 1:
        raise InputError(
            f"{where} contradicts itself: {written.proofs['.']} has a decimal point, {written.proofs[',']} a decimal "
            "comma; write all of it one way and load it again."
        )
    known = set(written.proofs) or others
    if written.open and len(known) != 1:
        mark = "comma" if "," in written.open else "point"
        raise InputError(
            f"{where} has {written.open}, and no number of the file tells whether its {mark} parts thousands or "
            "decimals; say it under [decimals] in a mapping file (`python -m etl inspect FILE --write MAPPING.toml`)."
        )
    return min(known) if written.open or written.proofs else "."


def _first(cells: pa.Array, chosen: pa.Array) -> str | None:
    found = cells.filter(chosen)
    return str(found[0]) if len(found) else None
