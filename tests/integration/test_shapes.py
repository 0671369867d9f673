"""Facts about the exports of shop systems: each loads with no mapping, and so does its twin of a German office."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from db import accounts
from etl.inspection import inspected
from etl.load import load
from etl.readers import open_source
from tests.shapes import FOLDER, SHAPES, Shape, mangled

WAYS: dict[str, Callable[[Shape, Path], Path]] = {
    "as it is": lambda shape, folder: FOLDER / shape.file,
    "mangled": mangled,
}
LINE = (
    "SELECT row_number, order_id, customer_id, product_id, ordered_at, quantity, unit_price, discount, amount, "
    "is_return, country FROM transaction_line ORDER BY row_number"
)


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.file)
def shape(request: pytest.FixtureRequest) -> Shape:
    found: Shape = request.param
    return found


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("way", WAYS)
def test_inspect_understands_it(shape: Shape, way: str, tmp_path: Path) -> None:
    found = inspected(open_source(str(WAYS[way](shape, tmp_path))))
    assert (found.export, list(found.missing), list(found.questions)) == (shape.export, [], [])
    assert found.rows_looked_at == shape.rows
    assert {part.reason: part.rows for part in found.rejected} == {
        reason: count for reason, count in shape.rejected.items() if reason != "duplicate"
    }
    assert [-part.rows for part in found.rejected] == sorted(-part.rows for part in found.rejected)
    assert found.preview[0]["order_id"] == shape.first[0]
    assert {dates.column for dates in found.dates} == {shape.dates[0]}
    if way == "mangled":
        assert (found.form.encoding, found.form.delimiter, found.form.header_line) == ("cp1252", ";", 3)
        assert [dates.day_first for dates in found.dates] == [True]
        marks = {numbers.column: (numbers.decimal, numbers.thousands) for numbers in found.numbers}
        assert all(marks[column][0] == "," for column in shape.numbers if column in marks)
        assert (",", ".") in marks.values()


@pytest.mark.parametrize("way", WAYS)
def test_it_loads_with_no_mapping(engine: Engine, shape: Shape, way: str, tmp_path: Path) -> None:
    done = load(engine, open_source(str(WAYS[way](shape, tmp_path)))).load
    assert (done.rows_read, {reason: count for reason, (count, _) in done.rejected.items()}) == (
        shape.rows,
        shape.rejected,
    )
    assert (done.amount_accepted, done.amount_read) == (shape.amount, done.amount_accepted + done.amount_rejected)
    extent = accounts.report(engine, done.load_id).extent
    assert (extent.orders, extent.customers, extent.guest_rows) == (shape.orders, shape.customers, shape.guest_rows)
    sums = rows(engine, "SELECT sum(quantity), sum(discount) FROM transaction_line")
    assert sums == [(Decimal(shape.pieces), shape.discount)]
    first = rows(
        engine,
        "SELECT order_id, customer_id, product_id, name, to_char(ordered_at, 'YYYY-MM-DD HH24:MI:SS'), quantity, "
        "unit_price, discount, amount, country FROM transaction_line JOIN product USING (product_id) "
        "ORDER BY row_number LIMIT 1",
    )[0]
    order, customer, product, name, moment, quantity, price, discount, amount, country = shape.first
    assert first[:4] == (order, customer, product, name)
    assert str(first[4]).startswith(str(moment))
    assert first[5:9] == tuple(Decimal(str(number)) for number in (quantity, price, discount, amount))
    assert first[9] == country


def test_the_twin_gives_the_same_lines(engine: Engine, shape: Shape, tmp_path: Path) -> None:
    load(engine, open_source(str(FOLDER / shape.file)))
    lines, products = rows(engine, LINE), rows(engine, "SELECT * FROM product ORDER BY 1")
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE load, transaction_line, rejected_row, product, customer CASCADE"))
    load(engine, open_source(str(mangled(shape, tmp_path))))
    assert rows(engine, LINE) == lines
    assert rows(engine, "SELECT * FROM product ORDER BY 1") == products
