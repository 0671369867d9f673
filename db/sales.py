"""What the pages read instead of the lines: the same facts, numbered and sorted, in DuckDB files.

Made of the Parquet files of a snapshot, and as immutable. Numbers stand for ids within one snapshot alone: integers are
counted and compared many times faster than texts. A shop's names of places and goods stay texts; DuckDB keeps each of
them once. `sales.duckdb` holds `TABLES`, `known.duckdb` the customers of the published run; of an earlier run `known`
is asked of the Parquet files each time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import duckdb

from db.conditions import Condition
from db.standing import monthly_standings

SALES, KNOWN = "sales", "known"
"""The files, without their ending, and the names of their parts in a manifest."""

LAYOUT = f"2, DuckDB {duckdb.__version__}"
"""What the files' form rests on: another one makes them anew."""

YEAR = 365
"""Days of past revenue that a customer is known by."""

_COLUMNS = "purchase_no, customer_no, order_no, day, country, bought_at, amount, is_sold, is_plain"


def with_courses(purchases: str) -> str:
    """SQL for rows like those of `purchase`, with the courses that customers take in these purchases alone.

    nth: which order of the customer it is; previous_day, earlier_day: the days of the one before and of the one before
    that (the first of the calendar where there is none); next_day: that of the next; late_day: the day at whose end the
    customer has been silent for more than twice the mean gap between their orders (of at least a day), from the second
    order on, unless the next order comes first. All null of what is no sale, of guests, and of who is not plain.
    """
    return f"""
        WITH those AS ({purchases}), numbered AS (
            SELECT {_COLUMNS}, row_number() OVER one::INTEGER AS nth, first_value(bought_at) OVER one AS first_at,
                lag(day, 1, {_NEVER}) OVER one AS previous_day, lag(day, 2, {_NEVER}) OVER one AS earlier_day,
                lead(day) OVER one AS next_day
            FROM those WHERE {_COURSED} WINDOW one AS (PARTITION BY customer_no ORDER BY bought_at, order_no)
        ), timed AS (
            SELECT *, epoch(bought_at) AS placed, (placed - epoch(first_at)) / nullif(nth - 1, 0) AS gap,
                DATE '1970-01-01' + floor((placed + 2 * greatest(gap, 86400)) / 86400)::INTEGER AS late
            FROM numbered
        )
        SELECT {_COLUMNS}, nth, previous_day, earlier_day, next_day,
            CASE WHEN nth > 1 AND (next_day IS NULL OR late < next_day) THEN late END AS late_day
        FROM timed UNION ALL
        SELECT {_COLUMNS}, NULL, NULL, NULL, NULL, NULL FROM those WHERE NOT ({_COURSED})
    """


_NEVER = "DATE '0001-01-01'"
_COURSED = "is_sold AND is_plain AND customer_no IS NOT NULL"

TABLES = {
    # one customer, by id
    "buyer": """
        SELECT row_number() OVER (ORDER BY customer_id)::INTEGER AS customer_no, customer_id
        FROM customer ORDER BY customer_id
    """,
    # one product
    "goods": """
        SELECT row_number() OVER (ORDER BY department, category, product_id)::INTEGER AS product_no, product_id,
            department, category
        FROM product ORDER BY product_no
    """,
    # one attribute of one customer that has a value; texts as they are, all else as JSON writes it
    "attribute": """
        SELECT name, value, customer_no FROM (
            SELECT customer_no, name,
                json_extract_string(attributes, '/' || replace(replace(name, '~', '~0'), '/', '~1')) AS value
            FROM (SELECT customer_id, attributes, unnest(json_keys(attributes)) AS name FROM customer)
            JOIN buyer USING (customer_id)
        ) WHERE value IS NOT NULL ORDER BY name, value, customer_no
    """,
    # one order, numbered in the order of customers
    "bill": """
        SELECT order_id, row_number() OVER (ORDER BY customer_no, first_at, order_id)::INTEGER AS order_no FROM (
            SELECT order_id, min(customer_no) AS customer_no, min(ordered_at) AS first_at
            FROM line LEFT JOIN buyer USING (customer_id) GROUP BY order_id
        ) ORDER BY order_no
    """,
    # one order of one customer (null: a guest) on one day in one country; is_sold where goods went out. A purchase is
    # plain where its customer bought in one country alone, and none of the customer's orders in several such rows: then
    # each sold row is an order of its own, and a country takes all of a customer's orders or none. By day, so that a
    # period reads but a part of the file
    "purchase": with_courses("""
        WITH part AS (
            SELECT customer_no, order_no, ordered_at::DATE AS day, country,
                min(ordered_at) FILTER (NOT is_return) AS bought_at, sum(amount)::DECIMAL(18, 4) AS amount
            FROM line JOIN bill USING (order_id) LEFT JOIN buyer USING (customer_id) GROUP BY ALL
        ), split AS (
            SELECT order_no FROM part WHERE bought_at IS NOT NULL GROUP BY order_no HAVING count(*) > 1
        ), entangled AS (
            SELECT customer_no FROM part WHERE customer_no IS NOT NULL GROUP BY customer_no
            HAVING bool_or(order_no IN (FROM split)) OR count(DISTINCT coalesce(country, '')) > 1
        )
        SELECT row_number() OVER (ORDER BY day, customer_no, order_no, country)::INTEGER AS purchase_no, *,
            bought_at IS NOT NULL AS is_sold, order_no NOT IN (FROM split)
                AND (customer_no IS NULL OR customer_no NOT IN (FROM entangled)) AS is_plain
        FROM part
    """)
    + "ORDER BY purchase_no",
    # one customer in one month with an order, or after one; all purchases taken together
    "month": f"FROM ({monthly_standings(Condition('FROM purchase')).sql}) ORDER BY month, standing, customer_no",
    # one accepted line; opens_... where it is the first of its purchase that was sold in that department or category
    "sale": """
        SELECT purchase_no, line.customer_no, line.order_no, product_no, ordered_at, line.day, line.country, department,
            category, quantity, unit_price, line.amount, is_return, is_plain,
            NOT is_return AND row_number() OVER of_department = 1 AS opens_department,
            NOT is_return AND row_number() OVER of_category = 1 AS opens_category
        FROM (
            SELECT line.*, customer_no, order_no, product_no, department, category, ordered_at::DATE AS day FROM line
            JOIN bill USING (order_id) LEFT JOIN buyer USING (customer_id) LEFT JOIN goods USING (product_id)
        ) AS line JOIN purchase ON purchase.order_no = line.order_no AND purchase.day = line.day
            AND purchase.customer_no IS NOT DISTINCT FROM line.customer_no
            AND purchase.country IS NOT DISTINCT FROM line.country
        WINDOW of_department AS (PARTITION BY purchase_no, department, is_return),
            of_category AS (PARTITION BY purchase_no, category, is_return)
        ORDER BY product_no, purchase_no
    """,
}
"""Table -> how it is made, of the record's tables (of lines, `line`) and of the tables before it; its grain above."""

CONSENT = """CASE lower(json_extract_string(attributes, '$.consent'))
    WHEN 'true' THEN 'yes' WHEN 'yes' THEN 'yes' WHEN 'false' THEN 'no' WHEN 'no' THEN 'no' END AS consent"""
"""Of a row of `customer`: yes or no to being contacted; null where nothing is known."""

KNOWN_TABLE = f"""
    SELECT *, greatest(past, 0) * churn_risk AS risk FROM (
        SELECT * EXCLUDE sold, coalesce(sold, 0)::DOUBLE AS past FROM customer_segment
        LEFT JOIN (SELECT * EXCLUDE run_id FROM customer_movement) USING (customer_id)
        LEFT JOIN buyer USING (customer_id)
        LEFT JOIN (SELECT customer_id, country, {CONSENT} FROM customer) USING (customer_id)
        LEFT JOIN (
            SELECT customer_no, sum(amount) AS sold FROM sale, (
                SELECT as_of FROM model_run WHERE run_id = (SELECT any_value(run_id) FROM customer_segment)
            ) WHERE ordered_at < as_of AND ordered_at >= as_of - INTERVAL {YEAR} DAY GROUP BY customer_no
        ) USING (customer_no)
    )
"""
"""One customer of a run: the columns of customer_segment and customer_movement, the customer's number, country and
consent, `past` (net revenue of the `YEAR` days before the run's moment) and `risk` (of it what probably does not come
again: times the probability of no order in 90 days)."""

LOOKED_FOR = f"SELECT segments, consent FROM {KNOWN} LIMIT 0; FROM month LIMIT 0"
"""What files of an older layout do not have."""

KNOWN_OF = ("customer_segment", "customer_movement", "customer", "model_run")
"""The tables that the customers of a run are made of, beside the sales."""

_MOST_MEMORY = "4GB"  # what does not fit waits in files
_TO_THE_FILE = "CHECKPOINT"  # closing would do it too, and not tell of a disk that is full


def write_sales(sources: Mapping[str, Sequence[Path]], path: Path) -> None:
    """Make the file of a snapshot's `transaction_line`, `customer` and `product`; no lines give empty tables."""
    with _making(path, sources) as connection:
        connection.execute("CREATE TEMP VIEW line AS FROM transaction_line")
        for name, sql in TABLES.items():
            connection.execute(f"CREATE TABLE {name} AS {sql}")
        connection.execute(_TO_THE_FILE)


def write_known(sources: Mapping[str, Sequence[Path]], sales: Path, path: Path) -> None:
    """Make the file of the published run's customers, of `KNOWN_OF` and the sales."""
    with _making(path, sources) as connection:
        attach(connection, sales, "TEMP VIEW")
        connection.execute(f"CREATE TABLE {KNOWN} AS FROM ({KNOWN_TABLE}) ORDER BY customer_no")
        connection.execute(_TO_THE_FILE)


def attach(connection: duckdb.DuckDBPyConnection, path: Path, view: Literal["VIEW", "TEMP VIEW"] = "VIEW") -> None:
    """Let the connection see the tables of a file under their names."""
    file = f"{path.stem}_file"
    connection.execute(f"ATTACH {quoted(path)} AS {file} (READ_ONLY)")
    tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = ?", (file,))
    for (name,) in tables.fetchall():
        connection.execute(f'CREATE {view} "{name}" AS FROM {file}."{name}"')


def rows(path: Path) -> int:
    """How many rows the tables of a file have together. Raises duckdb.Error where it is no such file."""
    with duckdb.connect() as connection:
        attach(connection, path)
        counts = connection.execute("SELECT sum(estimated_size) FROM duckdb_tables()").fetchone()
    return int(counts[0] or 0) if counts else 0


def quoted(text: object) -> str:
    """A path or another text as a literal of SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def _making(path: Path, sources: Mapping[str, Sequence[Path]]) -> duckdb.DuckDBPyConnection:
    """A connection that writes the file, with the sources as views."""
    connection = duckdb.connect(str(path), config={"autoinstall_known_extensions": "false"})
    connection.execute(f"SET memory_limit = '{_MOST_MEMORY}'")
    connection.execute("SET temp_directory = ?", [str(path.parent / "spill")])
    for name, files in sources.items():
        listed = ", ".join(quoted(file) for file in files)
        connection.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet([{listed}])")
    return connection
