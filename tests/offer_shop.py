"""A small shop with recommendations written by hand, for tests of the pages that show them. Its names are hostile."""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from db import result_schema, runs, snapshot
from db.columns import Columns as C
from settings import Settings
from tests.clients import operator
from tests.small_shop import SEGMENTS, made_segments, record

AS_OF = datetime.fromisoformat("2018-01-01")
CATEGORIES = ("Tea & coffee", "O'Brien's", "<b>Toys</b>", None)
NAMES = ("=SUM(A1)", "100% wool_hat", "<script>alert(1)</script>", "Ω 'quoted'; DROP TABLE product--", "+cake\ttin")
GATE = {
    "discover": {
        "passed": True,
        "slice": "discover",
        "model": "ranker",
        "baseline": "ease",
        "value": 0.126,
        "baseline_value": 0.1,
        "difference": 0.026,
        "low": 0.01,
        "high": 0.04,
        "customers": 1234,
        "segments": [],
        "sentence": "The ranker beats EASE.",
    }
}


@dataclass(frozen=True)
class OfferShop:
    """A shop of 60 customers and 40 products: what was published of it, as frames, and an application over it."""

    settings: Settings
    engine: Engine
    client: FlaskClient
    products: pd.DataFrame
    lines: pd.DataFrame
    lists: pd.DataFrame

    def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the record."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def fresh_client(self) -> FlaskClient:
        """After the record changed: an application that sees it."""
        snapshot.refresh(self.engine, self.settings.data_dir)
        client: FlaskClient = operator(self.settings)
        client.get("/_dash-layout")
        return client


def made_lines(rng: random.Random) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for order in range(700):
        moment = datetime.fromisoformat("2017-01-01") + timedelta(minutes=rng.randrange(365 * 24 * 60))
        who = f"c{int(rng.random() ** 1.5 * 60)}"
        for _ in range(rng.randint(1, 5)):
            product = 39 - int(rng.random() ** 2 * 40)
            price = 1 + product * 0.5
            rows.append(
                {
                    C.LOAD_ID: 1,
                    C.ROW_NUMBER: len(rows) + 1,
                    C.ORDER_ID: f"o{order}",
                    C.CUSTOMER_ID: who,
                    C.PRODUCT_ID: f"p{product}",
                    C.ORDERED_AT: moment,
                    C.QUANTITY: 1.0,
                    C.UNIT_PRICE: price,
                    C.DISCOUNT: 0.0,
                    C.AMOUNT: price,
                    C.IS_RETURN: False,
                    C.COUNTRY: rng.choice(["France", "Spain"]),
                }
            )
    return pd.DataFrame(rows)


def made_lists(rng: random.Random, lines: pd.DataFrame) -> pd.DataFrame:
    """Up to 20 of either kind a customer, a few of one kind alone, and ten popular ones."""
    bought = lines.groupby(C.CUSTOMER_ID)[C.PRODUCT_ID].agg(lambda of: sorted(set(of)))
    every = [f"p{number}" for number in range(40)]
    rows: list[dict[str, Any]] = []
    for customer, mine in bought.items():
        new = [product for product in every if product not in mine]
        for kind, of in (("discover", new), ("buy_again", mine), ("popular", every[:10])):
            chosen = rng.sample(of, min(len(of), 10 if kind == "popular" else 20))
            for rank, product in enumerate(chosen, 1):
                parts = {f"part {n}": rng.uniform(-1, 2) / rank for n in range(rng.randint(1, 12))}
                known = kind != "popular"
                rows.append(
                    {
                        C.CUSTOMER_ID: customer,
                        C.KIND: kind,
                        C.RANK: rank,
                        C.PRODUCT_ID: product,
                        C.SCORE: sum(parts.values()),
                        C.REASON: f"=because of {product}",
                        C.BECAUSE: mine[0] if known else None,
                        C.PARTS: json.dumps(parts) if known else None,
                    }
                )
    return pd.DataFrame(rows)


def made_pairs(rng: random.Random) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for first in range(12):
        for other in range(12):
            if first == other:
                continue
            rule = rng.random() < 0.7
            rows.append(
                {
                    C.PRODUCT_ID: f"p{first}",
                    C.OTHER_PRODUCT_ID: f"p{other}",
                    C.BASKETS: rng.randint(5, 90) if rule else None,
                    C.SUPPORT: rng.choice([0.01, 0.02, 0.05]) if rule else None,
                    C.CONFIDENCE: rng.random() if rule else None,
                    C.LIFT: rng.uniform(1, 6) if rule else None,
                    C.LEVERAGE: rng.random() / 100 if rule else None,
                    C.SIMILARITY: rng.random() if not rule or rng.random() < 0.3 else None,
                }
            )
    return pd.DataFrame(rows).astype({C.BASKETS: "Int32"})


def made_segment_lists(rng: random.Random) -> tuple[pd.DataFrame, pd.DataFrame]:
    """segment_profile and segment_product."""
    told: dict[str, Any] = {**dict.fromkeys((C.CUSTOMER_SHARE, C.REVENUE_SHARE), 0.3), C.REVENUE: 1.0, C.CUSTOMERS: 20}
    told |= dict.fromkeys((C.RECENCY_MEDIAN, C.FREQUENCY_MEDIAN, C.MONETARY_MEDIAN), 1.0)
    told |= dict.fromkeys((C.EMOJI, C.PERSONA, C.PLAYBOOK, C.REASON), "x") | {C.COLOUR: "loyal"}
    names = list(SEGMENTS.values())
    base = {C.GROUPING: C.SEGMENT}
    profiles = [{**base, C.SEGMENT: n, C.CLUSTER: at, C.POSITION: at, **told} for at, n in enumerate(names)]
    products = [
        {
            **base,
            C.SEGMENT: name,
            C.KIND: kind,
            C.RANK: rank,
            C.PRODUCT_ID: product,
            C.QUANTITY: 3.0,
            C.REVENUE: 1000.0 / rank,
            C.LIFT: 5.0 / rank,
        }
        for name in names
        for kind in ("lift", "revenue", "quantity")
        for rank, product in enumerate(rng.sample([f"p{n}" for n in range(40)], 5), 1)
    ]
    return pd.DataFrame(profiles), pd.DataFrame(products)


def published(engine: Engine, results: dict[Any, pd.DataFrame], metrics: dict[str, Any]) -> int:
    """A run of recommendations, published."""
    run = runs.open_run(engine, runs.RECOMMENDATIONS, AS_OF, {}, "x")
    assert runs.publish(engine, run, results, metrics)
    return run


def made(settings: Settings, engine: Engine) -> OfferShop:
    """The shop in an empty database, with its snapshot."""
    rng = random.Random(11)
    lines = made_lines(rng)
    products = pd.DataFrame({C.PRODUCT_ID: [f"p{n}" for n in range(40)]})
    products[C.NAME] = [NAMES[n] if n < len(NAMES) else f"Product {n}" for n in range(40)]
    products[C.CATEGORY] = [CATEGORIES[n % 4] for n in range(40)]
    products = products.assign(**{C.IS_SERVICE: False, C.DEPARTMENT: None, C.BRAND: None})
    people = pd.DataFrame({C.CUSTOMER_ID: sorted(set(lines[C.CUSTOMER_ID]))})
    people[C.COUNTRY] = [rng.choice(["France", "Spain", None]) for _ in people.index]
    people[C.ATTRIBUTES] = "{}"
    record(engine, people, products, lines)
    profiles, of_segments = made_segment_lists(rng)
    run = runs.open_run(engine, runs.SEGMENTS, AS_OF, {}, "x")
    results = {
        result_schema.customer_segment: made_segments(rng, lines),
        result_schema.segment_profile: profiles,
        result_schema.segment_product: of_segments,
    }
    runs.publish(engine, run, results, {"k": 3})
    lists = made_lists(rng, lines)
    new = lists[lists[C.KIND] == "discover"].sort_values([C.PRODUCT_ID, C.SCORE], ascending=[True, False])
    audience = new.assign(**{C.RANK: new.groupby(C.PRODUCT_ID).cumcount() + 1})
    results = {
        result_schema.recommendation: lists,
        result_schema.product_audience: audience[[C.PRODUCT_ID, C.RANK, C.CUSTOMER_ID, C.SCORE, C.REASON]],
        result_schema.product_pair: made_pairs(rng),
    }
    published(engine, results, {"gate": GATE, "holdout_days": 60, "reason": "The ranker beats EASE."})
    snapshot.refresh(engine, settings.data_dir)
    client: FlaskClient = operator(settings)
    client.get("/_dash-layout")
    return OfferShop(settings, engine, client, products, lines, lists)
