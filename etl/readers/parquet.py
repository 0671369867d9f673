"""Parquet files, in the types they have."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from errors import InputError
from etl.cells import BATCH_ROWS
from etl.readers.base import Form, Source, broken, column_names, content_sha256


def read(path: Path, form: Form) -> Source:
    """Open a Parquet file; columns of lists, structures or bytes are left out, for no line of a sale needs them."""
    try:
        with parquet.ParquetFile(path) as file:
            layout, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault; Arrow's have no number
            raise
        raise broken(path.name, "Parquet", error) from error
    columns = [field.name for field in layout if not _unreadable(field.type)]
    if not columns:
        raise InputError(f"{path.name} has no column of text, numbers or dates; export it again.")
    return Source(
        name=path.name,
        sha256=content_sha256(path),
        columns=column_names(columns, path.name),
        rows=rows,
        batches=lambda: batches(path, columns),
    )


def batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns' rows, under their trimmed names; text of every kind, dictionaries too, comes as plain text."""
    names = column_names(columns, path.name)
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                batch.validate(full=True)  # Parquet promises that text is UTF-8, and nobody checks it on writing
                chosen = batch.select(list(columns))
                yield pa.record_batch([column.cast(_plain(column.type)) for column in chosen.columns], names=names)
    except (pa.ArrowException, OSError) as error:
        raise broken(path.name, "Parquet", error) from error


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_decimal(kind) and kind.bit_width < 128:  # of these Arrow can do little
        return pa.decimal128(kind.precision, kind.scale)
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _unreadable(kind: pa.DataType) -> bool:
    kind = _plain(kind)
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return pa.types.is_nested(kind) or any(test(kind) for test in binary)
