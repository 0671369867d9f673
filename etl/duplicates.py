"""Exact duplicates within a file, found in memory that does not grow with it.

A Bloom filter (Bloom 1970, Communications of the ACM 13:7) of one bit a row says of nearly all rows that they are new.
The few others are held back, and when all rows were seen the hashes that were written to disk tell which of them really
repeat a row.
"""

from collections.abc import Iterator
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX = np.uint64(0xBF58_476D_1CE4_E5B9)
_NULL = np.uint64(0xD1B5_4A32_D192_ED03)
_FILTER_BITS = 29  # 64 MiB: of 20 million rows 2 % are held back for nothing, of 100 million 9 %
_AT_ONCE = 1 << 20  # hashes held in memory while the held-back rows are told apart
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(9)], dtype=np.uint64)


class SeenRows:
    """The rows of one file so far. Two different rows share a 64-bit hash with probability n^2 / 2^65.

    `hashes` and `doubtful` are empty files, open for reading and writing, that take 8 bytes a row and 8 a doubtful row.
    """

    def __init__(self, hashes: IO[bytes], doubtful: IO[bytes]) -> None:
        self._hashes, self._doubtful = hashes, doubtful
        self._filter = np.zeros(1 << _FILTER_BITS - 3, dtype=np.uint8)
        self._rows = self._doubts = 0

    def doubts(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """True for each row that may equal an earlier one of the file in every column (nulls are equal)."""
        hashes = row_hashes(batch)
        bits = (hashes >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)
        byte, bit = bits >> 3, np.left_shift(1, bits & 7, dtype=np.int64).astype(np.uint8)
        doubtful = (self._filter[byte] & bit != 0) | pd.Series(hashes).duplicated().to_numpy()
        np.bitwise_or.at(self._filter, byte, bit)
        self._hashes.write(hashes.tobytes())
        self._doubtful.write(hashes[doubtful].tobytes())
        self._rows += len(hashes)
        self._doubts += int(doubtful.sum())
        return np.asarray(doubtful)

    def repeats(self) -> NDArray[np.bool_]:
        """True for each row of the file, in its order, that equals an earlier one; asked once, when all were seen."""
        found = np.zeros(self._rows, dtype=np.bool_)
        parts = np.uint64(1 + self._doubts // _AT_ONCE)
        for part in range(int(parts) if self._doubts else 0):
            wanted = np.unique(np.concatenate([h[h % parts == part] for _, h in _read(self._doubtful)]))
            places, hashes = [], []
            for start, some in _read(self._hashes):
                at = np.flatnonzero(wanted[np.minimum(np.searchsorted(wanted, some), len(wanted) - 1)] == some)
                places.append(start + at)
                hashes.append(some[at])
            found[np.concatenate(places)] = pd.Series(np.concatenate(hashes)).duplicated().to_numpy()
        return found


def _read(file: IO[bytes]) -> Iterator[tuple[int, Hashes]]:
    """(place of the first, hashes) of a file of hashes, a part at a time."""
    file.seek(0)
    start = 0
    while content := file.read(8 * _AT_ONCE):
        hashes = np.frombuffer(content, dtype=np.uint64)
        yield start, hashes
        start += len(hashes)


def row_hashes(batch: pa.RecordBatch) -> Hashes:
    """A 64-bit hash of each row's cells, the same for equal cells of any batch of the file.

    A polynomial in an odd number modulo 2^64 over eight bytes at a time, mixed at the end of every cell.
    """
    hashes = np.zeros(batch.num_rows, dtype=np.uint64)
    for column in batch.columns:
        hashes *= _ODD
        hashes += _cell_hashes(column)
    return _mixed(hashes)


def _cell_hashes(column: pa.Array) -> Hashes:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
        wide = numbers.astype(np.float64) + 0.0 if pa.types.is_floating(kind) else numbers.astype(np.int64)
        hashes = _mixed(wide.view(np.uint64) + _ODD)  # adding 0.0 makes -0.0 zero
    else:
        hashes = _text_hashes(column if pa.types.is_string(kind) else column.cast(pa.string()))
    if column.null_count:
        hashes = np.where(column.is_null().to_numpy(zero_copy_only=False), _NULL, hashes)
    return hashes


def _text_hashes(column: pa.StringArray) -> Hashes:
    """Straight from Arrow's buffers: most texts are of one to three times eight bytes."""
    _, ends, data = column.buffers()
    places = np.frombuffer(ends, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    content = np.frombuffer(data, dtype=np.uint8)[places[0] : places[-1]] if data else np.empty(0, np.uint8)
    starts, lengths = places[:-1] - places[0], np.diff(places)
    longest = int(lengths.max(initial=0))
    padded = np.concatenate([content, np.zeros(longest + 8, np.uint8)])
    words = np.ndarray(len(padded) - 7, dtype="<u8", buffer=padded.data, strides=(1,))
    hashes = lengths.astype(np.uint64)
    rows = None  # those that are long enough, once they are few: until then it is faster to look at all
    for at in range(0, longest, 8):
        if rows is None and np.count_nonzero(lengths > at) * 2 > len(lengths):
            word = words[starts + at] & _MASKS[np.clip(lengths - at, 0, 8)]
            hashes = np.where(lengths > at, (hashes + word) * _ODD, hashes)
        else:
            rows = np.flatnonzero(lengths > at) if rows is None else rows[lengths[rows] > at]
            word = words[starts[rows] + at] & _MASKS[np.minimum(lengths[rows] - at, 8)]
            hashes[rows] = (hashes[rows] + word) * _ODD
    return _mixed(hashes)


def _mixed(hashes: Hashes) -> Hashes:
    """Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators: the half of SplitMix64's finish."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX
    return np.asarray(hashes ^ (hashes >> np.uint64(27)))
