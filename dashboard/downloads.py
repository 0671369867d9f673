"""Lists that a route streams as CSV or Excel: of one snapshot, counted first, cut off visibly where the rows do not add
up, and with a manifest once all of it has arrived."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, jsonify, request

from dashboard import format as fmt
from dashboard.arrival import arrived
from dashboard.manifest import Deliveries, Delivery, Sending
from dashboard.noted import Noted
from dashboard.noted import told as told_of
from dashboard.sheets import MOST_XLSX_ROWS, as_csv, as_xlsx
from dashboard.trail import asked_in_words, in_words, rules_in_words
from dashboard.view import View, Views
from dashboard.who import viewer
from db.grid import ColumnKind, GridRequest, known
from db.queries import audience, bundles, customer_list, customers, recommendations
from db.queries.consent import WholeList
from errors import DatabaseError, SnapshotError, WholeShopError

CUSTOMERS, BUNDLES = "/download/customers.csv", "/download/bundles.csv"
"""The routes of the lists that grids show."""

_LONGEST_ID = 1_000
_FORMATS = {
    "csv": ("text/csv", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Listing:
    """A list: its columns, and what reads some of them; `grid` are those its grid is sorted and filtered by.

    A list with a column `customer_id` is for contacting people: it has only those who may be (`db.queries.consent`).
    """

    columns: Sequence[str]
    rows: Callable[[View, GridRequest, Sequence[str]], WholeList]
    grid: Mapping[str, ColumnKind]


def _customers(view: View, asked: GridRequest, columns: Sequence[str]) -> WholeList:
    return customer_list.whole_list(view.snapshot, view.filters, asked, view.consent, columns)


def _offers(view: View, _: GridRequest, columns: Sequence[str]) -> WholeList:
    return _only(columns, recommendations.whole_lists(view.snapshot, view.filters, view.consent))


def _audience(view: View, _: GridRequest, columns: Sequence[str]) -> WholeList:
    return _only(columns, audience.whole_audience(view.snapshot, view.filters, _about(), view.consent))


def _bundles(view: View, asked: GridRequest, columns: Sequence[str]) -> WholeList:
    return _only(columns, WholeList(*bundles.whole_list(view.snapshot, view.filters.rules, asked)))


def _only(columns: Sequence[str], rows: WholeList) -> WholeList:
    return replace(rows, batches=(batch.select(list(columns)) for batch in rows.batches))


LISTS: Mapping[str, Listing] = {
    "customers": Listing(customer_list.LIST_COLUMNS, _customers, customers.COLUMNS),
    "recommendations": Listing(recommendations.WHOLE_LIST, _offers, {}),
    "audience": Listing(audience.WHOLE_AUDIENCE, _audience, {}),
    "bundles": Listing(tuple(bundles.COLUMNS), _bundles, bundles.COLUMNS),
}


def left_out_in_words(view: View) -> str:
    """Whom lists for contacting people leave out; nothing where there is nobody to be left out."""
    if view.consent == "opt-in":
        return "Only customers who agreed to be contacted are in the download."
    if "consent" in customers.filled(view.snapshot):
        return "Customers who said no to being contacted are not in the download."
    return ""


def address_of(route: str, query: str, request: Mapping[str, Any] | None = None) -> str:
    """Of the list that a grid shows: under the same filters, order, column filters and search (of its request)."""
    told = request or {}
    asked = {name: told.get(name) for name in ("sortModel", "filterModel") if told.get(name)}
    context = told.get("context")
    search = context.get("search") if isinstance(context, Mapping) else None
    asked |= {"context": {"search": search}} if search else {}
    grid = f"grid={quote(json.dumps(asked, separators=(',', ':')))}" if asked else ""
    return route + (f"{query or '?'}{'&' if query else ''}{grid}" if grid else query)


def register(server: Flask, views: Views, noted: Noted) -> None:
    """A list takes the filters of a page and `columns`. With `ask` it tells a name for the download that follows (as
    `list`), how many rows it will have and how many customers it leaves out; under that name stand how far it is and,
    in the end, its manifest."""
    deliveries = Deliveries()

    @server.get("/download/<any(customers,recommendations,audience,bundles):name>.<any(csv,xlsx):suffix>")
    def whole(name: str, suffix: str) -> Response:
        try:
            view = views.view(request.query_string.decode(errors="replace"))
            listing, asked = LISTS[name], _asked(LISTS[name].grid)
            columns = known(request.args.get("columns", "").split(","), listing.columns) or tuple(listing.columns)
            found = listing.rows(view, asked, columns)
        except WholeShopError as error:
            return _refused(str(error), 403)
        except SnapshotError as error:
            return _refused(str(error), 503)
        total = found.total
        if suffix == "xlsx" and total > MOST_XLSX_ROWS:
            return _refused(
                f"This list has {fmt.number(total)} rows, and an Excel sheet holds {fmt.number(MOST_XLSX_ROWS)}; "
                "download it as CSV.",
                413,
            )
        file = f"{name}-{view.span.end.isoformat()}-v{view.snapshot.version}.{suffix}"
        if "ask" in request.args:
            announced = deliveries.announce(viewer().name)
            return _answer({"list": announced, "rows": total, "file": file, "left_out": found.left_out})
        told = _told(view, name, file, columns, asked) | {"left_out_for_want_of_consent": found.left_out}
        try:
            noted.did("downloaded list", name, total, **told_of(view, asked), columns=list(columns), file=file)
        except DatabaseError as error:
            return _refused(f"Who downloads a list is noted first, and that cannot be done now. {error}", 503)
        delivery = Delivery(total, told)
        kept = deliveries.begin(viewer().name, request.args.get("list", "")[:_LONGEST_ID], delivery)
        mimetype, write = _FORMATS[suffix]
        headers = {
            "Content-Disposition": f'attachment; filename="{file}"',
            "X-Spectrum-Rows": str(total),
            "X-Spectrum-Data-Version": view.snapshot.manifest.data_version,
            "X-Spectrum-Manifest": f"/download/manifest/{kept}",
            **_NO_STORE,
        }
        return _Streamed(Sending(delivery, write(columns, found.batches, told)), mimetype=mimetype, headers=headers)

    @server.get("/download/progress/<name>")
    def progress(name: str) -> Response:
        found = deliveries.progress(viewer().name, name)
        return _refused("There is no such download.", 404) if found is None else _answer(found)

    @server.get("/download/manifest/<name>")
    def manifest(name: str) -> Response:
        found = deliveries.manifest(viewer().name, name)
        if found is None:
            return _refused("There is no complete list of this name: what you have of it may be cut off.", 404)
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        headers = {"Content-Disposition": f'attachment; filename="{found["file"]}.manifest.json"', **_NO_STORE}
        return Response(text, mimetype="application/json", headers=headers)


class _Streamed(Response):
    """Tells its list of the connection that it goes to."""

    def get_app_iter(self, environ: Mapping[str, Any]) -> Iterable[bytes]:
        if isinstance(self.response, Sending):
            self.response.arrived = partial(arrived, environ)
        return super().get_app_iter(dict(environ))


def _told(view: View, name: str, file: str, columns: Sequence[str], asked: GridRequest) -> dict[str, Any]:
    """What the list is: everything but its size."""
    about = [f"About product {_about()}"] if name == "audience" else []
    words = [*in_words(view), *about, *rules_in_words(view.filters.rules, view.currency), *asked_in_words(asked)]
    content = view.snapshot.manifest
    runs = dict(content.runs)
    if view.snapshot.run_id is not None:
        runs["segments"] = view.snapshot.run_id
    return {
        "list": name,
        "file": file,
        "columns": list(columns),
        "filters": words or ["none: everybody"],
        "query": view.filters.query(),
        "order": asked.order.replace('"', "") or "as the list has it",
        "runs": runs,
        "data_version": content.data_version,
        "snapshot": content.version,
        "data_to": view.span.end.isoformat(),
        "user": viewer().name,
    }


def _about() -> str:
    return request.args.get("about", "")[:_LONGEST_ID]


def _asked(columns: Mapping[str, ColumnKind]) -> GridRequest:
    """The order, the filters and the search of the grid that the address carries."""
    text = request.args.get("grid", "")
    try:
        return GridRequest.parse(json.loads(text) if len(text) <= 10_000 else None, columns)
    except (ValueError, RecursionError):
        return GridRequest.parse(None, columns)


def _refused(sentence: str, status: int) -> Response:
    if "ask" in request.args:
        return _answer({"error": sentence})
    return Response(f"{sentence}\n", status=status, mimetype="text/plain")


def _answer(told: Mapping[str, Any]) -> Response:
    reply = jsonify(told)
    reply.headers.update(_NO_STORE)
    return reply
