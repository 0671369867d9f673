"""A shop in two countries, loaded and modelled, whose customers' ids tell which: for tests of who sees what."""

import csv
import io
import random
from datetime import datetime, timedelta

from sqlalchemy import Engine

from console import progress
from db import snapshot
from etl.load import load
from etl.readers import open_source
from models import pipeline
from settings import Settings

FRENCH, SPANISH = "anna-fr-", "juan-es-"
"""How the ids of customers begin."""
_PER_COUNTRY = 150
_FIRST = datetime.fromisoformat("2023-01-02")
_DAYS = 400


def made(settings: Settings, engine: Engine) -> Settings:
    """Load the shop into an empty database and model it; what a run would not publish of so few is published too."""
    path = settings.data_dir / "orders.csv"
    path.write_text(_orders(random.Random(3)))
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    outcome = pipeline.run(engine, settings, pipeline.Options(quick=True, force=True), progress())
    assert outcome.published, outcome.recommendations
    return settings


def _orders(rng: random.Random) -> str:
    out = io.StringIO()
    write = csv.writer(out).writerow
    named = ["product_id", "product_name", "category"]
    write(["order_id", "customer_id", *named, "ordered_at", "quantity", "unit_price", "country"])
    order = 0
    for prefix, country in ((FRENCH, "France"), (SPANISH, "Spain")):
        for number in range(_PER_COUNTRY):
            taste, rate = rng.randrange(4), rng.choice([2, 5, 12, 25])
            for _ in range(1 + rng.randrange(rate)):
                order += 1
                moment = _FIRST + timedelta(days=rng.random() ** 0.7 * _DAYS)
                for _ in range(rng.randint(1, 4)):
                    kind = taste if rng.random() < 0.8 else rng.randrange(4)
                    product = kind * 10 + int(10 * rng.random() ** 2)
                    named = [f"p{product}", f"Thing {product}", f"Kind {kind}"]
                    price = f"{3 + product / 4:.2f}"
                    write([f"o{order}", f"{prefix}{number:03}", *named, f"{moment:%Y-%m-%d %H:%M}", 1, price, country])
    return out.getvalue()
