"""How the segments' shares of the customers developed over the moments of a run."""

import pandas as pd

from db.drill import COURSES, Grouping
from db.filters import Filters
from db.snapshot import Snapshot


def over_time(snapshot: Snapshot, filters: Filters, grouping: Grouping = "segment") -> pd.DataFrame:
    """How many of the filters' customers stood in which segment at each moment of the run (docs/movement.md): moment,
    day, segment, position (missing for a segment of the past alone), colour, customers, share (of the customers whom
    the filters leave and who had ordered by then).

    A segment has a row where somebody stood in it, the most valuable first. The days of the filters do not apply, and
    customers are those whom the run knows: its last moment is its own.
    """
    segments, _ = COURSES[grouping]
    who = filters.but(start=None, end=None, move=None).on_customers()
    return snapshot.frame(
        f"""
        WITH course AS MATERIALIZED (
            SELECT {segments} AS letters, count(*) AS customers FROM known
            WHERE {segments} IS NOT NULL AND {who.sql} GROUP BY ALL
        ), stood AS (
            SELECT moment, as_of::DATE AS day, substr(letters, moment + 1, 1) AS letter,
                sum(course.customers)::BIGINT AS customers
            FROM course, movement_moment WHERE letter <> '.' GROUP BY ALL
        )
        SELECT moment, day, segment, min(position) AS position, any_value(colour) AS colour,
            sum(stood.customers)::BIGINT AS customers,
            sum(stood.customers) / sum(sum(stood.customers)) OVER (PARTITION BY moment) AS share
        FROM stood JOIN (SELECT * FROM movement_letter WHERE grouping = ?) USING (letter)
        GROUP BY moment, day, segment ORDER BY moment, position NULLS LAST, segment
        """,
        (*who.values, grouping),
    )
