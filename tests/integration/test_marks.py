"""The number on a mark is the number of customers behind it, whatever else is filtered."""

from dataclasses import asdict
from datetime import date
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from dash import dcc
from sqlalchemy import Engine, text

from dashboard.pages import grouping, segment_goods, segment_profile
from dashboard.pages.segments import cards
from dashboard.view import Views
from db.conditions import Period
from db.drill import Bridge, Cohort, Grouping, Move, Range, Trait
from db.filters import GROUPING_FIELDS, Filters
from db.grid import GridRequest
from db.queries import customers, movement, segments, shop
from db.snapshot import Snapshot
from db.standing import STANDINGS, compared, whole_month
from settings import Settings

FILTERS = [
    Filters(),
    Filters(departments=("PRODUCE", "Produce", "MEAT", "Meat")),
    Filters(start=date(2017, 3, 1), end=date(2017, 5, 30), ranges=(Range("frequency", 10, 60),)),
]


def behind(snapshot: Snapshot, filters: Filters) -> int:
    """How many customers the list of an address holds."""
    return customers.page(snapshot, Filters.from_query(filters.query()), GridRequest())[1]


@pytest.mark.parametrize("filters", FILTERS, ids=range(len(FILTERS)))
def test_bars_of_the_bridge(snapshot: Snapshot, filters: Filters) -> None:
    span = shop.span(snapshot)
    assert span is not None
    for period in (filters.period(span), whole_month(date(2017, 6, 1)), Period(date(2017, 9, 3), date(2017, 9, 9))):
        bridge = movement.bridge(snapshot, filters, period)
        for standing in STANDINGS:
            assert behind(snapshot, filters.but(bridge=Bridge(standing, period))) == bridge.loc[standing, "listed"]


@pytest.mark.parametrize("period", [Period(date(2017, 9, 3), date(2017, 11, 11)), whole_month(date(2017, 3, 1))])
def test_the_bridge_reaches_from_one_sum_of_the_record_to_the_other(
    snapshot: Snapshot, record: Engine, period: Period
) -> None:
    bridge = movement.bridge(snapshot, Filters(), period)
    sums = "SELECT sum(amount) AS amount FROM transaction_line WHERE ordered_at::date BETWEEN :start AND :end"
    now, before = (ask(record, sums, asdict(days))["amount"].iloc[0] for days in (period, compared(period)))
    assert f"{bridge['now'].sum():.2f}" == f"{now:.2f}"
    assert f"{bridge['before'].sum():.2f}" == f"{before:.2f}"
    assert f"{bridge['change'].sum():.2f}" == f"{now - before:.2f}"


@pytest.mark.parametrize("filters", FILTERS, ids=range(len(FILTERS)))
def test_cells_of_the_cohorts(snapshot: Snapshot, filters: Filters) -> None:
    cells = movement.retention(snapshot, filters)
    for _, cell in cells.sample(12, random_state=1).iterrows():
        chosen = filters.but(start=None, end=None, cohort=Cohort(cell["cohort"].date(), int(cell["age"])))
        assert behind(snapshot, chosen) == cell["listed"]


@pytest.mark.parametrize("filters", FILTERS, ids=range(len(FILTERS)))
@pytest.mark.parametrize("grouping", ["segment", "rfm_group"])
def test_flows_between_moments(snapshot: Snapshot, filters: Filters, grouping: Grouping) -> None:
    moments = movement.moments(snapshot)
    days = [day.date() for day in moments["day"]]
    assert len(days) > 2
    random = Random(7)
    for since, until in ((0, 1), (0, len(days) - 1), (len(days) - 2, len(days) - 1)):
        flows = movement.flows(snapshot, filters, grouping, since, until)
        for at in random.sample(range(len(flows)), min(6, len(flows))):
            flow = flows.iloc[at]
            move = Move(grouping, days[since], days[until], flow["from_segment"], flow["to_segment"], flow["cause"])
            assert behind(snapshot, filters.but(start=None, end=None, move=move)) == flow["customers"]


@pytest.mark.parametrize("grouping", ["segment", "rfm_group"])
def test_flows_are_those_of_the_record_and_add_up(snapshot: Snapshot, record: Engine, grouping: str) -> None:
    moments = movement.moments(snapshot).set_index("moment")["customers"]
    keys = ["from_segment", "to_segment", "cause"]
    for since, until in ((0, 2), (1, len(moments) - 1), (len(moments) - 2, len(moments) - 1)):
        flows = movement.flows(snapshot, Filters(), grouping, since, until, revenue=True)
        flows = flows.sort_values(keys, ignore_index=True)
        expected = ask(
            record,
            f"SELECT {', '.join(keys)}, customers, revenue::float8 AS revenue FROM current_movement "
            "WHERE grouping = :grouping AND from_moment = :since AND to_moment = :until",
            {"grouping": grouping, "since": since, "until": until},
        ).sort_values(keys, ignore_index=True)
        assert flows[[*keys, "customers"]].astype(str).equals(expected[[*keys, "customers"]].astype(str))
        assert flows["revenue"].to_list() == pytest.approx(expected["revenue"].to_list(), abs=0.01)
        assert flows["customers"].sum() == moments[until]
        stood = flows["from_segment"] != ""
        assert flows.loc[stood, "customers"].sum() == moments[since]
        is_same = flows["from_segment"] == flows["to_segment"]
        assert (is_same == (flows["cause"] == "stayed")).all()


def test_cells_of_the_grid(snapshot: Snapshot) -> None:
    grid = segments.grid(snapshot, Filters())
    assert grid["customers"].sum() == behind(snapshot, Filters())
    for _, cell in grid.iterrows():
        scores = [Range(name, int(cell[name]), int(cell[name])) for name in ("r_score", "fm_score")]
        assert behind(snapshot, Filters().within(*scores)) == cell["customers"]


@pytest.mark.parametrize("grouping", list(GROUPING_FIELDS))
def test_bars_of_what_sets_a_segment_apart(snapshot: Snapshot, grouping: str) -> None:
    traits = segments.traits(snapshot, grouping)
    assert len(traits) or grouping != "rfm_group"
    assert len(traits) <= segments.traits_tested(snapshot, grouping)
    fields = {"category": "categories", "department": "departments", "country": "countries"}
    partly = snapshot.frame(
        "SELECT category FROM product GROUP BY category HAVING bool_or(is_service) AND NOT bool_and(is_service)"
    )
    with_services = traits[(traits["trait"] == "category") & traits["value"].isin(partly["category"])].head(4)
    for _, bar in pd.concat([with_services, traits.sample(min(len(traits), 12), random_state=1)]).iterrows():
        chosen = Filters(**{GROUPING_FIELDS[grouping]: (bar["segment"],)})  # type: ignore[arg-type,index]
        if bar["trait"] in fields:
            chosen = chosen.but(**{fields[bar["trait"]]: (bar["value"],)})
        else:
            chosen = chosen.but(traits=(Trait(bar["trait"], bar["value"]),))
        assert behind(snapshot, chosen) == bar["customers"], bar.to_dict()


NARROWED = [
    "?from=2017-11-01&to=2017-11-30",
    "?p_alive=0.9..&frequency=20..&by=rfm_group&run=1",
    "?department=PRODUCE&department=Produce&product=1082185",
]


def links(part: Any) -> list[dcc.Link]:
    """Every link of a component, in their order."""
    if isinstance(part, dcc.Link):
        return [part]
    inner = part if isinstance(part, list | tuple) else getattr(part, "children", None)
    return [link for one in inner for link in links(one)] if isinstance(inner, list | tuple) else links(inner or [])


@pytest.mark.parametrize("query", NARROWED)
def test_what_is_told_of_a_segment_leads_to_all_of_it(sample_shop: Settings, query: str) -> None:
    """The page tells of whole segments, so other filters must not follow into the lists behind their numbers."""
    view = Views(sample_shop).view(query)
    sizes = grouping.profiles(view).set_index("segment")["customers"]
    field = GROUPING_FIELDS[grouping.shown(view)]
    for part in (cards(view), segment_profile.plays(view)):
        addresses = [urlsplit(link.href) for link in links(part)]
        assert len(addresses) == len(sizes)
        for address in addresses:
            filters = Filters.from_query(address.query)
            assert filters.run == view.filters.run
            assert behind(view.snapshot, filters) == sizes[getattr(filters, field)[0]]
    marks = links(segment_goods.traits(view))
    for link in marks[:: len(marks) // 10 or 1]:
        filters = Filters.from_query(urlsplit(link.href).query)
        assert behind(view.snapshot, filters) == int(link.children.replace(",", ""))


@pytest.mark.parametrize("grouping", list(GROUPING_FIELDS))
def test_buyers_of_top_products(snapshot: Snapshot, grouping: str) -> None:
    top = segments.products(snapshot, grouping)
    assert set(top["kind"]) == {"revenue", "quantity", "lift"}
    for _, row in top.sample(8, random_state=1).iterrows():
        chosen = Filters(products=(row["product_id"],), **{GROUPING_FIELDS[grouping]: (row["segment"],)})  # type: ignore[arg-type,index]
        assert behind(snapshot, chosen) == row["customers"], row.to_dict()


def ask(record: Engine, sql: str, values: dict[str, Any]) -> pd.DataFrame:
    with record.connect() as connection:
        result = connection.execute(text(sql), values)
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))
