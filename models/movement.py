"""How customers move between segments from one moment to another, and why.

Each moment has a yardstick of its own (cut points, centres). A customer who stands elsewhere at the later moment moved
because the *behaviour* changed where the earlier yardstick, laid at the later numbers, says so too; otherwise only the
*yardstick* did. Behaviour changed by what the customer *bought*, by what only came back (*returned*), or because
nothing was bought and time passed (*quiet*).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from db.columns import Columns as C

CAUSES = {"=": "stayed", "b": "bought", "r": "returned", "q": "quiet", "y": "yardstick", "n": "new"}
"""Letter -> word."""
ABSENT = "."
"""The letter of who is no customer yet."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

Labels = npt.NDArray[np.int16]
_Bytes = npt.NDArray[np.uint8]


class Yardstick(Protocol):
    """What tells customers apart: the label of each row of a features frame."""

    def labels(self, features: pd.DataFrame) -> Labels:
        """One label a row."""
        ...


@dataclass(frozen=True)
class Stand:
    """Where customers stood at a moment: features by customer number (ascending), and the yardstick of the moment."""

    as_of: datetime
    features: pd.DataFrame
    yardstick: Yardstick


@dataclass(frozen=True)
class Movement:
    """How all customers moved among all moments, under one grouping.

    `flows` has a row a pair of moments, segment before, segment after and cause: from_moment, to_moment, from_segment
    and to_segment (labels; -1 before for who was no customer yet), cause, customers, revenue (net, between the
    moments). `path` has for each customer a letter a moment, `causes` a letter a pair of moments (i before j stands at
    j(j-1)/2 + i); `letters` tells label -> letter.
    """

    flows: pd.DataFrame
    letters: Mapping[int, str]
    path: pa.Array
    causes: pa.Array


def movement(stands: Sequence[Stand], customers: int) -> Movement:
    """Movement among moments (ascending; no more labels in all than `LETTERS`) of customers 0 to `customers` - 1.

    With one moment there are paths but no flows. Who is a customer at a moment is one at every later moment.
    """
    labels = [stand.yardstick.labels(stand.features) for stand in stands]
    kinds = np.unique(np.concatenate(labels))
    letters = {int(label): LETTERS[at] for at, label in enumerate(kinds)}
    alphabet = np.frombuffer("".join(letters.values()).encode(), np.uint8)
    place = [np.searchsorted(kinds, found) for found in labels]
    path = np.full((customers, len(stands)), ord(ABSENT), np.uint8)
    for at, stand in enumerate(stands):
        path[stand.features.index, at] = alphabet[place[at]]
    causes = np.full((customers, len(stands) * (len(stands) - 1) // 2), ord(ABSENT), np.uint8)
    flows = []
    for later in range(len(stands)):
        for earlier in range(later):
            before, after = stands[earlier], stands[later]
            is_other = before.yardstick.labels(after.features)[_at(before, after)] != labels[earlier]
            moved = _moved(before, after, place[earlier], place[later], is_other)
            causes[after.features.index, later * (later - 1) // 2 + earlier] = moved.cause
            flows.append(_flows(moved, len(kinds)).assign(**{C.FROM_MOMENT: earlier, C.TO_MOMENT: later}))
    columns = [C.FROM_MOMENT, C.TO_MOMENT, C.FROM_SEGMENT, C.TO_SEGMENT, C.CAUSE, C.CUSTOMERS, C.REVENUE]
    table = pd.concat(flows, ignore_index=True)[columns] if flows else pd.DataFrame(columns=columns)
    names = dict(enumerate(kinds.tolist())) | {-1: -1}
    table = table.assign(**{column: table[column].map(names) for column in (C.FROM_SEGMENT, C.TO_SEGMENT)})
    return Movement(table, letters, _texts(path), _texts(causes))


@dataclass(frozen=True)
class _Moved:
    """One entry for each customer at the later moment; places count the labels, -1 before is no customer yet."""

    before: npt.NDArray[np.intp]
    after: npt.NDArray[np.intp]
    cause: _Bytes
    revenue: npt.NDArray[np.float64]


def _moved(
    before: Stand,
    after: Stand,
    own: npt.NDArray[np.intp],
    now: npt.NDArray[np.intp],
    is_other: npt.NDArray[np.bool_],
) -> _Moved:
    """`own` and `now` are the places at the moments; `is_other` says whose later numbers lie elsewhere on the earlier
    yardstick."""
    at = _at(before, after)

    def since(column: str) -> npt.NDArray[np.float64]:
        change = after.features[column].to_numpy(np.float64, copy=True)
        change[at] -= before.features[column].to_numpy(np.float64)
        return change

    then = np.full(len(now), -1)
    then[at] = own
    is_behaviour = np.zeros(len(now), bool)
    is_behaviour[at] = is_other
    cause = np.select(
        [then < 0, then == now, ~is_behaviour, since(C.FREQUENCY) > 0, since("returned") > 0],
        [ord(letter) for letter in "n=ybr"],
        ord("q"),
    )
    return _Moved(then, now, cause.astype(np.uint8), since(C.MONETARY))


def _at(before: Stand, after: Stand) -> npt.NDArray[np.intp]:
    """The rows at the later moment of the customers of the earlier one."""
    return np.searchsorted(after.features.index, before.features.index)


def _flows(moved: _Moved, kinds: int) -> pd.DataFrame:
    """The customers and their revenue by place before, place after and cause."""
    words = list(CAUSES.values())
    number = np.zeros(256, np.intp)
    number[[ord(letter) for letter in CAUSES]] = np.arange(len(words))
    cell = ((moved.before + 1) * kinds + moved.after) * len(words) + number[moved.cause]
    cells = (kinds + 1) * kinds * len(words)
    counted = np.bincount(cell, minlength=cells)
    revenue = np.bincount(cell, moved.revenue, minlength=cells)
    there = np.flatnonzero(counted)
    columns: dict[str, Any] = {
        C.FROM_SEGMENT: there // (kinds * len(words)) - 1,
        C.TO_SEGMENT: there // len(words) % kinds,
        C.CAUSE: [words[one] for one in there % len(words)],
        C.CUSTOMERS: counted[there],
        C.REVENUE: revenue[there],
    }
    return pd.DataFrame(columns)


def _texts(letters: _Bytes) -> pa.Array:
    """Each row of letters as a text, without a Python object for each."""
    rows, width = letters.shape
    ends = np.arange(0, (rows + 1) * width, max(width, 1), dtype=np.int64)[: rows + 1] if width else np.zeros(rows + 1)
    buffers = [None, pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(np.ascontiguousarray(letters))]
    return pa.Array.from_buffers(pa.large_string(), rows, buffers)
