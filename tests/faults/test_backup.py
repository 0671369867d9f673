"""Facts about backups: one moment, one file, whole or refused, and the same again on a server that knows nothing."""

import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from db import audiences, backup, checksums, embedded, loads, revisions
from db.__main__ import app
from db.engine import database_url, engine_as_it_is, make_engine
from db.restore import restore
from db.snapshot import open_newest
from errors import ConfigurationError, DatabaseError, InputError
from etl.load import load
from etl.readers import open_source
from settings import Settings
from tests.conftest import empty_shop

ROOT = Path(__file__).parents[2]
HEADER = "order_id,customer_id,product_id,product_name,ordered_at,quantity,unit_price,country\n"
FIRST = HEADER + (
    '1,ann,A,"a ""lamp"", blue\nand\ttall",2024-01-01 10:00,3,1.50,été 🛒\n'
    "1,,B,NULL,2024-01-01 10:00,-3,1.50,\\N\n"
    "2,bob,A,,2024-02-01 23:59:59,2,0.333333,\n"
    "3,bob,A,,2024-02-02,0,1,Spain\n"
)
SECOND = HEADER + "4,cid,C,,2024-03-01,5,9.99,Spain\n"


def loaded(engine: Engine, directory: Path, content: str) -> int:
    path = directory / f"{len(content)}.csv"
    path.write_text(content)
    return load(engine, open_source(str(path))).load.load_id


@pytest.fixture
def shop(engine: Engine, tmp_path: Path) -> Engine:
    """Lines with all that CSV could trip over, a rejected row, a load that is out again, an audience."""
    loaded(engine, tmp_path, FIRST)
    loads.undo(engine, loaded(engine, tmp_path, SECOND))
    audiences.save(engine, "Spaniards, all", "?country=Spain", "ann")
    return engine


@pytest.fixture
def file(shop: Engine, tmp_path: Path) -> Path:
    """A backup of that shop."""
    backup.backup(shop, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


@pytest.fixture
def target(server: URL, tmp_path: Path) -> Iterator[Settings]:
    """An empty, migrated shop beside."""
    with empty_shop(server, tmp_path / "target") as settings:
        yield settings


@pytest.fixture
def untouched(target: Settings) -> Iterator[Engine]:
    """A database without any schema."""
    engine = engine_as_it_is(target)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield engine
    engine.dispose()


@pytest.fixture
def fresh() -> Iterator[Settings]:
    """A server of its own that nobody has used yet."""
    root = Path(tempfile.mkdtemp(prefix="spectrum-tests-"))  # which the server's own user may enter
    yield Settings.model_validate({"data_dir": root})
    embedded.stop(root)
    shutil.rmtree(root)


def rewritten(file: Path, change: Callable[[dict[str, object]], None]) -> Path:
    """The same backup with another manifest."""
    other = file.with_name("other.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                change(manifest)
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    return other


def db(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "db", *arguments]
    environment = settings.environment()
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_sample_is_the_same_on_a_fresh_server(sample_shop: Settings, fresh: Settings, tmp_path: Path) -> None:
    source = make_engine(sample_shop)
    done = db(sample_shop, "backup", str(tmp_path / "backup.zip"))
    assert done.returncode == 0, done.stderr
    with backup.opened(tmp_path / "backup.zip") as taken:
        assert set(taken.manifest.tables) == set(inspect(source).get_table_names()) - {"alembic_version"}, (
            "a table that the command does not know: does `db.checksums` import what defines it?"
        )
    done = db(fresh, "restore", str(tmp_path / "backup.zip"))
    assert done.returncode == 0, done.stderr
    engine = make_engine(fresh)
    for table in checksums.tables():
        query = f"SELECT md5(string_agg(kept::text, ';' ORDER BY kept::text)) FROM {table} AS kept"
        with source.connect() as one, engine.connect() as other:
            assert one.execute(text(query)).scalar_one() == other.execute(text(query)).scalar_one(), table
    assert checksums.of_all(engine) == checksums.of_all(source)
    revenue = "SELECT sum(amount), count(*) FROM transaction_line JOIN customer_segment USING (customer_id)"
    there, here = (open_newest(settings.data_dir).frame(revenue) for settings in (sample_shop, fresh))
    pd.testing.assert_frame_equal(there, here)
    source.dispose()
    engine.dispose()


def test_every_number_goes_on_where_it_was(shop: Engine, file: Path, untouched: Engine, tmp_path: Path) -> None:
    restore(untouched, file)
    with untouched.connect() as connection:
        numbered = set(connection.execute(text("SELECT sequencename FROM pg_sequences")).scalars())
    assert numbered == {"load_load_id_seq", "model_run_run_id_seq", "audience_audience_id_seq"} | numbered
    with backup.opened(file) as taken:
        assert sum(len(content.next) for content in taken.manifest.tables.values()) == len(numbered)
    for engine in (shop, untouched):
        assert loaded(engine, tmp_path, SECOND) == 3, "the second is out again, and its number is not given twice"
        audiences.save(engine, "Another", "", "bob")
        assert [audience.audience_id for audience in audiences.saved(engine)] == [2, 1]


def test_a_database_that_was_migrated_already_takes_it_too(file: Path, target: Settings, shop: Engine) -> None:
    engine = make_engine(target)
    restore(engine, file)
    assert checksums.of_all(engine) == checksums.of_all(shop)
    engine.dispose()


def test_a_backup_holds_one_moment_while_loads_go_on(shop: Engine, tmp_path: Path, target: Settings) -> None:
    before = checksums.of_all(shop)
    under_way: list[int] = []

    def load_meanwhile() -> None:
        if not under_way:
            under_way.append(loaded(shop, tmp_path, SECOND))  # waits for nobody, or this test would not end

    backup.backup(shop, tmp_path / "meanwhile.zip", load_meanwhile)
    assert under_way == [3]
    engine = make_engine(target)
    restore(engine, tmp_path / "meanwhile.zip")
    rows = {name: (content.rows, content.sha256) for name, content in checksums.of_all(engine).items()}
    assert rows == {name: (content.rows, content.sha256) for name, content in before.items()}
    assert loaded(engine, tmp_path, SECOND) > 2
    engine.dispose()


def test_only_its_owner_may_read_it_and_nothing_else_is_left(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir() if "backup" in path.name] == ["backup.zip"]


def test_a_file_that_is_there_stays(shop: Engine, file: Path) -> None:
    content = file.read_bytes()
    with pytest.raises(ConfigurationError, match="stays as it is"):
        backup.backup(shop, file)
    assert file.read_bytes() == content


def test_a_backup_that_breaks_off_leaves_no_file(shop: Engine, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(DatabaseError, match=r"failed while the backup was written .*there is no backup of it\.$"):
        backup.backup(shop, tmp_path / "broken.zip", lambda: end_others(shop))
    with pytest.raises(ConfigurationError, match="name a folder that has room"):
        backup.backup(shop, tmp_path / "no such folder" / "broken.zip")
    assert set(tmp_path.iterdir()) == before


def end_others(engine: Engine) -> None:
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    with engine.connect() as other:
        other.execute(text(query + "AND pid <> pg_backend_pid()"))


def test_what_is_not_whole_is_refused_wherever_it_is_cut(file: Path) -> None:
    content = file.read_bytes()
    cut = file.with_name("cut.zip")
    for size in [0, 1, 100, *np.linspace(200, len(content) - 1, 40).astype(int)]:
        cut.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"no whole backup .* and nothing was changed"), backup.opened(cut):
            pass


def test_a_byte_that_flipped_changes_nothing_or_is_found(file: Path) -> None:
    """Some bytes of a ZIP say what nobody reads, as the hour at which a member was packed."""
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        amid = [amid_member(content, info) for info in archive.infolist()]
    flipped = file.with_name("flipped.zip")
    unread = 0
    for place in [*amid, *np.linspace(0, len(content) - 1, 200).astype(int)]:
        content[place] ^= 0x41
        flipped.write_bytes(content)
        try:
            with backup.opened(flipped) as taken:
                for name in taken.manifest.tables:
                    with taken.open(name) as source:
                        assert source.read() == members[f"{name}.csv"], place
                assert place not in amid
                unread += 1
        except (InputError, DatabaseError):
            pass
        content[place] ^= 0x41
    assert unread < 60


def amid_member(content: bytes | bytearray, member: zipfile.ZipInfo) -> int:
    """The place of a byte in the middle of what a member holds, after its header, name and extra field."""
    name, extra = struct.unpack_from("<HH", content, member.header_offset + 26)
    return int(member.header_offset + 30 + name + extra + member.compress_size // 2)


def test_what_is_no_backup_is_refused(tmp_path: Path, file: Path) -> None:
    (tmp_path / "sales.csv").write_text(FIRST)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("manifest.json", "[]")
    for name, said in (("sales.csv", "no whole backup"), ("other.zip", "no whole backup"), ("none", "cannot be read")):
        with pytest.raises(InputError, match=said), backup.opened(tmp_path / name):
            pass


@pytest.mark.parametrize("changed", ["tables", "checksum", "numbers"])
def test_a_manifest_that_says_something_else_is_not_believed(
    file: Path, untouched: Engine, changed: str, shop: Engine
) -> None:
    def change(manifest: dict[str, object]) -> None:
        tables = manifest["tables"]
        assert isinstance(tables, dict)
        if changed == "tables":
            del tables["customer"]
        elif changed == "checksum":
            tables["customer"]["sha256"] = tables["product"]["sha256"]
        else:
            tables["customer"]["rows"] += 1

    found = DatabaseError if changed == "numbers" else InputError  # only the database can tell how many rows there are
    with pytest.raises(found, match="nothing was changed"):
        restore(untouched, rewritten(file, change))
    assert inspect(untouched).get_table_names() == []


def refused(target: Settings, path: Path) -> str:
    """The one sentence of the command, which ends with 2."""
    said = CliRunner().invoke(app, ["restore", str(path)], env=target.environment())
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1), said.output
    return said.stderr


def test_the_command_refuses_in_one_sentence_and_changes_nothing(
    file: Path, target: Settings, untouched: Engine, tmp_path: Path
) -> None:
    newer = rewritten(file, lambda manifest: manifest.update(revision="9999"))
    assert "9999, which is newer than this version" in refused(target, newer)
    (tmp_path / "cut.zip").write_bytes(file.read_bytes()[:-9])
    assert "no whole backup" in refused(target, tmp_path / "cut.zip")
    assert inspect(untouched).get_table_names() == []


def test_data_are_never_written_over(shop: Engine, settings: Settings, file: Path) -> None:
    before = checksums.of_all(shop)
    assert "has data already" in refused(settings, file)
    assert checksums.of_all(shop) == before
    with shop.begin() as connection:
        for table in {table for table, content in before.items() if content.rows} - {"audience"}:
            connection.execute(text(f"DELETE FROM {table}"))
    assert "(table audience)" in refused(settings, file), "one row is data"


def test_a_restore_that_breaks_off_leaves_the_database_as_it_was(file: Path, untouched: Engine, shop: Engine) -> None:
    steps = 0

    def break_off() -> None:
        nonlocal steps
        steps += 1
        if steps == len(checksums.tables()) * 3 // 2:
            end_others(untouched)

    with pytest.raises(DatabaseError, match=r"failed while the backup was restored .*nothing was changed\.$"):
        restore(untouched, file, break_off)
    assert steps == len(checksums.tables()) * 3 // 2
    assert inspect(untouched).get_table_names() == []
    restore(untouched, file)
    assert checksums.of_all(untouched) == checksums.of_all(shop)


def test_checksums_do_not_depend_on_the_order_of_rows_or_on_what_the_server_prefers(
    shop: Engine, settings: Settings, tmp_path: Path
) -> None:
    with shop.begin() as connection:
        run = "INSERT INTO model_run (kind, status, as_of, data_version) VALUES ('segments', 'published', now(), '1')"
        connection.execute(text(run))
        number = "INSERT INTO evaluation (run_id, model, slice, metric, k, value) VALUES (1, '', '', '', 1, :value)"
        connection.execute(text(number), {"value": 0.1 + 0.2})
    before = checksums.of_all(shop)
    with shop.begin() as connection:
        connection.execute(text("UPDATE transaction_line SET discount = discount WHERE row_number = 1"))  # now the last
        connection.execute(text("UPDATE product SET name = name WHERE product_id = 'A'"))
        first = connection.execute(text("SELECT row_number FROM transaction_line LIMIT 1")).scalar_one()
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        for setting in ("datestyle = 'German'", "timezone = 'Asia/Tokyo'", "extra_float_digits = -3"):
            connection.execute(text(f"ALTER DATABASE {name} SET {setting}"))
    assert first != 1
    shop.dispose()
    assert checksums.of_all(shop) == before
    for change in ("quantity = quantity + 0.001", "country = ''", "ordered_at = ordered_at + interval '1 microsecond'"):
        with shop.begin() as connection:
            connection.execute(text(f"UPDATE transaction_line SET {change} WHERE row_number = 3"))
        after = checksums.of_all(shop)
        assert {table for table in after if after[table] != before[table]} == {"transaction_line"}, change
        before = after


def test_the_command_prints_the_same_of_a_server_and_of_its_backup(
    shop: Engine, settings: Settings, file: Path
) -> None:
    printed = [CliRunner().invoke(app, ["checksums", *of], env=settings.environment()) for of in ([], [str(file)])]
    assert printed[0].stdout == printed[1].stdout
    lines = [line.split() for line in printed[0].stdout.splitlines()]
    assert [name for _, _, name in lines] == sorted(checksums.tables())
    with zipfile.ZipFile(file) as archive:
        for digest, rows, name in lines:
            assert hashlib.sha256(archive.read(f"{name}.csv")).hexdigest() == digest
            with shop.connect() as connection:
                assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == int(rows)


def test_a_text_is_its_bytes_and_null_is_no_empty_text(shop: Engine, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        content = archive.read("transaction_line.csv").decode()
    assert content.splitlines()[0].startswith("load_id,row_number,order_id,customer_id")
    with shop.connect() as connection:
        cursor = connection.connection.cursor()
        with tempfile.TemporaryFile() as plain:
            query = "SELECT * FROM transaction_line ORDER BY load_id, row_number"
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", plain)
            plain.seek(0)
            assert plain.read().decode() == content


def test_the_revision_is_the_databases(file: Path) -> None:
    with backup.opened(file) as taken:
        assert taken.manifest.revision == revisions.known()[-1]


def test_the_address_is_not_in_the_backup(file: Path, settings: Settings) -> None:
    with zipfile.ZipFile(file) as archive:
        said = archive.read("manifest.json").decode()
    assert database_url(settings) not in said
    assert os.fspath(settings.data_dir) not in said
