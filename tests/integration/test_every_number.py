"""Every part of the pages that obeys the filters shows what plain SQL on the record says, whatever is filtered.

The numbers are read from what goes to the browser, exact as its tables carry them. Parts that tell of the whole shop or
of a run, whatever is filtered, are tested where they are made.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import format as fmt
from dashboard.components.flows import STANDINGS
from dashboard.kpis import KPIS
from dashboard.measures import in_words
from dashboard.pages import PAGES
from dashboard.pages.movement_course import NOBODY, course_of
from dashboard.pages.overview_trend import bin_days
from dashboard.view import Views
from db.conditions import Period
from db.drill import Range
from db.grid import GridRequest
from db.queries import customers
from db.standing import compared
from settings import Settings
from tests.integration.plain import random_filters
from tests.integration.shown import Shown, same, shown

COMBINATIONS = 40

_SUMS = """coalesce(sum(amount), 0) AS revenue, count(DISTINCT order_id) FILTER (WHERE NOT is_return) AS orders,
    count(DISTINCT customer_id) FILTER (WHERE NOT is_return) AS customers"""
_IN_PERIOD = "line WHERE day BETWEEN :first AND :last"


def trend(of: Shown) -> None:
    expected = of.ask(
        f"""
        SELECT greatest(CAST(:last AS date) - ((CAST(:last AS date) - day) / :bin + 1) * :bin + 1, :first), {_SUMS}
        FROM {_IN_PERIOD} GROUP BY 1
        """,
        bin=bin_days(of.view.period),
    )
    rows = of.rows("overview.trend")
    if not rows:
        assert not sum(row[2] for row in expected)
        return
    same(
        {row[0]: row[2:] for row in rows if any(row[2:])},
        {row[0].isoformat(): row[1:] for row in expected if any(row[1:])},
    )
    assert sum(row[1] for row in rows) == of.view.period.days


def kpis(of: Shown) -> None:
    words, told = of.words("overview.kpis"), []
    for days in filter(None, (of.view.period, of.view.before)):
        revenue, orders, count = of.ask(f"SELECT {_SUMS} FROM {_IN_PERIOD}", first=days.start, last=days.end)[0]
        again = of.ask(
            f"SELECT count(*) FROM (SELECT FROM {_IN_PERIOD} AND NOT is_return AND customer_id IS NOT NULL "
            "GROUP BY customer_id HAVING count(DISTINCT order_id) > 1) AS repeat",
            first=days.start,
            last=days.end,
        )[0][0]
        silent = of.ask(
            """
            WITH visit AS (
                SELECT customer_id, order_id, min(ordered_at) AS at FROM line
                WHERE NOT is_return AND customer_id IS NOT NULL GROUP BY 1, 2
            ), known AS (
                SELECT count(*) AS orders, min(at) AS first, max(at) AS last FROM visit
                WHERE at < CAST(:end AS date) + 1 GROUP BY customer_id HAVING count(*) > 1
            )
            SELECT avg((gone > 2 * greatest(gap, INTERVAL '1 day'))::int) FROM (
                SELECT CAST(:end AS date) + 1 - last AS gone, (last - first) / (orders - 1) AS gap FROM known
            ) AS silent
            """,
            end=days.end,
        )[0][0]
        shares = {"average_order": (revenue, orders), "repeat_rate": (again, count)}
        values: dict[str, Any] = {"revenue": revenue, "orders": orders, "customers": count, "at_risk": silent}
        values |= {name: a / b if b else float("nan") for name, (a, b) in shares.items()}
        known = {name: float("nan") if value is None else float(value) for name, value in values.items()}
        told.append([kpi.show(known[kpi.column], of.view.currency) for kpi in KPIS])
    for at, kpi in enumerate(KPIS):
        now, *was = (of_days[at] for of_days in told)
        assert f"{kpi.definition}{now}" in words, (kpi.column, now, words)
        if was and fmt.NOTHING not in (now, was[0]):
            assert f" vs {was[0]}" in words.partition(kpi.definition)[2][:200], (kpi.column, was, words)


def segments(of: Shown) -> None:
    sizes: dict[Any, Any] = dict(of.ask("SELECT segment, count(*) FROM everyone GROUP BY 1"))
    brought: dict[Any, Any] = dict(
        of.ask(
            f"SELECT s.segment, sum(amount) FROM (SELECT * FROM {_IN_PERIOD}) AS l "
            "LEFT JOIN everyone AS s USING (customer_id) GROUP BY 1"
        )
    )
    total = sum(brought.values())
    expected = {
        name: (
            size,
            size / sum(sizes.values()),
            brought.get(name, 0.0),
            brought.get(name, 0.0) / total if total > 0 else 0.0,
        )
        for name, size in sizes.items()
    }
    same({row[0]: row[1:] for row in of.rows("overview.segments")}, expected)


def movers(of: Shown) -> None:
    before, found = of.view.before, {titles[0].lower(): rows for titles, rows in of.tables("overview.movers")}
    for dimension in ("category", "country", "department"):
        sums = []
        if before is not None:
            sums = of.ask(
                f"""
                SELECT coalesce({dimension}, 'not named'), coalesce(sum(amount) FILTER (WHERE day < :first), 0),
                    coalesce(sum(amount) FILTER (WHERE day >= :first), 0)
                FROM line WHERE day BETWEEN :first AND :last OR day BETWEEN :since AND :until GROUP BY 1
                """,
                since=before.start,
                until=before.end,
            )
        moved = {name: (was, now, now - was) for name, was, now in sums if abs(now - was) >= 0.005}
        rows = found.get(dimension, [])
        same({row[0]: row[1:] for row in rows}, moved if len(set(moved) - {"not named"}) > 1 else {})


def where(of: Shown) -> None:
    tables = of.tables("overview.where")
    revenue = of.ask(f"SELECT coalesce(sum(amount), 0) FROM {_IN_PERIOD}")[0][0]
    assert len(tables) == (revenue > 0)
    for titles, rows in tables:
        expected = of.ask(
            f"SELECT coalesce({titles[0].lower()}, 'not named'), sum(amount), "
            f"count(DISTINCT order_id) FILTER (WHERE NOT is_return) FROM {_IN_PERIOD} GROUP BY 1"
        )
        same({row[0]: row[1:] for row in rows}, {row[0]: row[1:] for row in expected})


def shares(of: Shown) -> None:
    found = of.ask(
        """
        SELECT as_of::date, segment, count(*) FROM (SELECT customer_id FROM person) AS p
        JOIN current_customer_movement AS m USING (customer_id) CROSS JOIN current_movement_moment AS moment
        JOIN current_movement_letter AS letter ON letter = substr(m.segments, moment.moment + 1, 1)
        WHERE letter.grouping = 'segment' GROUP BY 1, 2
        """
    )
    sizes: dict[date, int] = {}
    for day, _, count in found:
        sizes[day] = sizes.get(day, 0) + count
    if len(sizes) < 2:
        assert of.tables("overview.shares") == []
        return
    titles, rows = of.tables("overview.shares")[0]
    same({row[0]: row[1:2] for row in rows}, {day.isoformat(): (size,) for day, size in sizes.items()})
    parts = {(row[0], name): (share,) for row in rows for name, share in zip(titles[2:], row[2:], strict=True) if share}
    same(parts, {(day.isoformat(), name): (count / sizes[day],) for day, name, count in found})


def concentration(of: Shown) -> None:
    found = of.ask(
        f"""
        SELECT row_number() OVER richest, sum(sum(amount)) OVER (richest ROWS UNBOUNDED PRECEDING), sum(amount)
        FROM {_IN_PERIOD} AND customer_id IS NOT NULL GROUP BY customer_id WINDOW richest AS (ORDER BY sum(amount) DESC)
        """
    )
    first = {place: (together, least) for place, together, least in found}
    rows = of.rows("overview.concentration")
    total = first[len(first)][0] if first else 0
    assert bool(rows) == (total > 0)
    for top, count, revenue, share, least in rows:
        assert count == -(-round(top * 1000) * len(first) // 1000)
        same({count: (revenue, least, share)}, {count: (*first[int(count)], first[int(count)][0] / total)})


def actions(of: Shown) -> None:
    found = of.ask(
        """
        SELECT segment, count(*), sum(past) FROM person JOIN (
            SELECT segment, play FROM current_segment_profile WHERE grouping = 'segment'
        ) AS profile USING (segment)
        WHERE churn_risk >= 0.5 AND play <> 'leave' GROUP BY 1 HAVING sum(past) > 0 ORDER BY 3 DESC, 1 LIMIT 1
        """
    )
    words = of.words("overview.actions")
    assert bool(found) == ("win back" in words)
    for segment, count, past in found:
        at_stake = fmt.short_money(past, of.view.currency)
        assert f"{segment}: win back {fmt.plural(count, 'customer')}, {at_stake} at stake" in words


def sentence(of: Shown) -> None:
    revenue, orders, _ = of.ask(f"SELECT {_SUMS} FROM {_IN_PERIOD}")[0]
    assert fmt.short_money(revenue, of.view.currency) in of.words("overview.sentence") or (not orders and not revenue)


def cells(of: Shown) -> None:
    (left,), (everyone,) = of.ask("SELECT count(*) FROM person UNION ALL SELECT count(*) FROM everyone")
    assert of.words("segments.shown").startswith(f"{fmt.number(left)} of {fmt.number(everyone)} ")
    rows = of.rows("segments.cells")
    rest = left - sum(row[3] for row in rows)
    assert rest == 0 or fmt.plural(int(rest), "customer") in of.words("segments.cells")
    middle = of.ask("SELECT segment, avg(pca_x), avg(pca_y) FROM person GROUP BY 1")
    same({row[0]: row[1:] for row in of.rows("segments.flat")}, {row[0]: row[1:] for row in middle})


def grid(of: Shown) -> None:
    expected = of.ask(
        "SELECT r_score, fm_score, rfm_group, count(*) FROM person WHERE rfm_group IS NOT NULL GROUP BY 1, 2, 3"
    )
    same({row[:3]: row[3:] for row in of.rows("segments.grid")}, {row[:3]: row[3:] for row in expected})


def value_cards(of: Shown) -> None:
    words, sign = of.words("value.cards"), of.view.currency
    found = of.ask(
        """
        SELECT sum(clv), sum(past), sum(risk), sum(orders_30), sum(orders_90), sum(1 - churn_risk),
            count(*) FILTER (WHERE churn_risk >= 0.5), count(*), count(clv) FROM person
        """
    )[0]
    if not found[-1]:
        assert not words
        return
    money = [fmt.short_money(amount, sign) for amount in found[:3]]
    for told in (money[0], f"{money[1]} in the year before", money[2], *map(fmt.number, found[3:])):
        assert told in words, (told, words)


def tenths(of: Shown) -> None:
    found = of.ask(
        "SELECT value_decile, count(*), sum(clv), sum(past) FROM person WHERE value_decile IS NOT NULL GROUP BY 1"
    )
    clv, past = (sum(row[at] for row in found) for at in (2, 3))
    expected = {
        float(tenth): (count, of_clv, of_clv / clv if clv > 0 else 0.0, of_past, of_past / past if past > 0 else 0.0)
        for tenth, count, of_clv, of_past in found
    }
    same({row[0]: row[1:] for row in of.rows("value.deciles")}, expected)


def risk(of: Shown) -> None:
    expected = of.ask(
        """
        SELECT customer_id, segment, past, churn_risk, risk FROM person WHERE risk > 0
        ORDER BY risk DESC, customer_id LIMIT 12
        """
    )
    same({row[0]: row[1:] for row in of.rows("value.risk")}, {row[0]: row[1:] for row in expected})


def activity(of: Shown) -> None:
    recencies, frequencies = (0, 7, 14, 30, 60, 90, 180, 365), (1, 2, 3, 5, 10, 20, 50, 100)
    found = of.ask(
        f"""
        SELECT width_bucket(frequency, ARRAY{list(frequencies)}) - 1,
            width_bucket(recency_days, ARRAY{list(recencies)}) - 1, count(*), avg(p_alive), sum(clv)
        FROM person WHERE p_alive IS NOT NULL GROUP BY 1, 2
        """
    )

    def said(column: str, lows: tuple[int, ...], at: int) -> str:
        return in_words(Range(column, lows[at], lows[at + 1] - 1 if at + 1 < len(lows) else None), of.view.currency)

    expected = {
        (said("frequency", frequencies, orders), said("recency_days", recencies, silence)): (
            count,
            fmt.percent(alive, 0),
            clv,
        )
        for orders, silence, count, alive, clv in found
    }
    same({row[:2]: row[2:] for row in of.rows("value.activity")}, expected)


def flows(of: Shown) -> None:
    course = course_of(of.view)
    assert course is not None
    found = of.ask(
        """
        WITH moment AS (SELECT moment, as_of, as_of::date AS day FROM current_movement_moment),
        since AS (SELECT max(moment) AS i, max(as_of) AS began FROM moment WHERE day = :since),
        until AS (SELECT max(moment) AS j, max(as_of) AS ended FROM moment WHERE day = :until),
        letter AS (SELECT letter, segment FROM current_movement_letter WHERE grouping = 'segment'), stood AS (
            SELECT customer_id, coalesce(o.segment, :nobody) AS origin, t.segment AS target, o.segment IS NULL AS is_new
            FROM person JOIN current_customer_movement AS m USING (customer_id) CROSS JOIN since CROSS JOIN until
            LEFT JOIN letter AS o ON o.letter = substr(m.segments, i + 1, 1)
            JOIN letter AS t ON t.letter = substr(m.segments, j + 1, 1)
        ), spent AS (
            SELECT customer_id, sum(amount) AS revenue FROM transaction_line JOIN stood USING (customer_id)
            CROSS JOIN since CROSS JOIN until
            WHERE ordered_at < ended AND (ordered_at >= began OR is_new) GROUP BY 1
        )
        SELECT origin, target, count(*), coalesce(sum(revenue), 0) FROM stood LEFT JOIN spent USING (customer_id)
        GROUP BY 1, 2
        """,
        since=course.since,
        until=course.until,
        nobody=NOBODY,
    )
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for origin, target, _, count, _, revenue in of.rows("movement.flows"):
        had = sums.get((origin, target), (0.0, 0.0))
        sums[origin, target] = had[0] + count, had[1] + revenue
    same(sums, {row[:2]: row[2:] for row in found})
    of_origin: dict[str, float] = {}
    for origin, _, count, _ in found:
        of_origin[origin] = of_origin.get(origin, 0) + count
    expected = {(origin, target): (count, count / of_origin[origin]) for origin, target, count, _ in found}
    same({row[:2]: row[2:] for row in of.rows("movement.matrix")}, expected)
    everyone = fmt.plural(sum(row[2] for row in found), "customer")
    assert f"{everyone} in all" in of.words("movement.sentence") or not found


_STANDING = """
    SELECT CASE WHEN customer_id IS NULL THEN 'guests' WHEN bought AND NOT bought_before AND NOT earlier THEN 'new'
        WHEN bought AND bought_before THEN 'kept' WHEN bought THEN 'won_back' WHEN bought_before THEN 'lapsed'
        ELSE 'returns_only' END, count(customer_id), sum(before), sum(now), sum(now - before)
    FROM (
        SELECT customer_id, coalesce(sum(amount) FILTER (WHERE day BETWEEN :first AND :last), 0) AS now,
            coalesce(sum(amount) FILTER (WHERE day BETWEEN :since AND :until), 0) AS before,
            bool_or(NOT is_return AND day BETWEEN :first AND :last) AS bought,
            bool_or(NOT is_return AND day BETWEEN :since AND :until) AS bought_before,
            bool_or(NOT is_return AND day < :since) AS earlier
        FROM line GROUP BY 1 HAVING bool_or(day BETWEEN :since AND :last)
    ) AS person GROUP BY 1
"""


def standing(of: Shown, days: Period) -> dict[str, tuple[float, ...]]:
    """By name: customers, before, now, change; standings without customers and money left out."""
    before = compared(days)
    found = of.ask(_STANDING, first=days.start, last=days.end, since=before.start, until=before.end)
    return {STANDINGS[row[0]][0]: row[1:] for row in found if any(row[1:])}


def bridge(of: Shown) -> None:
    rows = {row[0]: row[1:] for row in of.rows("movement.bridge")}
    expected = standing(of, of.view.period)
    if not of.view.span.covers(compared(of.view.period)) or not expected:
        assert not rows
        return
    expected["All"] = tuple(sum(row[at] for row in expected.values()) for at in range(4))
    same(rows, expected)


def months(of: Shown) -> None:
    rows = of.rows("movement.months")
    expected: dict[Any, Any] = {}
    start = (of.view.span.start.replace(day=1) + timedelta(days=32)).replace(day=1)
    while (end := (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)) <= of.view.span.end:
        named = standing(of, Period(start, end)).items()
        told = ("new", "kept", "won_back", "lapsed")
        kept = {name: row for name, row in named if name in {STANDINGS[of_][0] for of_ in told}}
        expected |= {(f"{start:%b %Y}", name): row for name, row in kept.items()}
        start = end + timedelta(days=1)
    assert len(expected) < 4 * 24
    same({row[:2]: row[2:] for row in rows}, expected)


def retention(of: Shown) -> None:
    found = of.ask(
        """
        WITH act AS (
            SELECT customer_id, date_trunc('month', day)::date AS month, sum(amount) AS revenue,
                bool_or(NOT is_return) AS bought FROM line WHERE customer_id IS NOT NULL GROUP BY 1, 2
        ), began AS (SELECT customer_id, min(month) AS cohort FROM act WHERE bought GROUP BY 1)
        SELECT cohort, month, count(*) FILTER (WHERE bought), sum(revenue) FROM act JOIN began USING (customer_id)
        WHERE month >= cohort GROUP BY 1, 2
        """
    )
    sizes = {cohort: count for cohort, month, count, _ in found if cohort == month}
    expected = {}
    for cohort, month, count, revenue in found:
        age = (month.year - cohort.year) * 12 + month.month - cohort.month
        expected[cohort.isoformat(), float(age)] = (sizes[cohort], count, count / sizes[cohort], revenue)
    rows = {row[:2]: row[2:] for row in of.rows("movement.retention")}
    for cell in set(rows) - set(expected):
        assert rows[cell][1:] == (0, 0, 0)
    same({cell: rows[cell] for cell in rows if cell in expected}, expected)


def offers(of: Shown) -> None:
    filters = of.view.filters
    bought = f"customer_id IN (SELECT customer_id FROM {_IN_PERIOD} AND NOT is_return)" if filters.start else "true"
    with_chosen = f"WITH chosen AS (SELECT customer_id FROM person WHERE {bought})"
    many = of.ask(
        f"{with_chosen} SELECT count(*) FROM current_recommendation JOIN chosen USING (customer_id) "
        "WHERE kind IN ('discover', 'buy_again') AND rank = 1"
    )[0][0]
    words = of.words("recommendations.lists")
    assert f"{fmt.plural(many, 'list')} in this view" in words if many else "No customer" in words
    for kind in ("discover", "buy_again"):
        expected = of.ask(
            f"""
            {with_chosen} SELECT count(*)::float, count(*)::float / (SELECT count(*) FROM chosen)
            FROM current_recommendation JOIN chosen USING (customer_id) WHERE kind = :kind AND rank <= 10
            GROUP BY product_id ORDER BY 1 DESC, avg(rank), product_id LIMIT 12
            """,
            kind=kind,
        )
        found = [row[-2:] for row in of.rows(f"recommendations.{kind}")]
        same(dict(enumerate(found)), dict(enumerate(expected)))


def listed(of: Shown) -> None:
    columns = (
        "recency_days",
        "frequency",
        "monetary",
        "r_score",
        "f_score",
        "m_score",
        "clv",
        "churn_risk",
        "orders_90",
    )
    frame, total = customers.page(of.view.snapshot, of.view.filters, GridRequest(rows=100))
    assert len(frame) == min(total, 100)  # whom the list has is tested in test_queries.py
    expected = of.ask(f"SELECT customer_id, {', '.join(columns)} FROM person")
    told = {row[0]: tuple(map(float, row[1:])) for row in expected if row[0] in set(frame["customer_id"])}
    rows = frame[["customer_id", *columns]].itertuples(index=False, name=None)
    same({row[0]: tuple(map(float, row[1:])) for row in rows}, told)


CHECKS: dict[Callable[[Shown], None], tuple[str, ...]] = {
    trend: ("overview.trend",),
    kpis: ("overview.kpis",),
    segments: ("overview.segments",),
    movers: ("overview.movers",),
    where: ("overview.where",),
    shares: ("overview.shares",),
    concentration: ("overview.concentration",),
    actions: ("overview.actions",),
    sentence: ("overview.sentence",),
    cells: ("segments.shown", "segments.cells", "segments.flat"),
    grid: ("segments.grid",),
    value_cards: ("value.cards",),
    tenths: ("value.deciles",),
    risk: ("value.risk",),
    activity: ("value.activity",),
    flows: ("movement.flows", "movement.matrix", "movement.sentence"),
    bridge: ("movement.bridge",),
    months: ("movement.months",),
    retention: ("movement.retention",),
    offers: ("recommendations.lists", "recommendations.discover", "recommendations.buy_again"),
    listed: (),
}
"""What is checked, and the slots that it is about."""

NO_NUMBERS_OF_THE_VIEW = {
    "value.sentence": "words on the whole shop and on the test of the forecast",
    "value.run": "a control",
    "recommendations.views": "a control",
    "offers_segments.views": "a control",
    "offers_bundles.views": "a control",
    "customers.trail": "the filters in words",
    "customers.refine": "controls",
    "movement.choices": "controls",
    "segments.choices": "controls",
    "segments.around": "controls",
    "quality.live": "its own test is in test_live.py",
}


@pytest.mark.parametrize("seed", range(COMBINATIONS))
def test_every_number_equals_plain_sql(sample_shop: Settings, record: Engine, seed: int) -> None:
    views = Views(sample_shop)
    with shown(record, views, random_filters(views.snapshot(), seed)) as of:
        for check in CHECKS:
            check(of)


def test_no_part_that_obeys_the_filters_is_left_out() -> None:
    checked = {slot for slots in CHECKS.values() for slot in slots}
    for page in PAGES:
        if page.path.endswith("/") and page.path != "/":
            continue
        for slot in page.slots:
            ignored = slot in page.ignoring and not page.ignoring[slot].fields.isdisjoint({"segments"})
            assert ignored or slot in checked | set(NO_NUMBERS_OF_THE_VIEW), slot
