"""The Flask server around the application: package files, health, downloads."""

import json
import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import flask_bootstrap
import pyarrow as pa
import pyarrow.compute as pc
from dash.exceptions import DependencyException
from flask import Flask, Response, request, send_from_directory
from pyarrow import csv
from werkzeug.exceptions import HTTPException

from dashboard.view import Views
from db.grid import GridRequest
from db.queries import customers
from errors import SnapshotError

ASSETS = Path(__file__).parent / "assets"
_BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css"
_FORMULA = r"^[=+\-@\t\r]"
_log = logging.getLogger(__name__)


def create_server(views: Views) -> Flask:
    """The server with its own routes; Dash adds the rest."""
    server = Flask("shopper_spectrum")

    @server.get("/vendor/bootstrap.min.css")
    def bootstrap() -> Response:
        return send_from_directory(_BOOTSTRAP, "bootstrap.min.css", max_age=86_400)

    @server.get("/health/live")
    def live() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @server.get("/health/ready")
    def ready() -> Response:
        try:
            version = views.snapshot().version
        except SnapshotError as error:
            return Response(f"{error}\n", status=503, mimetype="text/plain")
        return Response(f"snapshot {version}\n", mimetype="text/plain")

    @server.get("/download/customers.csv")
    def customer_list() -> Response:
        return _customer_list(views)

    @server.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    @server.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return Response(f"{error.name}.\n", error.code, mimetype="text/plain")
        if isinstance(error, DependencyException):
            return Response("Not Found.\n", 404, mimetype="text/plain")
        reference = uuid4().hex[:8]
        _log.exception("request %s failed (reference %s)", request.path, reference)
        return Response(f"Something went wrong; the log has the cause under {reference}.\n", 500, mimetype="text/plain")

    return server


def _customer_list(views: Views) -> Response:
    """The filtered list as a stream: one snapshot, counted first, and cut off visibly if the rows do not add up."""
    query = request.query_string.decode(errors="replace")
    try:
        view = views.view(query)
    except SnapshotError as error:
        return Response(f"{error}\n", status=503, mimetype="text/plain")
    asked = GridRequest.parse(_grid(request.args.get("grid", "")), customers.COLUMNS)
    total, batches = customers.whole_list(view.snapshot, view.filters, asked)
    name = f"customers-{view.span.end.isoformat()}-v{view.snapshot.version}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Spectrum-Rows": str(total),
        "X-Spectrum-Data-Version": view.snapshot.manifest.data_version,
        "Cache-Control": "no-store",
    }
    return Response(_csv(batches, total), mimetype="text/csv", headers=headers)


def _csv(batches: Iterator[pa.RecordBatch], total: int) -> Iterator[bytes]:
    delivered = 0
    yield (",".join(f'"{name}"' for name in customers.LIST_COLUMNS) + "\n").encode()
    for batch in batches:
        sink = BytesIO()
        csv.write_csv(_harmless(batch), sink, csv.WriteOptions(include_header=False))
        delivered += batch.num_rows
        yield sink.getvalue()
    if delivered != total:  # ends the response without its last chunk, so that no client takes it for whole
        raise RuntimeError(f"The list has {total} customers but {delivered} were read.")


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text cells that a spreadsheet would run as formulas get an apostrophe in front."""
    columns = [
        pc.if_else(pc.match_substring_regex(column, _FORMULA), pc.binary_join_element_wise("'", column, ""), column)
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _grid(text: str) -> object:
    try:
        return json.loads(text) if len(text) <= 10_000 else None
    except ValueError:
        return None
