"""Where there is most to keep: customers who probably will not come back, and what they brought."""

import pandas as pd

from db.conditions import Condition
from db.filters import Filters
from db.queries.value import PROBABLY
from db.snapshot import Snapshot


def stakes(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """The filters' customers with a churn risk of at least `PROBABLY`, by segment: segment, colour, play, playbook,
    customers, past (their net revenue of the year before the run's moment, `db.sales.YEAR` days); most past first.

    The days of the filters do not apply. No rows without a forecast.
    """
    where = filters.but(start=None, end=None).on_customers() & Condition("churn_risk >= ?", (PROBABLY,))
    return snapshot.frame(
        f"""
        WITH risky AS (
            SELECT segment, count(*) AS customers, sum(past)::DOUBLE AS past FROM known WHERE {where.sql} GROUP BY ALL
        )
        SELECT segment, colour, play, playbook, risky.customers, past
        FROM risky LEFT JOIN (SELECT * FROM segment_profile WHERE grouping = 'segment') USING (segment)
        ORDER BY past DESC, segment
        """,
        where.values,
    )
