"""Findings on accepted lines: returns and the purchase they undo, and lines that look like mistakes.

A finding changes nothing: the line stays and counts. What is found depends on the lines of the record alone, not on the
order in which loads came. docs/data-quality.md is made from RULES.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

_ENOUGH = 10
_LARGEST = 0.001

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
    SELECT product_id, exp(median + 3.5 * mad / 0.6745) AS limit, exp(median) AS usual
    FROM spread JOIN sold USING (product_id) GROUP BY 1, median, mad HAVING max(x) > median + 3.5 * mad / 0.6745
    """


@dataclass(frozen=True)
class Rule:
    """A code, and what it means to a user. Rules about a product's lines also say how they are found.

    limits: SQL over `level` (product_id, quantity, unit_price, lines: so many purchases of so much at that price) for
    product_id, limit and usual. above: the column of a line that is beyond the limit. detail: SQL for its sentence.
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
        _EXTREME.format(value="quantity", least="ln(3::float8)", enough=_ENOUGH),
        "quantity",
        "trim_scale(line.quantity) || ' pieces, where the median is ' || round(usual::numeric)",
    ),
    Rule(
        "extreme_price",
        "A purchase at a price far above what this product usually costs: the same rule on the price, with a factor of "
        "2 at least. It is at least 36 times the median.",
        _EXTREME.format(value="unit_price", least="ln(2::float8)", enough=_ENOUGH),
        "unit_price",
        "'a price of ' || trim_scale(line.unit_price) || ', where the median is ' || round(usual::numeric, 2)",
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
        SELECT product_id, 0 AS limit, max(quantity) FILTER (WHERE 2 * as_many >= lines) AS usual
        FROM ranked GROUP BY 1
        HAVING min(lines) >= {_ENOUGH} AND max(quantity) FILTER (WHERE 2 * as_many >= lines) >= 1000
            AND min(unit_price) FILTER (WHERE 2 * as_cheap >= lines) < 0.01
        """,
        "quantity",
        "trim_scale(line.quantity) || ' pieces at ' || trim_scale(line.unit_price)",
    ),
)


def touch(connection: Connection, load_id: int) -> None:
    """Note which returns a load has to do with, before its lines go or after they came; `refresh` looks at them."""
    connection.execute(text("DROP TABLE IF EXISTS touched"))
    if not _has_returns(connection):
        return
    pairs = """
        CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
        SELECT DISTINCT customer_id, product_id FROM transaction_line AS back
        WHERE is_return AND EXISTS (
            SELECT FROM transaction_line AS mine WHERE mine.load_id = :load_id
            AND mine.customer_id = back.customer_id AND mine.product_id = back.product_id
        )
        """
    connection.execute(text(pairs), {"load_id": load_id})
    connection.execute(text("ANALYZE touched"))


def refresh(connection: Connection) -> None:
    """Find anew what the lines of the record show, the returns only where they were touched."""
    # the planner knows nothing of rows that have just come, and would compare each with each
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    gone = """
        DELETE FROM line_flag USING load
        WHERE load.load_id = {of} AND load.status IN ('undone', 'replaced')
        """
    for of in ("line_flag.load_id", "line_flag.other_load_id"):
        connection.execute(text(gone.format(of=of)))
    if connection.execute(text("SELECT to_regclass('pg_temp.touched')")).scalar_one() is not None:
        _match_returns(connection)
    connection.execute(text("DELETE FROM line_flag WHERE rule <> :returned"), {"returned": RETURNED.code})
    _find_outliers(connection)
    connection.execute(text("SET LOCAL enable_nestloop = on"))


def _has_returns(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM load WHERE returns > 0)")).scalar_one())


def _match_returns(connection: Connection) -> None:
    """The n-th return of every customer and product at once, each from what is left of the purchases before it."""
    back = """
        CREATE TEMPORARY TABLE back ON COMMIT DROP AS
        SELECT load_id, row_number, customer_id, product_id, ordered_at, abs(quantity) AS pieces, rank() OVER (
            PARTITION BY customer_id, product_id ORDER BY ordered_at, order_id, quantity, load_id, row_number
        ) AS nth
        FROM transaction_line JOIN touched USING (customer_id, product_id) WHERE is_return
        """
    bought = """
        CREATE TEMPORARY TABLE bought ON COMMIT DROP AS
        SELECT load_id, row_number, customer_id, product_id, order_id, ordered_at, quantity, quantity AS remains
        FROM transaction_line JOIN touched USING (customer_id, product_id) WHERE NOT is_return
        """
    forget = (
        "DELETE FROM line_flag AS flag USING back "
        "WHERE rule = :rule AND flag.load_id = back.load_id AND flag.row_number = back.row_number"
    )
    match = """
        WITH match AS (
            SELECT DISTINCT ON (customer_id, product_id) back.load_id, back.row_number, pieces,
                bought.load_id AS other_load_id, bought.row_number AS other_row_number, order_id, bought.ordered_at,
                bought.quantity
            FROM back JOIN bought USING (customer_id, product_id)
            WHERE nth = :nth AND bought.ordered_at <= back.ordered_at AND remains >= pieces
            ORDER BY customer_id, product_id, bought.quantity = pieces DESC, bought.ordered_at DESC, order_id,
                bought.load_id, bought.row_number
        ), used AS (
            UPDATE bought SET remains = remains - pieces FROM match
            WHERE bought.load_id = other_load_id AND bought.row_number = other_row_number
        )
        INSERT INTO line_flag (load_id, row_number, rule, other_load_id, other_row_number, detail)
        SELECT load_id, row_number, :rule, other_load_id, other_row_number,
            trim_scale(pieces) || ' of ' || trim_scale(quantity) || ' bought on ' || to_char(ordered_at, 'YYYY-MM-DD')
            || ' in order ' || order_id
        FROM match
        """
    for statement in (back, bought, "ANALYZE back", "ANALYZE bought"):
        connection.execute(text(statement))
    rule = {"rule": RETURNED.code}
    connection.execute(text(forget), rule)
    rounds = connection.execute(text("SELECT coalesce(max(nth), 0) FROM back")).scalar_one()
    for nth in range(1, rounds + 1):
        connection.execute(text(match), {"nth": nth, **rule})
    for table in ("back", "bought"):
        connection.execute(text(f"DROP TABLE {table}"))


def _find_outliers(connection: Connection) -> None:
    """One pass over the lines sums them up; another one, where anything was found, fetches the lines."""
    level = """
        CREATE TEMPORARY TABLE level ON COMMIT DROP AS
        SELECT product_id, CAST(quantity AS float8) AS quantity, CAST(unit_price AS float8) AS unit_price,
            count(*) AS lines
        FROM transaction_line WHERE NOT is_return GROUP BY 1, 2, 3
        """
    connection.execute(text(level))
    for rule in RULES:
        if not rule.limits:
            continue
        limits = connection.execute(text(rule.limits)).all()
        if not limits:
            continue
        products, beyond, usual = (list(column) for column in zip(*limits, strict=True))
        lines = f"""
            INSERT INTO line_flag (load_id, row_number, rule, detail)
            SELECT load_id, row_number, :rule, {rule.detail}
            FROM transaction_line AS line
            JOIN unnest(CAST(:products AS text[]), CAST(:beyond AS float8[]), CAST(:usual AS float8[]))
                AS limits (product_id, beyond, usual) USING (product_id)
            WHERE NOT is_return AND {rule.above} > beyond
            """
        found = {"rule": rule.code, "products": products, "beyond": beyond, "usual": usual}
        connection.execute(text(lines), found)
    _find_undone(connection)
    connection.execute(text("DROP TABLE level"))


def _find_undone(connection: Connection) -> None:
    undone = """
        WITH largest AS (
            SELECT min(quantity) AS least FROM (
                SELECT quantity, sum(lines) OVER (ORDER BY quantity DESC) AS as_many, sum(lines) OVER () AS lines
                FROM level
            ) AS ranked WHERE as_many <= greatest(lines * :largest, 1)
        )
        INSERT INTO line_flag (load_id, row_number, rule, other_load_id, other_row_number, detail)
        SELECT line.load_id, line.row_number, :rule, back.load_id, back.row_number,
            trim_scale(line.quantity) || ' pieces, returned after '
            || to_char(back.ordered_at - line.ordered_at, 'FMHH24:MI') || ' hours'
        FROM line_flag AS flag
        JOIN transaction_line AS line
            ON line.load_id = flag.other_load_id AND line.row_number = flag.other_row_number
        JOIN transaction_line AS back ON back.load_id = flag.load_id AND back.row_number = flag.row_number
        WHERE flag.rule = :returned AND line.quantity >= (SELECT least FROM largest)
            AND abs(back.quantity) = line.quantity AND back.ordered_at - line.ordered_at <= interval '24 hours'
        """
    if _has_returns(connection):
        connection.execute(text(undone), {"rule": UNDONE.code, "returned": RETURNED.code, "largest": _LARGEST})
