"""Facts about the record: the migrations make the schema, one process at a time, and COPY changes no value."""

import os
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psycopg2
import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect, text

from db import bulk, embedded, result_schema, schema
from db.columns import Columns as C
from db.engine import database_url, make_engine, migrate
from errors import ConfigurationError, DatabaseError
from settings import Settings

LINE = schema.transaction_line
ROOT = Path(__file__).parents[2]


# the schema


def test_the_migrations_make_exactly_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_every_result_table_has_its_current_view_with_the_same_columns(engine: Engine) -> None:
    views = inspect(engine)
    for table in result_schema.RESULT_TABLES:
        shown = {column["name"] for column in views.get_columns(f"current_{table.name}")}
        assert shown == set(table.columns.keys())


def test_every_result_table_belongs_to_a_run(engine: Engine) -> None:
    for table in result_schema.RESULT_TABLES:
        assert next(iter(table.primary_key.columns)).name == C.RUN_ID


def test_facts_have_no_index_that_a_load_would_have_to_build_row_by_row(engine: Engine) -> None:
    query = "SELECT amname FROM pg_index JOIN pg_class ON oid = indexrelid JOIN pg_am ON pg_am.oid = relam"
    with engine.connect() as connection:
        for table in (schema.transaction_line, schema.interaction_event):
            kinds = connection.execute(text(f"{query} WHERE indrelid = '{table.name}'::regclass")).scalars()
            assert list(kinds) == ["brin", "brin"]


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"9999.*newer than this version"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_processes_may_migrate_an_empty_database_at_once(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    command = [sys.executable, "-m", "db", "migrate"]
    environment = {**os.environ, "DATABASE_URL": database_url(settings), "SPECTRUM_DATA_DIR": str(settings.data_dir)}
    processes = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    test_the_migrations_make_exactly_the_schema(engine)


def test_a_migration_that_fails_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("CREATE TABLE segment_profile (already int)"))  # the last table the migration makes
    with pytest.raises(DatabaseError, match="segment_profile"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["segment_profile"]


# the address


def test_an_address_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    for address, message in (("not an address", "write it as"), ("mysql://shop@db/shop", "needs Postgres")):
        settings = Settings.model_validate({"DATABASE_URL": address, "data_dir": tmp_path})
        with pytest.raises(ConfigurationError, match=message):
            make_engine(settings)


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    address = "postgresql://shop:hunter2@127.0.0.1:1/shop"
    settings = Settings.model_validate({"DATABASE_URL": address, "data_dir": tmp_path})
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1/shop cannot be reached") as caught:
        make_engine(settings)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_postgres_as_a_scheme_is_understood(settings: Settings) -> None:
    address = database_url(settings).replace("postgresql://", "postgres://", 1)
    engine = make_engine(Settings.model_validate({"DATABASE_URL": address, "data_dir": settings.data_dir}))
    assert inspect(engine).has_table("load")
    engine.dispose()


def test_the_embedded_server_is_said_to_be_broken_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pg").write_text("a file where the server's directory should be")
    with pytest.raises(DatabaseError, match="did not start") as caught:
        embedded.embedded_url(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_server_that_cannot_start_is_one_line_on_stderr(settings: Settings) -> None:
    data_dir = settings.data_dir / "broken"  # which the server's own user may enter
    (data_dir / "pg").mkdir(parents=True)
    (data_dir / "pg" / "PG_VERSION").write_text("18\n")
    code = "import sys; from pathlib import Path; from db.embedded import embedded_url as url\n"
    code += "try: url(Path(sys.argv[1]))\nexcept Exception as error: sys.exit(str(error))"
    call = [sys.executable, "-c", code, str(data_dir)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "did not start" in done.stderr


def test_the_command_says_an_error_in_one_sentence_and_exits_with_two(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "db", "migrate"],
        env={"DATABASE_URL": "mysql://shop@db/shop", "PATH": "", "HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


# COPY

NASTY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "",
        " ",
        '"',
        '""',
        "'",
        ",",
        "\n",
        "\r\n",
        "\r",
        "\\",
        "\\.",
        "\\N",
        "NULL",
        "null",
        "NaN",
        "=1+1",
        "été 🛒",
        "a\tb",
    ]
)
MOMENTS = st.datetimes()


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Every decimal that NUMERIC(precision, scale) can hold, its limits often."""
    limit = 10**precision - 1
    whole = st.integers(-limit, limit) | st.sampled_from([limit, -limit, 0, 1, -1])
    return whole.map(lambda number: Decimal(number).scaleb(-scale))


LINES = st.lists(
    st.fixed_dictionaries(
        {
            C.ORDER_ID: NASTY_TEXT,
            C.CUSTOMER_ID: st.none() | NASTY_TEXT,
            C.PRODUCT_ID: NASTY_TEXT,
            C.ORDERED_AT: MOMENTS,
            C.QUANTITY: decimals(18, 3),
            C.UNIT_PRICE: decimals(18, 6),
            C.DISCOUNT: decimals(18, 4),
            C.AMOUNT: decimals(18, 4),
            C.IS_RETURN: st.booleans(),
            C.COUNTRY: st.none() | NASTY_TEXT,
        }
    ),
    max_size=12,
)


def round_trip(engine: Engine, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    layout = bulk.arrow_schema(LINE)
    numbered = [{C.LOAD_ID: 1, C.ROW_NUMBER: number, **row} for number, row in enumerate(rows)]
    table = pa.Table.from_pylist(numbered, schema=layout)
    with engine.connect() as connection:
        assert bulk.copy_in(connection, LINE, table.to_batches(max_chunksize=5)) == len(rows)
        query = "SELECT * FROM transaction_line ORDER BY row_number"
        back = pa.Table.from_batches(bulk.copy_out(connection, query, layout), layout)
        connection.rollback()
    assert back.schema == layout
    rows_back: list[dict[str, object]] = back.drop_columns([C.LOAD_ID, C.ROW_NUMBER]).to_pylist()
    return rows_back


def test_copy_changes_no_value(engine: Engine) -> None:
    @given(LINES)
    def check(rows: list[dict[str, object]]) -> None:
        assert round_trip(engine, rows) == rows

    check()


def test_what_copy_writes_is_what_an_ordinary_client_reads(engine: Engine) -> None:
    frame = pd.DataFrame({C.CUSTOMER_ID: ["", "NULL", 'a "b", \n\\. c'], C.COUNTRY: [None, "", "été"]})
    with engine.begin() as connection:
        bulk.copy_in(connection, schema.customer, bulk.arrow_table(schema.customer, frame).to_batches())
        rows = connection.execute(text("SELECT customer_id, country, attributes::text FROM customer ORDER BY 1")).all()
    assert {tuple(row) for row in rows} == {("", None, "{}"), ("NULL", "", "{}"), ('a "b", \n\\. c', "été", "{}")}


def test_floats_become_the_nearest_decimal_and_nan_becomes_null(engine: Engine) -> None:
    frame = pd.DataFrame(
        {
            C.LOAD_ID: 1,
            C.ROW_NUMBER: [1, 2, 3],
            C.REASON: "reason",
            C.AMOUNT: [0.1 + 0.2, 2_995.000049, float("nan")],
            C.RAW: "{}",
        }
    )
    table = bulk.arrow_table(schema.rejected_row, frame)
    assert table[C.AMOUNT].to_pylist() == [Decimal("0.3000"), Decimal("2995.0000"), None]


def test_values_full_of_line_breaks_survive_many_blocks(engine: Engine) -> None:
    layout = pa.schema([("words", pa.string())])
    query = "SELECT repeat(E'a,\"b\"\\n', 1000) AS words FROM generate_series(1, 4000)"
    with engine.connect() as connection:
        blocks = list(bulk.copy_out(connection, query, layout))
    assert len(blocks) > 1
    words = pa.Table.from_batches(blocks)["words"]
    assert len(words) == 4000
    assert words.unique().to_pylist() == ['a,"b"\n' * 1000]


def test_nothing_in_nothing_out(engine: Engine) -> None:
    assert round_trip(engine, []) == []


def test_a_column_the_table_does_not_have_is_refused(engine: Engine) -> None:
    batch = pa.record_batch({"customer_id": ["1"], "customer_id) FROM STDIN; --": ["x"]})
    with engine.connect() as connection, pytest.raises(KeyError):
        bulk.copy_in(connection, schema.customer, [batch])


def test_a_broken_copy_leaves_the_transaction_to_its_owner(engine: Engine) -> None:
    twice = pa.record_batch({"customer_id": ["1", "1"]})
    with pytest.raises(Exception, match="pk_customer"), engine.begin() as connection:
        bulk.copy_in(connection, schema.customer, [twice])
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM customer")).scalar_one() == 0


def test_a_reader_may_stop_early(engine: Engine) -> None:
    layout = pa.schema([("number", pa.int64())])
    with engine.connect() as connection:
        batches = bulk.copy_out(connection, "SELECT generate_series(1, 5000000) AS number", layout)
        assert next(batches).column(0)[0].as_py() == 1
        batches.close()  # type: ignore[attr-defined]
        connection.rollback()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_query_that_fails_is_raised_in_the_reader(engine: Engine) -> None:
    layout = pa.schema([("number", pa.int64())])
    with engine.connect() as connection, pytest.raises(Exception, match="division by zero"):
        list(bulk.copy_out(connection, "SELECT 1 / (3 - number) FROM generate_series(1, 3) AS number", layout))


def test_a_connection_lost_in_a_copy_out_is_told_and_no_rows_pass_for_all(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    layout = pa.schema([("n", pa.int64()), ("text", pa.string())])
    query = "SELECT g AS n, repeat('x', 100) AS text FROM generate_series(1, 20000000) AS g"
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        blocks = bulk.copy_out(connection, query, layout)
        assert next(blocks).num_rows
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(psycopg2.DatabaseError):
            list(blocks)
    assert capfd.readouterr().err == ""
