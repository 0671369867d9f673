"""What a page on the quality of recommendations shows: a frozen value <-> the text it has in an address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Slice: TypeAlias = Literal["discover", "buy_again", "any"]

SLICES: tuple[Slice, ...] = ("discover", "buy_again", "any")
BASELINES: Mapping[Slice, Sequence[str]] = {
    "discover": ("popular", "item_knn", "ease", "als"),
    "buy_again": ("own_history",),
    "any": ("popular", "item_knn", "ease", "als", "own_history"),
}
"""The models that recommendations are held against before they are published."""
DEPTHS = (10, 5)
"""Ranks of a list that are judged."""
_FORM = re.compile(r"(discover|buy_again|any):(\d{1,2}):(5|10):(\d{0,9})")


@dataclass(frozen=True)
class Judged:
    """A slice of the products, a window of the test (0: all together), a depth of the lists, a run.

    Without a run it is the published one, or before the first the newest.
    """

    of: Slice = "discover"
    fold: int = 0
    k: int = 10
    run_id: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Judged":
        """`discover:0:10:`, or `buy_again:1:5:12`; anything else is the default."""
        found = _FORM.fullmatch(text)
        if found is None:
            return cls()
        of = next(name for name in SLICES if name == found[1])
        return cls(of, int(found[2]), int(found[3]), int(found[4] or 0) or None)

    def text(self) -> str:
        """Its canonical form in an address."""
        return f"{self.of}:{self.fold}:{self.k}:{self.run_id or ''}"


USUAL = Judged()
"""What is shown where nothing is asked for."""
