"""The customers in recency, orders and spend: counted in cells, one by one, or a sample of each segment."""

from collections.abc import Mapping, Sequence

import pandas as pd

from db.bins import AXES, Bins
from db.conditions import Condition
from db.filters import Filters
from db.remembered import remembered
from db.snapshot import Snapshot

NO_SEGMENT = "No segment"
"""What stands for the segment of a customer whom a grouping leaves out."""
_BINS = 10
"""How many an axis has at least, where the numbers allow; with more the cells are hard to tell apart."""


@remembered
def extent(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """One row: least_ and most_ of each axis (missing where nobody is) among the customers of the segments and ranges
    of the filters. What they bought is left out: it narrows little, and to look through all lines once is enough."""
    of = Filters(segments=filters.segments, groups=filters.groups, alternatives=filters.alternatives)
    where = of.but(ranges=filters.ranges).on_customers()
    ends = ", ".join(f"min({axis})::DOUBLE AS least_{axis}, max({axis})::DOUBLE AS most_{axis}" for axis in AXES)
    return snapshot.frame(f"SELECT {ends} FROM known WHERE {where.sql}", where.values)


def bins(found: pd.DataFrame) -> tuple[Bins, ...]:
    """The bins of each axis for an `extent`; none where nobody is."""
    if found.isna().all(axis=None):
        return ()
    ends = found.iloc[0]
    return tuple(Bins.spanning(axis, ends[f"least_{axis}"], ends[f"most_{axis}"], _BINS) for axis in AXES)


@remembered
def counted(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """How many customers of each segment (of `filters.by`) are in each cell of `bins`: the places in recency_days,
    frequency and monetary, segment, customers. Every customer the filters leave is in one cell."""
    edges = {of.column: of.edges for of in bins(extent(snapshot, filters))}
    if not edges:
        return pd.DataFrame(columns=[*AXES, "segment", "customers"])
    # a place is the number of edges at or below, counted as the ranges of the customers behind a cell compare
    places = ", ".join(f"{'+'.join([f'({axis} >= ?)::INTEGER'] * len(edges[axis]))} - 1 AS {axis}" for axis in AXES)
    where = _chosen(filters)
    return snapshot.frame(
        f"SELECT {places}, {_segment(filters)} AS segment, count(*) AS customers "
        f"FROM known WHERE {where.sql} GROUP BY ALL",
        (*(edge for axis in AXES for edge in edges[axis]), *where.values),
    )


def cells(frame: pd.DataFrame, axes: Sequence[str] = AXES) -> pd.DataFrame:
    """`counted` as one row a cell of some of its axes, the fullest first: the places, customers, the segment that has
    most of them (the first by name among equals) and how many it has (of_segment)."""
    sums = _summed(frame, [*axes, "segment"]).sort_values(["customers", "segment"], ascending=[False, True])
    most = sums.drop_duplicates([*axes]).rename(columns={"customers": "of_segment"})
    found = _summed(sums, [*axes]).merge(most, on=[*axes]).sort_values([*axes])
    return found.sort_values("customers", ascending=False, kind="stable", ignore_index=True)


def points(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """customer_id, segment (of `filters.by`), recency_days, frequency, monetary of the customers the filters leave, by
    id."""
    where = _chosen(filters)
    return snapshot.frame(
        f"SELECT customer_id, {_segment(filters)} AS segment, recency_days, frequency, monetary::DOUBLE AS monetary "
        f"FROM known WHERE {where.sql} ORDER BY customer_id",
        where.values,
    )


def sample(snapshot: Snapshot, filters: Filters, most: int, floor: int) -> pd.DataFrame:
    """`most` of the `points`, parted among the segments by `shares`; the same customers every time."""
    sizes = counted(snapshot, filters).groupby("segment")["customers"].sum()
    given = shares({str(name): int(size) for name, size in sizes.items()}, most, floor)
    quota = pd.DataFrame({"segment": [*given], "quota": [*given.values()]})
    where = _chosen(filters)
    return snapshot.frame(
        f"""
        WITH chosen AS (
            SELECT customer_id, {_segment(filters)} AS segment, recency_days, frequency, monetary::DOUBLE AS monetary
            FROM known WHERE {where.sql}
        ), numbered AS (
            SELECT *, row_number() OVER (PARTITION BY segment ORDER BY hash(customer_id), customer_id) AS number
            FROM chosen JOIN quota USING (segment)
        )
        SELECT customer_id, segment, recency_days, frequency, monetary FROM numbered
        WHERE number <= quota ORDER BY customer_id
        """,
        where.values,
        quota=quota,
    )


def shares(sizes: Mapping[str, int], most: int, floor: int) -> dict[str, int]:
    """How many of each segment, together `most`: the floor each (all of a smaller one), and of the rest the share of
    those that are left, by largest remainder."""
    floor = min(floor, most // max(len(sizes), 1))
    least = {name: min(size, floor) for name, size in sizes.items()}
    rest, left = most - sum(least.values()), sum(sizes.values()) - sum(least.values())
    if rest >= left:
        return dict(sizes)
    parts = {name: divmod((sizes[name] - least[name]) * rest, left) for name in sizes}
    given = {name: least[name] + parts[name][0] for name in sizes}
    for name in sorted(parts, key=lambda name: (-parts[name][1], name))[: most - sum(given.values())]:
        given[name] += 1
    return given


def _summed(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return pd.DataFrame(frame.groupby(by)[["customers"]].sum().reset_index())


def _chosen(filters: Filters) -> Condition:
    """Segments are those of a run, over the whole history: the days do not apply."""
    return filters.but(start=None, end=None).on_customers()


def _segment(filters: Filters) -> str:
    column = {"segment": "segment", "rfm_group": "rfm_group", "alternative": "alternative"}[filters.by]
    return f"coalesce({column}, '{NO_SEGMENT}')"
