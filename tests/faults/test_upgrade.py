"""Facts about upgrades: a shop of any earlier schema keeps every value, works, and survives an upgrade cut off."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, inspect, text

from dashboard.pages import PAGES
from db import accounts, audiences, backup, checksums, loads, revisions, snapshot
from db.engine import engine_as_it_is, migrate
from db.filters import Filters, Period
from db.queries import customers, overview
from db.restore import restore
from errors import DatabaseError
from etl.load import load
from etl.readers import open_source
from settings import Settings
from tests.clients import operator
from tests.earlier import FORGOTTEN_BY, ROWS, make_shop
from tests.integration.test_pages import slot

REVISIONS = revisions.known()
Rows = dict[str, Counter[str]]


@pytest.fixture
def blank(settings: Settings) -> Iterator[Engine]:
    """A database without any schema."""
    engine = engine_as_it_is(settings)
    empty(engine)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def shop_at(engine: Engine, revision: str | None) -> None:
    if revision is not None:
        with engine.begin() as connection:
            make_shop(connection, revision)


def rows(engine: Engine, like: dict[str, set[str]] | None = None) -> Rows:
    """Table -> its rows as JSON, each as often as it is there; of `like`, these columns alone."""
    there = inspect(engine)
    found = {}
    with engine.connect() as connection:
        for table in like or set(there.get_table_names()) - {"alembic_version"}:
            content = connection.execute(text(f"SELECT to_jsonb(kept) FROM {table} AS kept")).scalars()
            columns = like[table] if like else None
            found[table] = Counter(
                json.dumps({k: v for k, v in row.items() if columns is None or k in columns}, sort_keys=True)
                for row in content
            )
    return found


def columns(engine: Engine) -> dict[str, set[str]]:
    """Table -> its columns."""
    there = inspect(engine)
    tables = set(there.get_table_names()) - {"alembic_version"}
    return {table: {column["name"] for column in there.get_columns(table)} for table in tables}


def test_every_revision_that_brought_a_table_has_rows_to_try(blank: Engine) -> None:
    """A new revision is upgraded from by itself; what only it can hold must be said in `tests.earlier`."""
    shop_at(blank, REVISIONS[-1])
    without = {table for table, found in rows(blank).items() if not found}
    assert not without, f"{without}: add rows to tests/earlier.py under the revision that made it"
    assert set(ROWS) <= set(REVISIONS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_value_of_an_earlier_schema_is_kept(blank: Engine, revision: str) -> None:
    shop_at(blank, revision)
    before = {table: kept for table, kept in rows(blank).items() if kept}
    layout = {table: names for table, names in columns(blank).items() if table in before}
    migrate(blank)
    after = columns(blank)
    for table, names in layout.items():
        assert names <= after[table], table
    assert rows(blank, layout) == before


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_an_earlier_schema_could_not_say_is_worked_out(blank: Engine, revision: str) -> None:
    shop_at(blank, revision)
    migrate(blank)
    with blank.connect() as connection:

        def answers(query: str) -> list[Any]:
            return [tuple(row) for row in connection.execute(text(query))]

        assert answers("SELECT kind, returns FROM load WHERE load_id < 3 ORDER BY load_id") == [
            ("orders", 0),
            ("orders", 1),
        ]
        said = "SELECT load_id, customer_id, country, attributes FROM load_customer WHERE load_id < 3 ORDER BY 1"
        ann = {"age": "25-34", "income": 41000}
        assert answers(said) == [(1, "ann", "France", ann), (2, "bob", "Spain", {})]
        assert set(answers("SELECT load_id, product_id FROM load_product WHERE load_id < 3")) == {
            (1, "A"),
            (1, "B"),
            (2, "B"),
        }
        assert answers("SELECT DISTINCT grouping FROM segment_profile") == [("segment",)]
        assert answers("SELECT DISTINCT fold, against, subset FROM evaluation") == [(0, "", "all")]
        assert answers("SELECT count(*) FROM current_customer_segment") == [(2,)]
        assert answers("SELECT value FROM current_evaluation") == [(1 / 3,)]


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_product_works_on_what_was_upgraded(
    blank: Engine, settings: Settings, revision: str, tmp_path: Path
) -> None:
    shop_at(blank, revision)
    migrate(blank)
    snapshot.refresh(blank, settings.data_dir)
    data = snapshot.open_newest(settings.data_dir)
    totals = overview.totals(data, Filters(), Period(date(2024, 1, 1), date(2024, 2, 29)))
    assert (totals["revenue"], totals["orders"], totals["customers"]) == (25, 3, 2)
    assert data.scalar("SELECT segment FROM customer_segment WHERE customer_id = 'bob'") == "New"
    assert customers.number(data, Filters()) == 2
    assert accounts.report(blank, 1).load.rows_rejected == 1
    assert len(audiences.saved(blank)) == (1 if revision >= "0006" else 0)
    more = tmp_path / "more.csv"
    more.write_text("order_id,customer_id,product_id,ordered_at,quantity,unit_price\no5,cid,A,2024-03-01,2,1.50\n")
    done = load(blank, open_source(str(more)), key=lambda: FORGOTTEN_BY).load
    assert done.load_id == (5 if revision >= "0003" else 3), "numbers go on"
    undone = loads.undo(blank, 2)
    assert undone.customers == 1, "bob is in no other load"
    snapshot.refresh(blank, settings.data_dir)
    assert snapshot.open_newest(settings.data_dir).scalar("SELECT sum(amount) FROM transaction_line") == 28


def test_every_part_of_every_page_shows_what_the_first_version_left(blank: Engine, settings: Settings) -> None:
    """Of all it knew least of what pages ask for."""
    shop_at(blank, REVISIONS[0])
    migrate(blank)
    snapshot.refresh(blank, settings.data_dir)
    client = operator(settings)
    client.get("/_dash-layout")
    for page in PAGES:
        path = f"{page.path}ann" if page.path.endswith("/") and page.path != "/" else page.path
        for name in page.slots:
            assert "could not be shown" not in slot(client, name, path, ""), name


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_backup_of_an_earlier_version_is_restored_and_upgraded(
    blank: Engine, settings: Settings, revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_at(blank, revision)
    there = set(columns(blank))
    with monkeypatch.context() as patch:  # as the version of then knew its tables
        known = [table for table in checksums.tables() if table in there]
        patch.setattr(checksums, "tables", lambda: known)
        backup.backup(blank, tmp_path / "earlier.zip")
    migrate(blank)
    upgraded = checksums.of_all(blank)
    for migrated in (False, True):
        empty(blank)
        if migrated:
            migrate(blank)
        restore(blank, tmp_path / "earlier.zip")
        assert checksums.of_all(blank) == upgraded
        assert inspect(blank).get_schema_names() == ["information_schema", "public"]


@pytest.mark.parametrize("moment", ["in its middle", "at its end"])
@pytest.mark.parametrize("revision", REVISIONS)
def test_an_upgrade_that_is_cut_off_leaves_the_old_schema_and_the_next_goes_on(
    blank: Engine, settings: Settings, revision: str, moment: str
) -> None:
    """In the middle of the step to a revision, or as all steps up to it are done, of an upgrade from the first."""
    earlier = dict(zip(REVISIONS, [None, *REVISIONS], strict=False))[revision]
    if earlier is not None and moment == "at its end":
        earlier = REVISIONS[0]
    shop_at(blank, earlier)
    layout = {table: names for table, names in columns(blank).items() if rows(blank)[table]}
    before = rows(blank, layout) if layout else {}
    standing = columns(blank)
    killer = engine_as_it_is(settings)
    done: list[str] = []

    def cut_off(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "SHOW")):
            return
        done.append(statement)
        stamps = "alembic_version" in statement and f"'{revision}'" in statement
        if stamps if moment == "at its end" else len(done) == 2:
            with killer.connect() as other:
                pid = cursor.connection.info.backend_pid
                assert other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar_one()

    event.listen(blank, "before_cursor_execute", cut_off)
    with pytest.raises(DatabaseError, match="cannot be reached"):
        migrate(blank)
    event.remove(blank, "before_cursor_execute", cut_off)
    killer.dispose()
    with blank.connect() as connection:
        assert revisions.applied(connection) == earlier
    assert columns(blank) == standing
    assert (rows(blank, layout) if layout else {}) == before
    migrate(blank)
    with blank.connect() as connection:
        assert revisions.applied(connection) == REVISIONS[-1]
    assert (rows(blank, layout) if layout else {}) == before
