"""Customers on the move: the bridge from one period's revenue to the next, cohorts, and flows between segments."""

from datetime import date
from typing import Any

import pandas as pd

from db.conditions import Period
from db.drill import CAUSES, COURSES
from db.filters import Filters
from db.remembered import remembered
from db.snapshot import Snapshot
from db.standing import BOUGHT, STANDINGS, standings

_COUNTED = """count(customer_no) AS customers,
    count(*) FILTER (customer_no IN (SELECT customer_no FROM known)) AS listed, sum(before)::DOUBLE AS before,
    sum(now)::DOUBLE AS now"""


@remembered
def bridge(snapshot: Snapshot, filters: Filters, period: Period) -> pd.DataFrame:
    """What changed the revenue of a period against `db.standing.compared` to it: standing, customers, listed, before,
    now, change.

    One row for each of `STANDINGS` and one for `guests`, 0 where there were none; the changes add up exactly to the
    change of revenue. `listed` are the customers whom the published segments know.
    """
    relation = standings(filters.but(start=None, end=None, bridge=None).orders_on, period)
    frame = snapshot.frame(
        f"""
        SELECT standing, {_COUNTED}, sum(now - before)::DOUBLE AS change FROM ({relation.sql})
        GROUP BY standing ORDER BY standing
        """,
        relation.values,
    )
    return frame.set_index("standing").reindex([*STANDINGS, "guests"], fill_value=0)


@remembered
def monthly(snapshot: Snapshot, filters: Filters, first: date, last: date) -> pd.DataFrame:
    """The same for every month from that of `first` to that of `last`, each against the month before: month (its first
    day), standing and the columns of `bridge`; where a standing has nobody there is no row."""
    frame = _months(snapshot, filters.but(start=None, end=None, bridge=None))
    frame = frame[frame["month"].between(pd.Timestamp(first), pd.Timestamp(last))]
    frame = frame.groupby(["month", "standing"], as_index=False)[["customers", "listed", "before", "now"]].sum()
    return frame.assign(change=frame["now"] - frame["before"])


@remembered
def retention(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Customers by the month of their first purchase and the months since: cohort, age, size, customers (who bought in
    that month), listed (of them those whom the published segments know), share, revenue (net).

    Every month from the cohort's first to the last of the data has a row, with 0 where nobody bought. The days of the
    filters do not apply: a cohort is followed over all of the data. Who never bought, and what came back before the
    first purchase, is left out.
    """
    return snapshot.frame(
        f"""
        WITH member AS (
            SELECT *, first AS cohort, date_diff('month', first, month) AS age, standing IN {BOUGHT} AS bought
            FROM stood
            WHERE standing <> 'guests' AND month >= first
        ), size AS (
            SELECT cohort, sum(customers)::BIGINT AS size FROM member WHERE age = 0 GROUP BY cohort
        ), cell AS (
            SELECT cohort, size, unnest(range(date_diff('month', cohort, last) + 1)) AS age
            FROM size, (SELECT max(day) AS last FROM purchase)
        ), done AS (
            SELECT cohort, age, sum(customers) FILTER (bought) AS customers, sum(listed) FILTER (bought) AS listed,
                sum(now) AS revenue
            FROM member GROUP BY ALL
        )
        SELECT cohort::DATE AS cohort, age, size, coalesce(customers, 0)::BIGINT AS customers,
            coalesce(listed, 0)::BIGINT AS listed, coalesce(customers, 0) / size AS share,
            coalesce(revenue, 0) AS revenue
        FROM cell LEFT JOIN done USING (cohort, age) ORDER BY cohort, age
        """,
        stood=_months(snapshot, filters.but(start=None, end=None, cohort=None)),
    )


@remembered
def _months(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """How customers stood in each month, by the month of their first purchase: month, first (missing where there is
    none), standing, and the columns of `bridge` but the change."""
    relation = filters.months()
    return snapshot.frame(
        f"SELECT month, first, standing, {_COUNTED} FROM ({relation.sql}) GROUP BY month, first, standing ORDER BY ALL",
        relation.values,
    )


@remembered
def moments(snapshot: Snapshot) -> pd.DataFrame:
    """The moments at which the run parted the customers, first to last: moment, as_of, day, customers."""
    return snapshot.frame("SELECT moment, as_of, as_of::DATE AS day, customers FROM movement_moment ORDER BY moment")


@remembered
def flows(
    snapshot: Snapshot, filters: Filters, grouping: str, since: int, until: int, *, revenue: bool = False
) -> pd.DataFrame:
    """Where the customers of the filters stood at two moments (`since` before `until`): from_segment (empty for who was
    no customer yet), to_segment, cause, customers, with `revenue` what they brought between the moments (net; of who
    was no customer yet all of it), and of both segments the place and the colour (from_position, from_colour, ...);
    most valuable segments first.

    `grouping` is segment or rfm_group. Everybody who is a customer at `until` is in one row. The days of the filters
    do not apply.
    """
    segments, causes = COURSES[grouping]
    who = filters.but(start=None, end=None, move=None).on_customers()
    words = ", ".join(f"('{letter}', '{word}')" for word, letter in CAUSES.items())
    brought = ", coalesce(sum(revenue), 0)::DOUBLE AS revenue" if revenue else ""
    return snapshot.frame(
        f"""
        WITH stood AS (
            SELECT customer_no, substr({segments}, ? + 1, 1) AS origin, substr({segments}, ? + 1, 1) AS target,
                substr({causes}, ?, 1) AS letter
            FROM known WHERE target <> '.' AND {who.sql}
        ), flow AS (
            SELECT origin, target, letter, count(*) AS customers{brought}
            FROM stood {_SPENT if revenue else ""} GROUP BY ALL
        ), sign AS (
            SELECT letter, segment, position, colour FROM movement_letter WHERE grouping = ?
        )
        SELECT coalesce(o.segment, '') AS from_segment, t.segment AS to_segment, cause,
            flow.* EXCLUDE (origin, target, letter), o.position AS from_position, o.colour AS from_colour,
            t.position AS to_position, t.colour AS to_colour
        FROM flow JOIN (VALUES {words}) AS word (letter, cause) USING (letter)
        LEFT JOIN sign AS o ON o.letter = origin JOIN sign AS t ON t.letter = target
        ORDER BY from_position NULLS LAST, from_segment, to_position NULLS LAST, to_segment, customers DESC, cause
        """,
        (
            *(since, until, until * (until - 1) // 2 + since + 1),
            *who.values,
            *(_ends(snapshot, since, until) if revenue else ()),
            grouping,
        ),
    )


def _ends(snapshot: Snapshot, since: int, until: int) -> tuple[Any, ...]:
    """The values of `_SPENT`."""
    as_of = moments(snapshot).set_index("moment")["as_of"]
    return as_of[since], as_of[until], as_of[since]


# before the first moment who was no customer yet can only have given goods back
_SPENT = """
LEFT JOIN (
    SELECT customer_no, sum(amount) AS revenue FROM (
        SELECT customer_no, amount FROM sale WHERE ordered_at >= ? AND ordered_at < ?
        UNION ALL
        SELECT customer_no, amount FROM sale WHERE is_return AND ordered_at < ?
            AND customer_no IN (SELECT customer_no FROM stood WHERE origin = '.')
    ) GROUP BY customer_no
) USING (customer_no)
"""
