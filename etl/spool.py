"""What has to wait while a file is read: in files, so that memory does not grow."""

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import IO

import pyarrow as pa

_AT_MOST = 400_000  # rows held in memory


class Spool:
    """Batches of one schema set aside in a file, to be read back once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer: pa.RecordBatchStreamWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Set a batch aside; an empty one leaves nothing."""
        if batch.num_rows:
            self._writer = self._writer or pa.ipc.new_stream(self._file, batch.schema)
            self._writer.write_batch(batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was set aside, in its order; nothing where nothing was."""
        if self._writer is not None:
            self._writer.close()
            self._file.seek(0)
            yield from pa.ipc.open_stream(self._file)


class Gathered:
    """Rows summed up by their keys as they come: `value` of equal keys becomes one (`how`: max, sum). Threads may add.

    Keys that come again after very many others may be given back more than once.
    """

    def __init__(self, file: IO[bytes], keys: Sequence[str], value: str, how: str) -> None:
        self._spool = Spool(file)
        self._keys, self._value, self._how = list(keys), value, how
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._lock = Lock()

    def add(self, table: pa.Table) -> None:
        """Take in rows of the keys and the value."""
        with self._lock:
            self._waiting.append(table)
            self._rows += table.num_rows
            if self._rows > _AT_MOST:
                self._sum_up()
                if self._rows > _AT_MOST // 2:
                    self._set_aside()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The keys with their values."""
        if self._waiting:
            self._sum_up()
            self._set_aside()
        yield from self._spool.batches()

    def _sum_up(self) -> None:
        grouped = pa.concat_tables(self._waiting).group_by(self._keys, use_threads=False)
        summed = grouped.aggregate([(self._value, self._how)]).rename_columns([*self._keys, self._value])
        self._waiting, self._rows = [summed], summed.num_rows

    def _set_aside(self) -> None:
        for batch in pa.concat_tables(self._waiting).combine_chunks().to_batches():
            self._spool.add(batch)
        self._waiting, self._rows = [], 0
