"""A small shop made at random, with two runs written by hand, for tests of what addresses lead to."""

import json
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine, text

from dashboard.view import View, Views
from db import result_schema, runs, schema, snapshot
from db.bulk import arrow_table, copy_in
from db.columns import Columns as C
from db.grid import GridRequest
from db.queries import customers
from settings import Settings

FIRST, LAST = date(2017, 1, 1), date(2017, 12, 31)
MOMENTS = [datetime.fromisoformat(day) for day in ("2017-07-01", "2017-09-01", "2017-11-01", "2018-01-01")]
SEGMENTS = {"A": "Loyal", "B": "At risk: 100%", "C": "O'Brien; --"}
GROUPS = {"x": "Champions", "y": "Lost"}
WORDS = {"=": "stayed", "b": "bought", "q": "quiet", "r": "returned", "y": "yardstick", "n": "new"}


@dataclass(frozen=True)
class Shop:
    """A shop of 120 customers made at random, with two runs, and what is known of it as frames."""

    settings: Settings
    engine: Engine
    views: Views
    lines: pd.DataFrame
    people: pd.DataFrame
    moves: pd.DataFrame

    def view(self, query: str) -> View:
        return self.views.view(query)

    def found(self, query: str) -> set[str]:
        """The ids of all pages of the list; their number is the one that the list says."""
        view = self.view(query)
        frame, total = customers.page(view.snapshot, view.filters, GridRequest(rows=None))
        assert total == len(frame) == frame["customer_id"].nunique()
        return set(frame["customer_id"])

    def ask(self, condition: str, **values: Any) -> set[str]:
        sql = "SELECT customer_id FROM current_customer_segment LEFT JOIN customer USING (customer_id) WHERE "
        with self.engine.connect() as connection:
            return set(connection.execute(text(sql + condition), values).scalars())


def made_lines(rng: random.Random, ids: list[str]) -> pd.DataFrame:
    """Orders of one to three lines, one in eight a return, one in ten a guest's."""
    rows: list[dict[str, Any]] = []
    for order in range(900):
        guest, back = rng.random() < 0.1, rng.random() < 0.12
        moment = datetime.fromisoformat("2017-01-01") + timedelta(minutes=rng.randrange(365 * 24 * 60))
        who = None if guest else ids[int(rng.random() ** 1.7 * len(ids))]
        for _ in range(rng.randint(1, 3)):
            cents, sign = rng.randrange(1, 9_000), -1 if back else 1
            rows.append(
                {
                    C.LOAD_ID: 1,
                    C.ROW_NUMBER: len(rows) + 1,
                    C.ORDER_ID: f"o{order}",
                    C.CUSTOMER_ID: who,
                    C.PRODUCT_ID: f"p{rng.randrange(8)}",
                    C.ORDERED_AT: moment,
                    C.QUANTITY: float(sign),
                    C.UNIT_PRICE: cents / 100,
                    C.DISCOUNT: 0.0,
                    C.AMOUNT: sign * cents / 100,
                    C.IS_RETURN: back,
                    C.COUNTRY: rng.choice(["France", "Spain"]),
                }
            )
    return pd.DataFrame(rows)


def made_segments(rng: random.Random, lines: pd.DataFrame) -> pd.DataFrame:
    """The result rows of everybody with a purchase; every seventh has no forecast."""
    bought = lines[lines[C.CUSTOMER_ID].notna() & ~lines[C.IS_RETURN]]
    of = bought.groupby(C.CUSTOMER_ID)
    frame = pd.DataFrame(
        {
            C.FIRST_ORDERED_AT: of[C.ORDERED_AT].min(),
            C.LAST_ORDERED_AT: of[C.ORDERED_AT].max(),
            C.FREQUENCY: of[C.ORDER_ID].nunique(),
            C.MONETARY: lines.groupby(C.CUSTOMER_ID)[C.AMOUNT].sum().round(2),
        }
    ).dropna()
    frame[C.RECENCY] = (pd.Timestamp(MOMENTS[-1]) - frame[C.LAST_ORDERED_AT]).dt.days
    for name in (C.R_SCORE, C.F_SCORE, C.M_SCORE, C.FM_SCORE):
        frame[name] = [rng.randint(1, 5) for _ in frame.index]
    frame[C.CLUSTER] = 0
    frame[C.SEGMENT] = [rng.choice(list(SEGMENTS.values())) for _ in frame.index]
    frame[C.RFM_GROUP] = [rng.choice(list(GROUPS.values())) for _ in frame.index]
    frame[C.ALTERNATIVE] = [rng.choice(["One", "Two"]) for _ in frame.index]
    known = [number % 7 > 0 for number in range(len(frame))]
    for name in (C.P_ALIVE, C.CHURN_RISK, C.CLV, C.CLV_LOW, C.CLV_HIGH, C.ORDERS_30, C.ORDERS_90, C.ORDERS_365):
        frame[name] = [rng.choice([0.0, 0.2, 0.4, 1.0, rng.random()]) if told else None for told in known]
    deciles = [rng.randint(1, 10) if told else None for told in known]
    frame[C.VALUE_DECILE] = pd.array(deciles, dtype="Int16")
    frame[C.NEXT_ORDER_AT] = [MOMENTS[-1] + timedelta(days=9) if told else pd.NaT for told in known]
    return frame.reset_index()


def made_moves(rng: random.Random, ids: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """customer_movement, and the same told out: customer_id, grouping, i, j, origin, target, cause."""
    rows, told = [], []
    for customer in ids:
        row = {C.CUSTOMER_ID: customer}
        born = rng.choice([0, 0, 1, 2, 3])
        for grouping, names, columns in (
            ("segment", SEGMENTS, (C.SEGMENTS, C.SEGMENT_CAUSES)),
            ("rfm_group", GROUPS, (C.GROUPS, C.GROUP_CAUSES)),
        ):
            way = ["." if at < born else rng.choice(list(names)) for at in range(len(MOMENTS))]
            causes = ""
            for j in range(len(MOMENTS)):
                for i in range(j):
                    sign = "." if way[j] == "." else "n" if way[i] == "." else "=" if way[i] == way[j] else ""
                    sign = sign or rng.choice("bqry")
                    causes += sign
                    if sign != ".":
                        step = (names.get(way[i], ""), names[way[j]], WORDS[sign])
                        told.append((customer, grouping, i, j, *step))
            row |= {columns[0]: "".join(way), columns[1]: causes}
        rows.append(row)
    names_of_steps = ["customer_id", "grouping", "i", "j", "origin", "target", "cause"]
    return pd.DataFrame(rows), pd.DataFrame(told, columns=names_of_steps)


def record(engine: Engine, people: pd.DataFrame, products: pd.DataFrame, lines: pd.DataFrame) -> None:
    """Write customers, products and lines of 2017 as one load would have."""
    with engine.begin() as connection:
        months = "{" + ",".join(f"2017-{month:02}" for month in range(1, 13)) + "}"
        load = "INSERT INTO load (name, sha256, status, months) VALUES ('x', 'x', 'done', :months)"
        connection.execute(text(load), {"months": months})
        for table, frame in ((schema.customer, people), (schema.product, products), (schema.transaction_line, lines)):
            copy_in(connection, table, arrow_table(table, frame).to_batches())


def made(settings: Settings, engine: Engine) -> Shop:
    """The shop in an empty database, with its snapshot."""
    rng = random.Random(7)
    ids = [f"c{number}" for number in range(120)]
    lines = made_lines(rng, ids)
    ages = ["45-54", "55-64", "50% off: yes"]
    people = pd.DataFrame({C.CUSTOMER_ID: ids, C.COUNTRY: [rng.choice(["France", "Spain", None]) for _ in ids]})
    people[C.ATTRIBUTES] = [
        json.dumps({"age": rng.choice(ages), "a/b~c:d": rng.choice("12")}) if rng.random() < 0.8 else "{}" for _ in ids
    ]
    products = pd.DataFrame({C.PRODUCT_ID: [f"p{n}" for n in range(8)], C.NAME: "name", C.IS_SERVICE: False})
    products[C.CATEGORY] = ["even" if n % 2 == 0 else "odd" for n in range(8)]
    products[C.DEPARTMENT] = ["low" if n < 4 else "high" for n in range(8)]
    record(engine, people, products, lines)
    segments = made_segments(rng, lines)
    steps, told = made_moves(rng, list(segments[C.CUSTOMER_ID]))
    earlier = segments.head(40).assign(**{C.SEGMENT: "Of old"})
    first = runs.open_run(engine, runs.SEGMENTS, MOMENTS[-2], {}, "x")
    runs.publish(engine, first, {result_schema.customer_segment: earlier}, {"k": 1})
    moments = pd.DataFrame({C.MOMENT: range(len(MOMENTS)), C.AS_OF: MOMENTS, C.CUSTOMERS: 1})
    letters = pd.DataFrame(
        [
            (g, letter, name, 0, "loyal")
            for g, of in (("segment", SEGMENTS), ("rfm_group", GROUPS))
            for letter, name in of.items()
        ],
        columns=[C.GROUPING, C.LETTER, C.SEGMENT, C.POSITION, C.COLOUR],
    )
    results = {
        result_schema.customer_segment: segments,
        result_schema.movement_moment: moments,
        result_schema.movement_letter: letters,
        result_schema.customer_movement: steps,
    }
    second = runs.open_run(engine, runs.SEGMENTS, MOMENTS[-1], {}, "x")
    runs.publish(engine, second, results, {"k": 3})
    snapshot.refresh(engine, settings.data_dir)
    return Shop(settings, engine, Views(settings), lines, people, told)
