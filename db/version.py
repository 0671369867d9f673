"""One version of a snapshot as a directory: what it holds, and how it is built of what the record holds and of the
sound parts of the version before."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pyarrow import parquet
from sqlalchemy import Connection

from db import findings, result_schema, run_checksums, sales, schema
from db.bulk import arrow_schema
from db.parts import Part, allow_open, described, is_sound, make_durable, write_months, write_table
from db.wanted import FINDINGS, KNOWN_FILE, NO_LINES, OF_RUN, SALES_FILE, Wanted, names
from errors import SnapshotError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a snapshot holds and what it was made from."""

    version: int
    data_version: str
    loads: Sequence[int]
    runs: Mapping[str, int]
    tables: Mapping[str, Sequence[Part]]


def read_manifest(path: Path) -> Manifest:
    """What a version says that it holds. Raises SnapshotError where it cannot be read."""
    try:
        content = json.loads((path / MANIFEST).read_text())
        content["tables"] = {name: [Part(**part) for part in parts] for name, parts in content["tables"].items()}
        return Manifest(**content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> SnapshotError:
    """To be raised of a version."""
    return SnapshotError(f"The snapshot in {path} is damaged; `python -m db snapshot` makes it anew.")


def build(
    connection: Connection,
    wanted: Wanted,
    version: int,
    building: Path,
    old: Path | None,
    sound: Mapping[tuple[str, str], Part],
) -> None:
    """All of a version, on the disk, in a directory of its own."""
    shutil.rmtree(building, ignore_errors=True)
    for name in ("transaction_line", *names(result_schema.RESULT_TABLES)):
        (building / name).mkdir(parents=True)
    manifest = Manifest(
        version=version,
        data_version=wanted.data_version,
        loads=wanted.loads,
        runs=wanted.runs,
        tables=_write_parts(connection, wanted, building, old, sound),
    )
    (building / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
    for path in (building / MANIFEST, *(path for path in building.iterdir() if path.is_dir()), building):
        make_durable(path)


def sound_parts(old: Path, manifest: Manifest, wholly: bool) -> dict[tuple[str, str], Part]:
    """(file, fingerprint) -> part, of those that are still what the manifest says."""
    parts = (part for parts in manifest.tables.values() for part in parts)
    return {(part.file, part.fingerprint): part for part in parts if is_sound(old, part, wholly=wholly)}


def _write_parts(
    connection: Connection,
    wanted: Wanted,
    building: Path,
    old: Path | None,
    sound: Mapping[tuple[str, str], Part],
) -> dict[str, list[Part]]:
    """Link the sound parts of before, write the others, and make those durable."""
    fresh: set[str] = set()
    for file, mark in wanted.by_file().items():
        if old and (file, mark) in sound:
            os.link(old / file, building / file)
        else:
            fresh.add(file)
    write_months(connection, [m for m in wanted.months if f"transaction_line/{m}.parquet" in fresh], building)
    if NO_LINES in fresh:
        parquet.write_table(arrow_schema(schema.transaction_line).empty_table(), building / NO_LINES)
    if f"{FINDINGS}.parquet" in fresh:
        lines = [building / file for file in wanted.fingerprints["transaction_line"]]
        allow_open(len(lines))
        findings.write(lines, building / f"{FINDINGS}.parquet")
    for name, files in wanted.fingerprints.items():
        if name not in ("transaction_line", FINDINGS, sales.SALES, sales.KNOWN):
            table = schema.metadata.tables[name.partition(OF_RUN)[0]]
            for file in fresh.intersection(files):
                write_table(connection, table, building / file)
                if table in result_schema.RESULT_TABLES and (run := Path(file).stem).isdecimal():
                    run_checksums.must_be(connection, table, int(run))
    sources = {name: [building / file for file in files] for name, files in wanted.fingerprints.items()}
    if SALES_FILE in fresh:
        sales.write_sales(
            {name: sources[name] for name in ("transaction_line", "customer", "product")}, building / SALES_FILE
        )
    if KNOWN_FILE in fresh:
        of_run = {name: sources[name] for name in sales.KNOWN_OF}
        sales.write_known(of_run, building / SALES_FILE, building / KNOWN_FILE)
    for file in fresh:
        make_durable(building / file)
    return {
        name: [described(building, file, mark) if file in fresh else sound[file, mark] for file, mark in files.items()]
        for name, files in wanted.fingerprints.items()
    }
