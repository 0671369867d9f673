"""Facts about keeping customers no longer than it is allowed, and about erasures among loads that come and go."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from os import utime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import erasure, loads, privacy, snapshot
from db.__main__ import app
from db.secret import FORGOTTEN, secret
from errors import ConfigurationError
from settings import Settings
from tests.integration.test_forget import put, rows
from tests.integration.test_overlap import LINES, Line, check_accounts, empty, held
from tests.integration.test_overlap import put as put_lines
from tests.traces import traces

LONG_AGO, LATELY = "2020-01-05", "2023-12-05"
NOW = datetime.fromisoformat("2024-01-05T12:00")
ORDERS = f"""Order ID,Email,SKU,Order Date,Quantity,Price
1,old@x.org,A,{LONG_AGO},1,3.50
2,both@x.org,A,{LONG_AGO},1,3.50
3,both@x.org,A,{LATELY},1,3.50
4,seen@x.org,A,{LONG_AGO},1,3.50
5,bad@x.org,A,{LONG_AGO},x,3.50
6,bad@x.org,A,{LATELY},x,3.50
"""
EVENTS = f"email,event type,event time,sku\nseen@x.org,view,{LATELY},A\nlost@x.org,view,{LONG_AGO},A\n"
PEOPLE = "SELECT customer_id FROM customer ORDER BY 1"


def retain(engine: Engine, settings: Settings, months: int = 36, now: datetime = NOW) -> privacy.Erased:
    return privacy.retain(engine, settings.data_dir, months, now)


@pytest.fixture
def shop(engine: Engine, settings: Settings, tmp_path: Path) -> Settings:
    put(engine, settings, tmp_path / "orders.csv", content=ORDERS)
    put(engine, settings, tmp_path / "events.csv", "events", EVENTS)
    put(engine, settings, tmp_path / "customers.csv", "customers", "email\nmail@x.org\n")
    for name in ("orders", "events", "customers"):
        (tmp_path / f"{name}.csv").unlink()
    snapshot.refresh(engine, settings.data_dir)
    return settings


def test_who_did_nothing_for_long_is_erased_and_nobody_else(shop: Settings, engine: Engine) -> None:
    totals = "SELECT count(*), sum(amount) FROM transaction_line"
    before = rows(engine, totals)
    erased = retain(engine, shop)
    assert erased.customers == 2
    assert rows(engine, PEOPLE) == [("both@x.org",), ("mail@x.org",), ("seen@x.org",)]
    assert traces(engine, shop.data_dir, ["old@x.org", "lost@x.org"]) == set()
    assert rows(engine, "SELECT raw ->> 'Email' FROM rejected_row ORDER BY row_number") == [(None,), ("bad@x.org",)]
    assert rows(engine, totals) == before
    assert rows(engine, "SELECT customer_id FROM transaction_line ORDER BY row_number") == [
        (None,),
        ("both@x.org",),
        ("both@x.org",),
        ("seen@x.org",),
    ]
    assert rows(engine, "SELECT count(*) FROM forgotten") == [(0,)]


def test_again_it_does_nothing(shop: Settings, engine: Engine) -> None:
    retain(engine, shop)
    version = snapshot.newest_version(shop.data_dir)
    again = retain(engine, shop)
    assert (again.customers, again.removed, again.uploads) == (0, {}, 0)
    assert snapshot.newest_version(shop.data_dir) == version
    assert rows(engine, "SELECT reason, customers FROM erasure") == [("retention", 2)]


def test_who_was_only_told_of_is_as_old_as_the_last_load_that_does(shop: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE load SET started_at = :then"), {"then": datetime(2020, 1, 1, tzinfo=UTC)})
    retain(engine, shop)
    assert rows(engine, PEOPLE) == [("both@x.org",), ("seen@x.org",)]


def test_the_limit_is_so_many_months_of_the_calendar(shop: Settings, engine: Engine) -> None:
    assert retain(engine, shop, 48, datetime.fromisoformat(f"{LONG_AGO}T00:00") + timedelta(days=1461)).customers == 0
    one_more = datetime.fromisoformat(f"{LONG_AGO}T00:01") + timedelta(days=1461)
    assert retain(engine, shop, 48, one_more).customers == 2


def test_who_comes_back_is_a_new_customer_and_old_lines_count_once(
    shop: Settings, engine: Engine, tmp_path: Path
) -> None:
    totals = "SELECT count(*), sum(amount) FROM transaction_line"
    retain(engine, shop)
    before = rows(engine, totals)
    put(engine, shop, tmp_path / "again.csv", content=ORDERS + "\n")
    assert rows(engine, totals) == before
    assert rows(engine, PEOPLE) == [("both@x.org",), ("mail@x.org",), ("seen@x.org",)]
    put(engine, shop, tmp_path / "later.csv", content=f"{ORDERS}9,old@x.org,A,2024-01-01,1,3.50\n")
    ((count, amount),) = before
    assert rows(engine, totals) == [(count + 1, amount + Decimal("3.5"))]
    assert rows(engine, "SELECT order_id FROM transaction_line WHERE customer_id = 'old@x.org'") == [("9",)]


def test_uploads_go_after_a_day(shop: Settings, engine: Engine) -> None:
    for name, age in (("new", 23), ("old", 25)):
        folder = shop.data_dir / "uploads" / name
        folder.mkdir(parents=True)
        moment = (NOW.replace(tzinfo=UTC) - timedelta(hours=age)).timestamp()
        utime(folder, (moment, moment))
    assert retain(engine, shop).uploads == 1
    assert [folder.name for folder in (shop.data_dir / "uploads").iterdir()] == ["new"]


def test_the_command_goes_by_the_setting(shop: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in shop.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPECTRUM_RETENTION_MONTHS", "36")
    result = CliRunner().invoke(app, ["retain", "--as-of", "2024-01-05"])
    assert result.exit_code == 0
    assert " ".join(result.output.split()).startswith(
        "2 customers are made anonymous. Nobody's now: 1 of interaction_event, 1 of transaction_line. Blank now: 1 of "
        "rejected_row."
    )


CUSTOMERS = ("ann", "bob")
STEPS = st.one_of(
    st.tuples(st.just("load"), st.lists(st.sampled_from(LINES), min_size=1, max_size=5)),
    st.tuples(st.just("undo"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["forget", "remember", "retain"]), st.sampled_from(CUSTOMERS)),
)


@given(steps=st.lists(STEPS, min_size=2, max_size=7))
@examples(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_erased_when_the_totals_are_those_of_the_loads_that_stand(
    engine: Engine, settings: Settings, steps: Sequence[tuple[str, object]]
) -> None:
    """Each line as often as the load has it that has it most, whoever bought it; nobody forgotten has any."""
    empty(engine)
    key = partial(secret, settings, FORGOTTEN)
    standing: dict[int, list[Line]] = {}
    gone: set[str] = set()
    for step, of in steps:
        if step == "load":
            assert isinstance(of, list)
            standing[put_lines(engine, of, key=key)] = of
        elif step == "undo" and standing:
            assert isinstance(of, int)
            number = sorted(standing)[of % len(standing)]
            loads.undo(engine, number)
            del standing[number]
        elif step == "remember" and of in gone:
            privacy.remember(engine, str(of), key)
            gone.discard(str(of))
        elif step == "forget":
            try:
                privacy.forget(engine, settings.data_dir, [str(of)], key)
                gone.add(str(of))
            except ConfigurationError:
                assert rows(engine, f"SELECT FROM load_customer WHERE customer_id = '{of}'") == []
        elif step == "retain":
            with engine.begin() as connection:
                erasure.mark(connection, [str(of)])
                connection.execute(text("INSERT INTO erasure (reason, customers, removed) VALUES ('x', 1, '{}')"))
                erasure.erase(connection)
    expected: Counter[tuple[str, str, str]] = Counter()
    for lines in standing.values():
        expected |= Counter((order, product, day) for order, _, product, day in lines)
    found = held(engine)
    assert Counter({(o, p, d): n for (o, p, d), n in _whoevers(found).items()}) == expected
    assert not gone.intersection(customer for _, customer, _, _ in found if customer)
    of_orders = {order: customer for order, customer, _, _ in LINES}
    assert all(customer in (of_orders[order], None) for order, customer, _, _ in found)
    named = {(str(customer),) for _, customer, _, _ in found if customer}
    assert named <= set(rows(engine, "SELECT customer_id FROM customer"))
    check_accounts(engine)


def _whoevers(found: Counter[Line]) -> Counter[tuple[str, str, str]]:
    summed: Counter[tuple[str, str, str]] = Counter()
    for (order, _, product, day), number in found.items():
        summed[order, product, day] += number
    return summed
