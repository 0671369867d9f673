"""What the columns of one file mean: by their names, confirmed or refused by their cells, or by the cells alone."""

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from db.columns import Columns as C
from etl import parse
from etl.meanings import EMAIL, MOMENTS, NUMBERS, OTHER_MOMENTS, Names, key, keys

_MOST_SEARCHED = 300
"""A file of more columns is understood by their names alone."""
_MOST = 0.95
"""The share of cells that must fit where no name tells what a column is."""


class Search:
    """The columns of one file, each chosen for at most one meaning."""

    def __init__(self, columns: Sequence[str], look: pa.RecordBatch | None) -> None:
        self._look = look
        self._columns = columns
        self._places = {column: place for place, column in enumerate(columns)}
        self._of_key: dict[str, list[str]] = {}
        for column in columns:
            self._of_key.setdefault(key(column), []).append(column)
        self.chosen: dict[str, str] = {}
        self.why: dict[str, str] = {}
        self.equal: dict[str, list[str]] = {}
        self.remarks: list[str] = []

    def by_name(self, names: Names) -> None:
        """The best name whose cells fit is chosen; one whose cells are all blank only where there is no other.

        Quantities that are no numbers stay what they are called: each row would count as one piece otherwise.
        """
        for canonical, ranks in names.items():
            named = [[c for name in keys(rank) for c in self._of_key.get(name, ())] for rank in ranks]
            free = [self._free(rank) for rank in named]
            fits = {column: self._fits(canonical, column) for rank in free for column in rank}
            for wanted in (True, None, False) if canonical == C.QUANTITY else (True, None):
                best = next((like for rank in free if (like := [c for c in rank if fits[c] is wanted])), [])
                if len(best) == 1:
                    self.chosen[canonical], self.why[canonical] = best[0], "by name"
                elif best:
                    self.equal[canonical] = best
                if best:
                    break
            for column in fits:
                if fits[column] is False and canonical not in (*self.chosen, C.TIME_OF_DAY):  # any time is called so
                    what = "date" if canonical in MOMENTS else "currency" if canonical == C.CURRENCY else "number"
                    self.remarks.append(f"{column} holds no {what}, such as {self._cell(column)!r}.")

    def by_content(self, names: Names) -> None:
        """A date or a customer without a known name is the only column of dates or of e-mail addresses."""
        if self._look is None or len(self._columns) > _MOST_SEARCHED:
            return
        for canonical in (C.ORDERED_AT, C.OCCURRED_AT, C.CUSTOMER_ID):
            if canonical not in names or canonical in self.chosen or canonical in self.equal:
                continue
            moment = canonical in MOMENTS
            free = self._free(self._columns)
            if moment:
                free = [column for column in free if not OTHER_MOMENTS.search(column)]
            found = [c for c in free if _share(self._look.column(c), _moments if moment else _emails) >= _MOST]
            if len(found) == 1:
                self.chosen[canonical], self.why[canonical] = found[0], "by content"
            elif found and moment:
                self.equal[canonical] = found

    def _free(self, columns: Collection[str]) -> list[str]:
        """Those not chosen yet, in the file's order."""
        taken = self.chosen.values()
        return sorted((column for column in columns if column not in taken), key=self._places.__getitem__)

    def _fits(self, canonical: str, column: str) -> bool | None:
        """Whether any cell of the first rows is what the meaning needs; None: all are blank."""
        if self._look is None:
            return None
        cells = self._look.column(column)
        if pc.all(parse.missing(cells)).as_py():
            return None
        if canonical in MOMENTS:
            return _share(cells, _moments) > 0
        if canonical == C.CURRENCY:
            return _share(cells, _currencies) > 0
        if canonical == C.TIME_OF_DAY:
            return _share(cells, parse.clock) > 0
        if canonical == C.DISCOUNT:
            cells = parse.percentages(cells)
        return canonical not in NUMBERS or _share(cells, numbers) > 0

    def _cell(self, column: str) -> str:
        cells = parse.text(self._look.column(column)).drop_null() if self._look is not None else []
        return str(cells[0])[:40]


def numbers(column: pa.Array) -> pa.Array:
    """Float64 by the decimal mark that reads more cells; the first rows alone do not decide what is stored."""
    ways = [parse.number(column, mark) for mark in ".,"]
    return min(ways, key=lambda read: read.null_count)


def _moments(column: pa.Array) -> pa.Array:
    return pc.coalesce(parse.moment(column, True), parse.moment(column, False))


def _currencies(column: pa.Array) -> pa.Array:
    """Codes, signs and words; a column of that name may also hold amounts or rates."""
    written = parse.text(column)
    return pc.if_else(pc.match_substring_regex(written, "[0-9]"), None, written)


def _emails(column: pa.Array) -> pa.Array:
    written = parse.text(column)
    return pc.if_else(pc.match_substring_regex(written, EMAIL), written, None)


def _share(column: pa.Array, read: Callable[[pa.Array], pa.Array]) -> float:
    """The share of the cells that are not blank that can be read; 0 where all are blank."""
    written = len(column) - pc.sum(parse.missing(column)).as_py()
    cells = read(column)
    return (len(cells) - cells.null_count) / written if written else 0.0
