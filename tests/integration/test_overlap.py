"""Facts about overlapping exports: the record holds what the loads that stand say, whatever came and went before."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from db import accounts, known, loads, schema
from db.bulk import arrow_schema
from db.columns import Columns as C
from db.forgotten import Key, no_key
from errors import ConfigurationError

Line = tuple[str, str | None, str, str]
"""Order, customer, product, day."""

LINES: Sequence[Line] = [
    ("1", "ann", "A", "2024-01-31"),
    ("1", "ann", "B", "2024-01-31"),
    ("2", None, "A", "2024-02-01"),
    ("3", "bob", "A", "2024-03-01"),
    ("3", "bob", "C", "2024-03-01"),
]
FILES = st.lists(st.sampled_from(LINES), min_size=1, max_size=6)


def put(engine: Engine, lines: Sequence[Line], replaces: int | None = None, key: Key = no_key) -> int:
    """Load lines of 1 piece at 2.50 as a file of their own; the file's number tells its country of every customer."""
    with loads.transaction(engine, "a file") as connection:
        with engine.connect() as other:
            number = other.execute(text("SELECT coalesce(max(load_id), 0) FROM load")).scalar_one()
        load_id = loads.begin(connection, "a file", f"{number} {lines}", {}, replaces=replaces)
        layout = arrow_schema(schema.transaction_line)
        rows = [
            {
                C.ROW_NUMBER: place,
                C.ORDER_ID: order,
                C.CUSTOMER_ID: customer,
                C.PRODUCT_ID: product,
                C.QUANTITY: Decimal(1),
                C.UNIT_PRICE: Decimal("2.5"),
                C.DISCOUNT: Decimal(0),
                C.AMOUNT: Decimal("2.5"),
                C.IS_RETURN: False,
                C.ORDERED_AT: None,
            }
            for place, (order, customer, product, _) in enumerate(lines, start=1)
        ]
        batch = pa.RecordBatch.from_pylist(rows, layout)
        days = pa.array([day for *_, day in lines]).cast(pa.timestamp("us"))
        batch = batch.set_column(batch.schema.get_field_index(C.ORDERED_AT), C.ORDERED_AT, days).drop_columns(C.LOAD_ID)
        loads.add_lines(connection, [loads.lines_of(load_id, batch)])
        people = {C.CUSTOMER_ID: batch[C.CUSTOMER_ID], C.LAST_ORDERED_AT: days}
        known.stage_customers(connection, [pa.RecordBatch.from_pydict(people).filter(batch[C.CUSTOMER_ID].is_valid())])
        goods = {C.PRODUCT_ID: batch[C.PRODUCT_ID], "lines": [1] * len(rows), C.IS_SERVICE: [False] * len(rows)}
        known.stage_products(connection, [pa.RecordBatch.from_pydict(goods)])
        known.merge_customers(connection, load_id)
        known.merge_products(connection, load_id)
        return loads.finish(connection, load_id, len(lines), Decimal("2.5") * len(lines), key=key).load_id


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def held(engine: Engine) -> Counter[Line]:
    query = "SELECT order_id, customer_id, product_id, to_char(ordered_at, 'YYYY-MM-DD') FROM transaction_line"
    return Counter(rows(engine, query))  # type: ignore[arg-type]


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = (table.name for table in schema.metadata.sorted_tables if table.name != "audit_event")  # it refuses
        connection.execute(text(f"TRUNCATE {', '.join(tables)}"))


def content(engine: Engine) -> list[object]:
    """All that is known, whatever the numbers of the loads: they count from the first that stands."""
    standing = "(SELECT *, rank() OVER (ORDER BY load_id) AS nth FROM load WHERE status = 'done') AS load"
    queries = (
        f"SELECT nth, row_number, order_id FROM transaction_line JOIN {standing} USING (load_id) ORDER BY 1, 2",
        "SELECT * FROM customer ORDER BY 1",
        "SELECT * FROM product ORDER BY 1",
        f"SELECT nth, rows_read, rows_accepted, months, rejected_by_reason FROM {standing} ORDER BY 1",
    )
    return [rows(engine, query) for query in queries]


def check_accounts(engine: Engine) -> None:
    """Each load adds up, each of its rows stands once, and each row left out names a line that is like it."""
    for load in accounts.all_loads(engine):
        accepted = rows(engine, f"SELECT row_number, amount FROM transaction_line WHERE load_id = {load.load_id}")
        refused = rows(engine, f"SELECT row_number, amount FROM rejected_row WHERE load_id = {load.load_id}")
        if load.status != "done":
            assert accepted == refused == []
            continue
        assert sorted(number for number, _ in accepted + refused) == list(range(1, load.rows_read + 1))  # type: ignore[type-var]
        assert (load.rows_accepted, load.rows_rejected) == (len(accepted), len(refused))
        assert load.amount_accepted == sum(amount for _, amount in accepted)  # type: ignore[misc]
        assert load.amount_read == load.amount_accepted + load.amount_rejected
    stray = """
        SELECT * FROM rejected_row AS row WHERE reason = 'already_loaded' AND NOT EXISTS (
            SELECT FROM transaction_line AS line
            WHERE line.load_id = CAST(raw ->> 'load' AS int) AND line.row_number = CAST(raw ->> 'row' AS int)
                AND line.ordered_at = row.ordered_at AND line.amount = row.amount
        )
        """
    assert rows(engine, stray) == []


def test_an_export_with_last_months_lines_adds_the_new_ones(engine: Engine) -> None:
    first = put(engine, LINES[:3])
    second = put(engine, LINES)
    assert held(engine) == Counter(LINES)
    assert rows(engine, f"SELECT row_number, reason, raw FROM rejected_row WHERE load_id = {second} ORDER BY 1") == [
        (place, "already_loaded", {"load": first, "row": place}) for place in (1, 2, 3)
    ]
    check_accounts(engine)


def test_a_line_twice_in_the_file_and_once_in_the_record_adds_one(engine: Engine) -> None:
    put(engine, [LINES[0]])
    put(engine, [LINES[0], LINES[0]])
    assert held(engine) == Counter({LINES[0]: 2})


def test_a_file_of_nothing_new_stands_with_no_line_of_its_own(engine: Engine) -> None:
    put(engine, LINES)
    again = put(engine, LINES[::-1])
    done = accounts.report(engine, again).load
    assert (done.status, done.rows_accepted, done.rejected["already_loaded"][0]) == ("done", 0, 5)


def test_what_a_load_takes_along_passes_to_the_first_that_has_it_too(engine: Engine) -> None:
    first, second, third = put(engine, LINES[:3]), put(engine, LINES[:2]), put(engine, LINES[1:])
    undone = loads.undo(engine, first)
    assert undone.heirs == [second, third]
    assert rows(engine, "SELECT load_id, row_number, order_id, product_id FROM transaction_line ORDER BY 1, 2") == [
        (second, 1, "1", "A"),
        (second, 2, "1", "B"),
        (third, 2, "2", "A"),
        (third, 3, "3", "A"),
        (third, 4, "3", "C"),
    ]
    assert rows(engine, "SELECT load_id, row_number, raw FROM rejected_row") == [(third, 1, {"load": second, "row": 2})]
    assert accounts.report(engine, second).load.months == ["2024-01"]
    check_accounts(engine)


@given(st.lists(st.tuples(FILES, st.sampled_from(["load", "undo", "replace"]), st.integers(0, 9)), max_size=7))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_loads_and_undos_the_record_is_what_the_loads_that_stand_say(
    engine: Engine, steps: list[tuple[list[Line], str, int]]
) -> None:
    empty(engine)
    standing: dict[int, list[Line]] = {}
    for lines, step, which in steps:
        old = sorted(standing)[which % len(standing)] if standing and step != "load" else None
        if old is not None:
            del standing[old]
        if step == "undo" and old is not None:
            loads.undo(engine, old)
        else:
            standing[put(engine, lines, old)] = lines
        most: Counter[Line] = Counter()
        for each in standing.values():
            most |= Counter(each)
        assert held(engine) == most
        check_accounts(engine)
    left = content(engine)
    empty(engine)
    for load_id in sorted(standing):
        put(engine, standing[load_id])
    assert left == content(engine)


def test_a_replaced_load_is_out_and_told_by_the_new_one(engine: Engine) -> None:
    old = put(engine, LINES[:3])
    new = put(engine, LINES[:2], replaces=old)
    assert held(engine) == Counter(LINES[:2])
    assert accounts.report(engine, old).load.status == "replaced"
    assert rows(engine, f"SELECT replaces FROM load WHERE load_id = {new}") == [(old,)]
    for gone in (old, 99):
        with pytest.raises(ConfigurationError, match=r"replaced already|no load 99"):
            put(engine, LINES, replaces=gone)
    assert held(engine) == Counter(LINES[:2])
