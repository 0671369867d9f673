"""What a snapshot should hold: its parts, each with a fingerprint of what it is made from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from db import findings, result_schema, sales, schema
from db.bulk import arrow_schema
from db.runs import RECOMMENDATIONS, SEGMENTS
from db.tally import ORDERS

NO_LINES = "transaction_line/empty.parquet"
"""The part of the lines where there are none."""
FINDINGS = "line_flag"
SALES_FILE, KNOWN_FILE = f"{sales.SALES}.duckdb", f"{sales.KNOWN}.duckdb"
DIMENSIONS = (
    schema.customer,
    schema.product,
    schema.load,
    schema.campaign,
    schema.campaign_member,
    schema.campaign_product,
    schema.interaction_event,
)
OF_RUN = "@"
"""Between the name of a table and the run whose rows a part holds, where that run is not the published one."""


@dataclass(frozen=True)
class Wanted:
    """What a snapshot of the record as it stands should hold."""

    loads: Sequence[int]
    runs: Mapping[str, int]
    data_version: str
    months: Sequence[str]
    fingerprints: Mapping[str, Mapping[str, str]]
    """Table -> file -> fingerprint."""

    def by_file(self) -> dict[str, str]:
        """File -> fingerprint, of all tables."""
        return {file: mark for files in self.fingerprints.values() for file, mark in files.items()}


def wanted_parts(connection: Connection) -> Wanted:
    """The snapshot of the record as it stands now.

    Numbers of loads and runs begin at 1 in every database, so the fingerprints carry content and moments too.
    """
    load, run = schema.load.c, result_schema.model_run.c
    loads = connection.execute(select(schema.load).where(load.status == "done").order_by(load.load_id)).all()
    runs = connection.execute(
        select(result_schema.model_run).where(run.status != "building").order_by(run.run_id)
    ).all()
    marks = {row.load_id: (row.load_id, row.sha256, row.started_at.isoformat()) for row in loads}
    by_month: dict[str, list[tuple[int, str, str]]] = {}
    for row in loads:
        for month in row.months if row.kind == ORDERS else ():
            by_month.setdefault(month, []).append(marks[row.load_id])
    months = sorted(by_month)
    fingerprints = {
        "transaction_line": {
            f"transaction_line/{month}.parquet": _digest([_layout(schema.transaction_line), *by_month[month]])
            for month in months
        }
        or {NO_LINES: "empty"}
    }
    lines = sorted(fingerprints["transaction_line"].items())
    fingerprints[FINDINGS] = {f"{FINDINGS}.parquet": _digest([str(findings.LAYOUT), str(findings.RULES), *lines])}
    for table in DIMENSIONS:
        fingerprints[table.name] = {f"{table.name}.parquet": _digest([_layout(table), *marks.values()])}
    published = {row.kind: row for row in runs if row.status == "published"}
    fingerprints |= _of_runs(
        result_schema.SEGMENT_TABLES, [row for row in runs if row.kind == SEGMENTS and row.status != "refused"]
    )
    advised = [row for row in runs if row.kind == RECOMMENDATIONS]
    fingerprints |= _of_runs(
        result_schema.RECOMMENDATION_TABLES[:-1], [row for row in advised if row.status != "refused"]
    )
    fingerprints |= _of_runs((result_schema.evaluation,), advised)
    ends = [(row.run_id, row.started_at.isoformat(), row.status) for row in runs]
    fingerprints["model_run"] = {"model_run.parquet": _digest([_layout(result_schema.model_run), *ends])}
    facts = [fingerprints[name] for name in ("transaction_line", "customer", "product")]
    fingerprints[sales.SALES] = {SALES_FILE: _digest([sales.LAYOUT, sales.TABLES, facts])}
    of_run = [fingerprints[name] for name in (sales.SALES, "customer_segment", "customer_movement")]
    fingerprints[sales.KNOWN] = {KNOWN_FILE: _digest([sales.LAYOUT, sales.KNOWN_TABLE, of_run])}
    erased = _erased(connection)
    if erased:  # whoever was erased may stand in any part, and in every version before
        fingerprints = {
            name: {file: _digest([mark, erased]) for file, mark in files.items()}
            for name, files in fingerprints.items()
        }
    data = sorted((row.sha256, json.dumps(row.options, sort_keys=True)) for row in loads)
    return Wanted(
        loads=list(marks),
        runs={kind: row.run_id for kind, row in published.items()},
        data_version=_digest([*data, *erased])[:12],
        months=months,
        fingerprints=fingerprints,
    )


def _erased(connection: Connection) -> list[str]:
    """The last erasure of customers, if there was any."""
    moments = select(schema.erasure.c.erased_at).order_by(schema.erasure.c.erasure_id.desc()).limit(1)
    return [moment.isoformat() for moment in connection.execute(moments).scalars()]


def _of_runs(tables: Sequence[Table], runs: Sequence[Row[Any]]) -> dict[str, dict[str, str]]:
    """The results of every run, each in files of its own: once written they are linked."""
    found = {table.name: {f"{table.name}/none.parquet": _digest([_layout(table)])} for table in tables}
    for row in runs:
        for table in tables:
            name = table.name if row.status == "published" else f"{table.name}{OF_RUN}{row.run_id}"
            mark = _digest([_layout(table), row.run_id, row.started_at.isoformat()])
            found[name] = {f"{table.name}/{row.run_id}.parquet": mark}
    return found


def names(tables: Sequence[Table]) -> list[str]:
    """The names of tables."""
    return [table.name for table in tables]


def _layout(table: Table) -> str:
    """The columns of a table as the snapshot has them: a new one makes every part anew."""
    return str(arrow_schema(table))


def _digest(content: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
