"""How a customer stands in a period against the one before, and in which month the first order fell.

The numbers of the pages and the lists of customers behind them ask the same relations, so they cannot differ. What
counts as bought is what the orders of a view hold: under a department, new is who never bought there before.
"""

from datetime import date, timedelta

from db.conditions import Condition, Orders, Period, ordered

STANDINGS = ("new", "kept", "won_back", "lapsed", "returns_only")
"""New: the first purchase ever lies in the period. Kept: bought in both. Won back: bought in the period, not in the one
before, but earlier. Lapsed: bought in the one before, not in this one. Returns only: gave back, bought in neither.
"""

BOUGHT = ("new", "kept", "won_back")
"""The standings of who bought in the period."""


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


def standings(orders: Orders, period: Period) -> Condition:
    """A relation of customer_no, standing, now, before (net revenue of both periods), one row a customer with an order
    or a return in either; what guests brought stands in one row without a number, as `guests`."""
    before = compared(period)
    both = orders(ordered(before.start, period.end))
    earlier = orders(ordered(None, before.start - timedelta(days=1)))
    return Condition(
        f"""
        WITH recent AS (
            SELECT customer_no, coalesce(sum(amount) FILTER (is_now), 0) AS now,
                coalesce(sum(amount) FILTER (NOT is_now), 0) AS before,
                coalesce(bool_or(is_sold) FILTER (is_now), false) AS bought,
                coalesce(bool_or(is_sold) FILTER (NOT is_now), false) AS bought_before
            FROM (SELECT *, day >= ? AS is_now FROM ({both.sql})) GROUP BY customer_no
        ), earlier AS (
            SELECT DISTINCT customer_no FROM ({earlier.sql})
            WHERE is_sold AND customer_no IN (SELECT customer_no FROM recent WHERE bought AND NOT bought_before)
        )
        SELECT customer_no, {_STANDING.format(is_first="NOT bought_before AND e.customer_no IS NULL")} AS standing, now,
            before
        FROM recent LEFT JOIN earlier AS e USING (customer_no)
        """,
        (period.start, *both.values, *earlier.values),
    )


def monthly_standings(orders: Condition) -> Condition:
    """The same for every month against the month before: month, customer_no, first, standing, now, before.

    month and first are the first days of months; first is that of the first purchase, null where there is none.
    """
    return Condition(
        f"""
        WITH {_DONE.format(orders=orders.sql)}, course AS (
            SELECT *, min(month) FILTER (bought) OVER (PARTITION BY customer_no) AS first,
                lag(month) OVER one = month - INTERVAL 1 MONTH AS follows,
                coalesce(lead(month) OVER one = month + INTERVAL 1 MONTH, false) AS goes_on,
                lag(amount) OVER one AS amount_before, lag(bought) OVER one AS bought_then
            FROM done WINDOW one AS (PARTITION BY customer_no ORDER BY month)
        ), pair AS (
            SELECT customer_no, month, first, amount AS now, bought,
                CASE WHEN follows THEN amount_before ELSE 0 END AS before, coalesce(follows AND bought_then, false)
                    AS bought_before
            FROM course
            UNION ALL SELECT customer_no, (month + INTERVAL 1 MONTH)::DATE, first, 0, false, amount, bought
            FROM course WHERE NOT goes_on
        )
        SELECT month, customer_no, first, {_STANDING.format(is_first="first = month")} AS standing, now, before
        FROM pair
        """,
        orders.values,
    )


def cohorts(months: Condition) -> Condition:
    """A relation of customer_no, cohort (the first day of the month of the first purchase), age (months since), bought
    (whether in that month), of a relation like `monthly_standings`.

    Who never bought, and what came back before the first purchase, is left out.
    """
    return Condition(
        f"""
        SELECT customer_no, first AS cohort, date_diff('month', first, month) AS age, standing IN {BOUGHT} AS bought
        FROM ({months.sql}) WHERE customer_no IS NOT NULL AND month >= first
        """,
        months.values,
    )


_STANDING = """CASE
    WHEN customer_no IS NULL THEN 'guests'
    WHEN bought AND {is_first} THEN 'new'
    WHEN bought AND bought_before THEN 'kept'
    WHEN bought THEN 'won_back'
    WHEN bought_before THEN 'lapsed'
    ELSE 'returns_only' END"""

_DONE = """done AS (
    SELECT customer_no, date_trunc('month', day)::DATE AS month, sum(amount) AS amount, bool_or(is_sold) AS bought
    FROM ({orders}) GROUP BY ALL
)"""
