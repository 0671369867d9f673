"""How the lists of past runs did since: what was offered against what customers then bought."""

import pandas as pd

from db.filters import Filters
from db.remembered import remembered
from db.snapshot import Snapshot

LENGTH = 10
"""The ranks of a list that are looked at."""
KINDS = ("discover", "popular", "buy_again")
"""Popular is what popularity would have offered in the place of `discover`, frozen with the run."""


def weeks(snapshot: Snapshot) -> pd.DataFrame:
    """Run x kind x week since the run's moment x segment -> how its lists did; additive over segments.

    run_id, as_of, kind, week (from 1), starts_at, is_full (whether the data reach its end), segment, and counts:

    - customers: who have a list of the run and bought in that week something their list could have held: a product
      that was new to them at the run's moment (discover, popular), or one they had ever bought (buy_again)
    - hits: of them, who bought at least one such product of the first `LENGTH` on their list
    - found: how many such products all of them bought together
    - only, only_popular: of the customers of discover who have a list of popularity too, whom the one list hit and the
      other did not; paired: how many these customers are

    Only purchases of goods count: no returns, no services, nothing given away, nothing before the run's moment. Where a
    run lets a product count as new again after some days, it does here too, and may stand on both lists. A segment is
    the customer's by the run of segments of the same moment, else by the published one, and empty where there is none.
    A run without a purchase after it has no rows.
    """
    counts = _counts(snapshot, Filters())
    shared = counts[["run_id", "as_of", "week", "starts_at", "is_full", "segment"]]
    parts = []
    for kind in KINDS:
        of_kind = counts[[f"{kind}_{name}" for name in ("customers", "hits", "found")]]
        part = shared.assign(kind=kind).join(of_kind.set_axis(["customers", "hits", "found"], axis="columns"))
        pairs = counts[["only", "only_popular", "paired"]]
        parts.append(part.join(pairs if kind == "discover" else pairs * 0))
    frame = pd.concat(parts, ignore_index=True)
    return frame[frame["customers"] > 0].sort_values(["run_id", "kind", "week", "segment"], ignore_index=True)


@remembered
def _counts(snapshot: Snapshot, _: Filters) -> pd.DataFrame:
    return snapshot.frame(
        f"""
        WITH reach AS (
            SELECT max(ordered_at) AS last FROM transaction_line
        ), run AS (
            SELECT run_id, as_of,
                coalesce(TRY_CAST(metrics::JSON ->> '$.rules.again_after_days' AS INTEGER), 0) AS again_after,
                coalesce((
                    SELECT max(of.run_id) FROM model_run AS of WHERE of.kind = 'segments'
                        AND of.status IN ('published', 'superseded') AND of.as_of = run.as_of AND of.run_id < run.run_id
                ), (
                    SELECT max(of.run_id) FROM model_run AS of WHERE of.kind = 'segments' AND of.status = 'published'
                )) AS segment_run
            FROM model_run AS run, reach
            WHERE kind = 'recommendations' AND status IN ('published', 'superseded') AND as_of <= last
        ), purchase AS NOT MATERIALIZED (
            SELECT customer_id, product_id, ordered_at FROM transaction_line JOIN product USING (product_id)
            WHERE customer_id IS NOT NULL AND NOT is_return AND quantity > 0 AND unit_price > 0 AND NOT is_service
        ), after AS (
            SELECT DISTINCT run_id, customer_id, product_id,
                (date_diff('second', as_of, ordered_at) // {7 * 24 * 3600})::INTEGER + 1 AS week
            FROM purchase JOIN run ON ordered_at >= as_of WHERE ordered_at >= (SELECT min(as_of) FROM run)
        ), pair AS (
            SELECT DISTINCT hash(customer_id, product_id) AS pair FROM after
        ), before AS (
            SELECT run_id, customer_id, product_id,
                any_value(again_after) = 0 OR max(ordered_at) >= any_value(as_of - again_after * INTERVAL 1 DAY) AS held
            FROM (FROM purchase WHERE hash(customer_id, product_id) IN (FROM pair)) JOIN run ON ordered_at < as_of
            GROUP BY run_id, customer_id, product_id
        ), listed AS (
            SELECT run_id, customer_id, product_id, bool_or(kind = 'discover') AS by_discover,
                bool_or(kind = 'popular') AS by_popular, bool_or(kind = 'buy_again') AS by_buy_again
            FROM every_recommendation
            WHERE rank <= {LENGTH} AND hash(customer_id, product_id) IN (FROM pair) GROUP BY ALL
        ), served AS (
            SELECT run_id, customer_id, bool_or(kind = 'discover') AS has_discover,
                bool_or(kind = 'popular') AS has_popular, bool_or(kind = 'buy_again') AS has_buy_again
            FROM every_recommendation WHERE rank = 1 AND customer_id IN (SELECT customer_id FROM after) GROUP BY ALL
        ), done AS (
            SELECT run_id, customer_id, week, held IS NOT NULL AS had, NOT coalesce(held, false) AS is_new,
                by_discover, by_popular, by_buy_again
            FROM after LEFT JOIN before USING (run_id, customer_id, product_id)
            LEFT JOIN listed USING (run_id, customer_id, product_id)
        ), customer_week AS (
            SELECT run_id, customer_id, week, bool_or(is_new) AS tried, bool_or(had) AS repeated,
                count(*) FILTER (is_new AND by_discover) AS discover,
                count(*) FILTER (is_new AND by_popular) AS popular,
                count(*) FILTER (had AND by_buy_again) AS buy_again
            FROM done GROUP BY ALL
        ), judged AS (
            SELECT run_id, customer_id, week, discover, popular, buy_again, tried AND has_discover AS of_discover,
                tried AND has_popular AS of_popular, repeated AND has_buy_again AS of_buy_again
            FROM customer_week JOIN served USING (run_id, customer_id)
        ), named AS (
            SELECT run.run_id, customer_id, segment
            FROM run JOIN every_customer_segment AS of ON of.run_id = segment_run
        )
        SELECT run_id, any_value(as_of) AS as_of, week,
            any_value(as_of) + (week - 1) * INTERVAL 7 DAY AS starts_at,
            any_value(as_of) + week * INTERVAL 7 DAY <= any_value(last)::DATE + INTERVAL 1 DAY AS is_full,
            coalesce(segment, '') AS segment,
            {", ".join(_of(kind) for kind in KINDS)},
            count(*) FILTER (of_discover AND of_popular) AS paired,
            count(*) FILTER (of_discover AND of_popular AND discover > 0 AND popular = 0) AS only,
            count(*) FILTER (of_discover AND of_popular AND discover = 0 AND popular > 0) AS only_popular
        FROM judged JOIN run USING (run_id) LEFT JOIN named USING (run_id, customer_id), reach
        GROUP BY run_id, week, coalesce(segment, '') ORDER BY ALL
        """
    )


def _of(kind: str) -> str:
    return (
        f"count(*) FILTER (of_{kind}) AS {kind}_customers, "
        f"count(*) FILTER (of_{kind} AND {kind} > 0) AS {kind}_hits, "
        f"coalesce(sum({kind}) FILTER (of_{kind}), 0)::BIGINT AS {kind}_found"
    )
