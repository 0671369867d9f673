"""How a customer stands in a period against the one before, and in which month the first order fell.

The numbers of the pages and the lists of customers behind them ask the same relations, so they cannot differ. What
counts as bought is what the condition on lines leaves: under a department, new is who never bought there before.
"""

from datetime import date, timedelta

from db.conditions import Condition, Period, midnight

STANDINGS = ("new", "kept", "won_back", "lapsed", "returns_only")
"""New: the first purchase ever lies in the period. Kept: bought in both. Won back: bought in the period, not in the one
before, but earlier. Lapsed: bought in the one before, not in this one. Returns only: gave back, bought in neither.
"""


def compared(period: Period) -> Period:
    """What a period is held against: a whole month against the month before, else as many days before it."""
    month_before = Period(first_of_month(period.start - timedelta(days=1)), period.start - timedelta(days=1))
    return month_before if period == whole_month(period.start) else period.previous()


def first_of_month(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def whole_month(day: date) -> Period:
    """All days of a day's month."""
    start = first_of_month(day)
    return Period(start, first_of_month(start + timedelta(days=31)) - timedelta(days=1))


def standings(where: Condition, period: Period) -> Condition:
    """A relation of customer_id, standing, now, before (net revenue of both periods), one row a customer with a line in
    either; what guests brought stands in one row without an id, as `guests`. `where` names no days."""
    before = compared(period)
    bin_ = "CASE WHEN ordered_at >= ? THEN 1 WHEN ordered_at >= ? THEN 0 ELSE -1 END"
    starts = (midnight(period.start), midnight(before.start))
    lines = Condition("ordered_at < ?", (midnight(period.end + timedelta(days=1)),)) & where
    relation = _STANDINGS.format(bin=bin_, where=lines.sql)
    return Condition(
        f"SELECT customer_id, standing, now, before FROM ({relation}) WHERE bin = 1", starts + lines.values
    )


def monthly_standings(where: Condition) -> Condition:
    """The same for every month against the month before: bin (months since the year 0), customer_id and so on."""
    bin_ = "(year(ordered_at) * 12 + month(ordered_at) - 1)"
    return Condition(_STANDINGS.format(bin=bin_, where=where.sql), where.values)


_STANDINGS = """
WITH done AS (
    SELECT customer_id, {bin} AS bin, sum(amount) AS amount, bool_or(NOT is_return) AS bought
    FROM transaction_line WHERE {where} GROUP BY ALL
), dated AS (
    SELECT *, min(bin) FILTER (bought) OVER (PARTITION BY customer_id) AS first FROM done
), side AS (
    SELECT customer_id, first, bin, amount AS now, 0 AS before, bought, false AS bought_before FROM dated
    UNION ALL SELECT customer_id, first, bin + 1, 0, amount, false, bought FROM dated
)
SELECT bin, customer_id, CASE
        WHEN customer_id IS NULL THEN 'guests'
        WHEN bool_or(bought) AND first = bin THEN 'new'
        WHEN bool_or(bought) AND bool_or(bought_before) THEN 'kept'
        WHEN bool_or(bought) THEN 'won_back'
        WHEN bool_or(bought_before) THEN 'lapsed'
        ELSE 'returns_only' END AS standing,
    sum(now) AS now, sum(before) AS before
FROM side GROUP BY bin, customer_id, first
"""


def cohorts(where: Condition) -> Condition:
    """A relation of customer_id, cohort (the first day of the month of the first purchase), age (months since), bought
    (whether in that month) and amount, one row a customer and month with a line.

    Who never bought, and what came back before the first purchase, is left out.
    """
    return Condition(
        f"""
        SELECT customer_id, first AS cohort, date_diff('month', first, month) AS age, bought, amount FROM (
            SELECT *, min(month) FILTER (bought) OVER (PARTITION BY customer_id) AS first FROM (
                SELECT customer_id, date_trunc('month', ordered_at)::DATE AS month, bool_or(NOT is_return) AS bought,
                    sum(amount) AS amount
                FROM transaction_line WHERE customer_id IS NOT NULL AND {where.sql} GROUP BY ALL
            )
        ) WHERE month >= first
        """,
        where.values,
    )
