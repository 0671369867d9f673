"""How a customer stands in a period against the one before, and in which month the first order fell.

The numbers of the pages and the lists of customers behind them ask the same relations, so they cannot differ. What
counts as bought is what the condition on lines leaves: under a department, new is who never bought there before.
"""

from datetime import date, timedelta

from db.conditions import Condition, Period, midnight, ordered

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
    both = ordered(before.start, period.end) & where
    earlier = ordered(None, before.start - timedelta(days=1)) & where
    return Condition(
        f"""
        WITH recent AS (
            SELECT customer_id, coalesce(sum(amount) FILTER (is_now), 0) AS now,
                coalesce(sum(amount) FILTER (NOT is_now), 0) AS before,
                coalesce(bool_or(NOT is_return) FILTER (is_now), false) AS bought,
                coalesce(bool_or(NOT is_return) FILTER (NOT is_now), false) AS bought_before
            FROM (SELECT *, ordered_at >= ? AS is_now FROM transaction_line WHERE {both.sql}) GROUP BY customer_id
        ), earlier AS (
            SELECT DISTINCT customer_id FROM transaction_line WHERE NOT is_return AND {earlier.sql}
                AND customer_id IN (SELECT customer_id FROM recent WHERE bought AND NOT bought_before)
        )
        SELECT customer_id, {_STANDING.format(is_first="NOT bought_before AND e.customer_id IS NULL")} AS standing, now,
            before
        FROM recent LEFT JOIN earlier AS e USING (customer_id)
        """,
        (midnight(period.start), *both.values, *earlier.values),
    )


def monthly_standings(where: Condition) -> Condition:
    """The same for every month against the month before: month (its first day), customer_id and so on."""
    return Condition(
        f"""
        WITH {_DONE.format(where=where.sql)}, side AS (
            SELECT customer_id, month, amount AS now, 0 AS before, bought, false AS bought_before FROM done
            UNION ALL SELECT customer_id, (month + INTERVAL 1 MONTH)::DATE, 0, amount, false, bought FROM done
        ), pair AS (
            SELECT customer_id, month, sum(now) AS now, sum(before) AS before, bool_or(bought) AS bought,
                bool_or(bought_before) AS bought_before
            FROM side GROUP BY customer_id, month
        )
        SELECT month, customer_id, {_STANDING.format(is_first="first = month")} AS standing, now, before
        FROM pair LEFT JOIN began USING (customer_id)
        """,
        where.values,
    )


def cohorts(where: Condition) -> Condition:
    """A relation of customer_id, cohort (the first day of the month of the first purchase), age (months since), bought
    (whether in that month) and amount, one row a customer and month with a line.

    Who never bought, and what came back before the first purchase, is left out.
    """
    return Condition(
        f"""
        WITH {_DONE.format(where=where.sql)}
        SELECT customer_id, first AS cohort, date_diff('month', first, month) AS age, bought, amount
        FROM done JOIN began USING (customer_id) WHERE month >= first
        """,
        where.values,
    )


_STANDING = """CASE
    WHEN customer_id IS NULL THEN 'guests'
    WHEN bought AND {is_first} THEN 'new'
    WHEN bought AND bought_before THEN 'kept'
    WHEN bought THEN 'won_back'
    WHEN bought_before THEN 'lapsed'
    ELSE 'returns_only' END"""

_DONE = """done AS (
    SELECT customer_id, date_trunc('month', ordered_at)::DATE AS month, sum(amount) AS amount,
        bool_or(NOT is_return) AS bought
    FROM transaction_line WHERE {where} GROUP BY ALL
), began AS (
    SELECT customer_id, min(month) AS first FROM done WHERE bought AND customer_id IS NOT NULL GROUP BY customer_id
)"""
