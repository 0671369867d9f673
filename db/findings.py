"""Findings on accepted lines: returns and the purchase they undo, and lines that look like mistakes.

A finding changes nothing: the line stays and counts. What is found rests on all lines together, not on the order in
which loads came, so it is a table of the snapshot alone, made anew with DuckDB when lines have changed. Grain: one
finding on one line, and the line it has to do with, if any. docs/data-quality.md is made from RULES.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from db.columns import Columns as C

LAYOUT = pa.schema(
    {
        C.LOAD_ID: pa.int32(),
        C.ROW_NUMBER: pa.int64(),
        C.RULE: pa.string(),
        C.OTHER_LOAD_ID: pa.int32(),
        C.OTHER_ROW_NUMBER: pa.int64(),
        C.DETAIL: pa.string(),
    }
)

_ENOUGH = 10
_MOST_MEMORY = "2GB"  # what does not fit waits in files
_LARGEST = 0.001
_MOST_RETURNS = 1_000  # of one product by one customer; who returns more keeps no track of purchases

# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): |0.6745 (x - median) / MAD| > 3.5, here of logarithms,
# with a MAD of at least `least`, because most products are nearly always sold by the same number at the same price
_EXTREME = """
    WITH product AS (
        SELECT product_id FROM level WHERE {value} > 0
        GROUP BY 1 HAVING sum(lines) >= {enough} AND ln(max({value}) / min({value})) > 3.5 * {least} / 0.6745
    ), sold AS (
        SELECT product_id, ln({value}) AS x, sum(lines) AS lines
        FROM level JOIN product USING (product_id) WHERE {value} > 0 GROUP BY 1, 2
    ), ranked AS (
        SELECT product_id, x, sum(lines) OVER (PARTITION BY product_id ORDER BY x) AS upto,
            sum(lines) OVER (PARTITION BY product_id) AS lines
        FROM sold
    ), middle AS (
        SELECT product_id, min(x) AS median FROM ranked WHERE 2 * upto >= lines GROUP BY 1
    ), away AS (
        SELECT product_id, median, abs(x - median) AS distance,
            sum(lines) OVER (PARTITION BY product_id ORDER BY abs(x - median)) AS upto,
            sum(lines) OVER (PARTITION BY product_id) AS lines
        FROM sold JOIN middle USING (product_id)
    ), spread AS (
        SELECT product_id, median, greatest(min(distance), {least}) AS mad
        FROM away WHERE 2 * upto >= lines GROUP BY 1, 2
    )
    SELECT product_id, exp(median + 3.5 * mad / 0.6745) AS beyond, exp(median) AS usual
    FROM spread JOIN sold USING (product_id) GROUP BY 1, median, mad HAVING max(x) > median + 3.5 * mad / 0.6745
    """


@dataclass(frozen=True)
class Rule:
    """A code, and what it means to a user. Rules about a product's lines also say how they are found.

    limits: SQL over `level` (product_id, quantity, unit_price, lines: so many purchases of so much at that price) for
    product_id, beyond and usual. above: the column of a line that is beyond the limit. detail: SQL for its sentence.
    """

    code: str
    meaning: str
    limits: str = ""
    above: str = ""
    detail: str = ""


RETURNED = Rule(
    "returned",
    "A return that undoes an earlier purchase: the latest one of the same customer and product that is large enough, "
    "one of the same quantity first. No purchase is undone beyond its quantity.",
)
UNDONE = Rule(
    "undone",
    "A purchase of one of the shop's largest quantities (1 line in 1,000) that was returned whole within 24 hours: "
    "most likely a slip of the hand.",
)
RULES: Sequence[Rule] = (
    RETURNED,
    UNDONE,
    Rule(
        "extreme_quantity",
        "A purchase of far more pieces than this product is usually sold by: the modified z-score (Iglewicz and "
        "Hoaglin) of its logarithm is above 3.5, the median absolute deviation being taken for a factor of 3 at least, "
        "among 10 purchases or more. It is at least 300 times the median.",
        _EXTREME.format(value="quantity", least="ln(3.0)", enough=_ENOUGH),
        "quantity",
        "plain(line.quantity) || ' pieces, where the median is ' || plain(round(usual, 0)::decimal(18, 3))",
    ),
    Rule(
        "extreme_price",
        "A purchase at a price far above what this product usually costs: the same rule on the price, with a factor of "
        "2 at least. It is at least 36 times the median.",
        _EXTREME.format(value="unit_price", least="ln(2.0)", enough=_ENOUGH),
        "unit_price",
        "'a price of ' || plain(line.unit_price) || ', where the median is ' || usual::decimal(18, 2)",
    ),
    Rule(
        "small_unit",
        "A product sold by the thousandth of something, such as fuel: its median quantity is 1,000 or more and its "
        "median price below 0.01. Its pieces say nothing beside those of other products; its amounts are right.",
        f"""
        WITH ranked AS (
            SELECT product_id, quantity, unit_price, sum(lines) OVER (PARTITION BY product_id) AS lines,
                sum(lines) OVER (PARTITION BY product_id ORDER BY quantity DESC) AS as_many,
                sum(lines) OVER (PARTITION BY product_id ORDER BY unit_price) AS as_cheap
            FROM level
        )
        SELECT product_id, 0 AS beyond, max(quantity) FILTER (WHERE 2 * as_many >= lines) AS usual
        FROM ranked GROUP BY 1
        HAVING min(lines) >= {_ENOUGH} AND max(quantity) FILTER (WHERE 2 * as_many >= lines) >= 1000
            AND min(unit_price) FILTER (WHERE 2 * as_cheap >= lines) < 0.01
        """,
        "quantity",
        "plain(line.quantity) || ' pieces at ' || plain(line.unit_price)",
    ),
)


def write(lines: Sequence[Path], path: Path) -> None:
    """Find what the lines in these Parquet files show, and write it to another; no lines give no findings."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute(f"SET memory_limit = '{_MOST_MEMORY}'")
        connection.execute("SET temp_directory = ?", [str(path.parent / "spill")])
        connection.read_parquet([str(file) for file in lines]).create_view("transaction_line")
        types = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in zip(LAYOUT.names, LAYOUT.types, strict=True))
        connection.execute(f"CREATE TABLE line_flag ({types})")
        connection.execute("CREATE MACRO plain(x) AS rtrim(rtrim(x::varchar, '0'), '.')")
        _match_returns(connection)
        _find_outliers(connection)
        connection.sql("FROM line_flag ORDER BY ALL").write_parquet(str(path))


_TYPES = {pa.int32(): "integer", pa.int64(): "bigint", pa.string(): "varchar"}


def _match_returns(connection: duckdb.DuckDBPyConnection) -> None:
    """The n-th return of every customer and product at once, each from what is left of the purchases before it."""
    back = f"""
        CREATE TABLE back AS
        SELECT load_id, row_number, customer_id, product_id, ordered_at, abs(quantity) AS pieces, row_number() OVER (
            PARTITION BY customer_id, product_id ORDER BY ordered_at, order_id, quantity, load_id, row_number
        ) AS nth
        FROM transaction_line WHERE is_return AND customer_id IS NOT NULL QUALIFY nth <= {_MOST_RETURNS}
        """
    bought = """
        CREATE TABLE bought AS
        SELECT load_id, row_number, customer_id, product_id, order_id, ordered_at, quantity, quantity AS remains
        FROM transaction_line SEMI JOIN back USING (customer_id, product_id) WHERE NOT is_return
        """
    match = """
        CREATE OR REPLACE TABLE match AS
        SELECT DISTINCT ON (back.customer_id, back.product_id) back.load_id, back.row_number, pieces,
            bought.load_id AS other_load_id, bought.row_number AS other_row_number, order_id, bought.ordered_at,
            bought.quantity
        FROM back JOIN bought USING (customer_id, product_id)
        WHERE nth = ? AND bought.ordered_at <= back.ordered_at AND remains >= pieces
        ORDER BY bought.quantity = pieces DESC, bought.ordered_at DESC, order_id, bought.load_id, bought.row_number
        """
    use = """
        UPDATE bought SET remains = remains - pieces FROM match
        WHERE bought.load_id = other_load_id AND bought.row_number = other_row_number
        """
    note = """
        INSERT INTO line_flag
        SELECT load_id, row_number, ?, other_load_id, other_row_number,
            plain(pieces) || ' of ' || plain(quantity) || ' bought on ' || strftime(ordered_at, '%Y-%m-%d')
            || ' in order ' || order_id
        FROM match
        """
    connection.execute(back)
    connection.execute(bought)
    (rounds,) = connection.execute("SELECT coalesce(max(nth), 0) FROM back").fetchone() or (0,)
    for nth in range(1, rounds + 1):
        connection.execute(match, [nth])
        connection.execute(use)
        connection.execute(note, [RETURNED.code])


def _find_outliers(connection: duckdb.DuckDBPyConnection) -> None:
    """One pass over the lines sums them up; another one, where anything was found, fetches the lines."""
    level = """
        CREATE TABLE level AS
        SELECT product_id, quantity::double AS quantity, unit_price::double AS unit_price, count(*) AS lines
        FROM transaction_line WHERE NOT is_return GROUP BY ALL
        """
    connection.execute(level)
    for rule in RULES:
        if not rule.limits:
            continue
        connection.execute(f"CREATE OR REPLACE TABLE limits AS {rule.limits}")
        lines = f"""
            INSERT INTO line_flag
            SELECT load_id, row_number, ?, NULL, NULL, {rule.detail}
            FROM transaction_line AS line JOIN limits USING (product_id)
            WHERE NOT is_return AND {rule.above} > beyond
            """
        connection.execute(lines, [rule.code])
    _find_undone(connection)


def _find_undone(connection: duckdb.DuckDBPyConnection) -> None:
    undone = """
        INSERT INTO line_flag
        WITH largest AS (
            SELECT min(quantity) AS least FROM (
                SELECT quantity, sum(lines) OVER (ORDER BY quantity DESC) AS as_many, sum(lines) OVER () AS lines
                FROM level
            ) AS ranked WHERE as_many <= greatest(lines * ?, 1)
        ), whole AS (
            SELECT bought.load_id, bought.row_number, back.load_id AS other_load_id,
                back.row_number AS other_row_number, bought.quantity,
                date_diff('minute', bought.ordered_at, back.ordered_at) AS minutes
            FROM line_flag AS flag
            JOIN bought ON bought.load_id = flag.other_load_id AND bought.row_number = flag.other_row_number
            JOIN back ON back.load_id = flag.load_id AND back.row_number = flag.row_number
            WHERE flag.rule = ? AND pieces = bought.quantity
                AND back.ordered_at - bought.ordered_at <= INTERVAL 24 HOUR
        )
        SELECT load_id, row_number, ?, other_load_id, other_row_number,
            plain(quantity) || ' pieces, returned after ' || (minutes // 60) || ':'
            || lpad((minutes % 60)::varchar, 2, '0') || ' hours'
        FROM whole WHERE quantity >= (SELECT least FROM largest)
        """
    connection.execute(undone, [_LARGEST, RETURNED.code, UNDONE.code])
