"""Lists that a route streams as CSV: of one snapshot, counted first, cut off visibly where the rows do not add up."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from flask import Flask, Response, request
from pyarrow import csv

from dashboard.view import View, Views
from db.grid import ColumnKind, GridRequest
from db.queries import audience, bundles, customers, recommendations
from errors import SnapshotError

CUSTOMERS, BUNDLES = "/download/customers.csv", "/download/bundles.csv"
"""The routes of the lists that grids show."""

Rows: TypeAlias = tuple[int, Iterator[pa.RecordBatch]]
"""How many rows there are, and the batches that bring them."""

_FORMULA = r"^[=+\-@\t\r]"
_LONGEST_ID = 1_000


def address_of(route: str, query: str, request: Mapping[str, Any] | None = None) -> str:
    """Of the list that a grid shows: under the same filters, order and column filters (of its request for rows)."""
    told = request or {}
    asked = {name: told.get(name) for name in ("sortModel", "filterModel") if told.get(name)}
    grid = f"grid={quote(json.dumps(asked, separators=(',', ':')))}" if asked else ""
    return route + (f"{query or '?'}{'&' if query else ''}{grid}" if grid else query)


def register(server: Flask, views: Views) -> None:
    """Each route takes the filters of a page, and streams what that page lists."""

    @server.get(CUSTOMERS)
    def customer_list() -> Response:
        def rows(view: View) -> Rows:
            return customers.whole_list(view.snapshot, view.filters, _asked(customers.COLUMNS))

        return _streamed(views, "customers", customers.LIST_COLUMNS, rows)

    @server.get("/download/recommendations.csv")
    def offers() -> Response:
        def rows(view: View) -> Rows:
            return recommendations.whole_lists(view.snapshot, view.filters)

        return _streamed(views, "recommendations", recommendations.WHOLE_LIST, rows)

    @server.get("/download/audience.csv")
    def whom_to_write_to() -> Response:
        def rows(view: View) -> Rows:
            return audience.whole_audience(view.snapshot, view.filters, request.args.get("about", "")[:_LONGEST_ID])

        return _streamed(views, "audience", audience.WHOLE_AUDIENCE, rows)

    @server.get(BUNDLES)
    def rules_of_baskets() -> Response:
        def rows(view: View) -> Rows:
            return bundles.whole_list(view.snapshot, view.filters.rules, _asked(bundles.COLUMNS))

        return _streamed(views, "bundles", tuple(bundles.COLUMNS), rows)


def _streamed(views: Views, name: str, columns: Sequence[str], rows: Callable[[View], Rows]) -> Response:
    try:
        view = views.view(request.query_string.decode(errors="replace"))
    except SnapshotError as error:
        return Response(f"{error}\n", status=503, mimetype="text/plain")
    total, batches = rows(view)
    file = f"{name}-{view.span.end.isoformat()}-v{view.snapshot.version}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{file}"',
        "X-Spectrum-Rows": str(total),
        "X-Spectrum-Data-Version": view.snapshot.manifest.data_version,
        "Cache-Control": "no-store",
    }
    return Response(_csv(columns, batches, total), mimetype="text/csv", headers=headers)


def _csv(columns: Sequence[str], batches: Iterator[pa.RecordBatch], total: int) -> Iterator[bytes]:
    delivered = 0
    yield (",".join(f'"{name}"' for name in columns) + "\n").encode()
    for batch in batches:
        sink = BytesIO()
        csv.write_csv(_harmless(batch), sink, csv.WriteOptions(include_header=False))
        delivered += batch.num_rows
        yield sink.getvalue()
    if delivered != total:  # ends the response without its last chunk, so that no client takes it for whole
        raise RuntimeError(f"The list has {total} rows but {delivered} were read.")


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text cells that a spreadsheet would run as formulas get an apostrophe in front."""
    columns = [
        pc.if_else(pc.match_substring_regex(column, _FORMULA), pc.binary_join_element_wise("'", column, ""), column)
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _asked(columns: dict[str, ColumnKind]) -> GridRequest:
    """The order and the filters of the grid that the address carries."""
    text = request.args.get("grid", "")
    try:
        return GridRequest.parse(json.loads(text) if len(text) <= 10_000 else None, columns)
    except ValueError:
        return GridRequest.parse(None, columns)
