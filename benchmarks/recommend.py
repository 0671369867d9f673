"""make bench-recommend: how well each recommender lists, how fast it learns, how fast LightFM's factors are scored.

The lists of the sample's last 28 days are tested; the segments are those known before. What scores are timed
against makes the same lists: `LightFM.predict` a customer at a time, and the top-k of the package implicit on the same
factors. The large shop is generated and scored in a process of its own, whose memory is told.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from implicit.cpu.topk import topk
from lightfm import LightFM
from rich.table import Table

from benchmarks.memory import peak
from console import console
from db import snapshot
from db.columns import Columns as C
from db.embedded import stop
from db.engine import make_engine
from db.queries import features
from etl.load import load
from etl.readers import open_source
from models.evaluation import new_products, relevant
from models.metrics import by_customer
from models.pipeline import Options
from models.pipeline.history import history
from models.pipeline.segments import segments_at
from models.recommenders import RECOMMENDERS
from models.recommenders.base import Recommender
from models.recommenders.factorised import Factorised
from models.recommenders.hybrid import Hybrid
from models.recommenders.training import Training
from settings import Settings

_SEED, _K, _CLUSTERS = 42, 10, 5
_ORDERS_OF = 10
_ASKED = 200
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def compare(
    file: Annotated[Path | None, typer.Option(help="A file to load and test beside the sample.")] = None,
    customers: Annotated[int, typer.Option(help="Customers of the generated shop.")] = 200_000,
    products: Annotated[int, typer.Option(help="Its products.")] = 20_000,
    runs: Annotated[int, typer.Option(help="How often scoring is timed; the middle one counts.")] = 5,
) -> None:
    """Print the tables."""
    for source in ["sample", *([str(file)] if file else [])]:
        known, after = _shop(source)
        fitted = _quality(source, known, after)
        _speed(next(model for model in fitted if isinstance(model, Hybrid)), runs)
    command = [sys.executable, "-m", "benchmarks.recommend", "once", str(customers), str(products)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    console.print(
        f"{customers:,} customers x {products:,} products: lists of {_K} without what was bought in "
        f"{said['seconds']:.0f} s; peak memory {said['peak']:,.0f} MB"
    )


@app.command(hidden=True)
def once(customers: int, products: int) -> None:
    """Score a generated shop, and say how long that took and the most memory the process had."""
    known = _generated(customers, products)
    model = Hybrid(_SEED, epochs=1, max_sampled=5).fit(known)
    began = time.perf_counter()
    lists = model.recommend(known.customers[C.CUSTOMER_ID].tolist(), _K, "discover")
    seconds = time.perf_counter() - began
    if len(lists) != customers * _K:
        raise SystemExit("Lists are missing.")
    print(json.dumps({"seconds": seconds, "peak": peak()}))


def _shop(source: str) -> tuple[Training, pd.DataFrame]:
    """What was known before the last window, and what was bought in it."""
    with tempfile.TemporaryDirectory(prefix="spectrum-bench-") as place:
        settings = Settings.model_validate({"data_dir": Path(place)})
        engine = make_engine(settings)
        load(engine, open_source(source))
        snapshot.refresh(engine, settings.data_dir)
        data = snapshot.open_newest(settings.data_dir)
        last = features.last_ordered_at(data)
        assert last is not None
        options, as_of = Options(), last + timedelta(days=1)
        newest = history(data, options, as_of, segments_at(data, as_of, options, _CLUSTERS), _CLUSTERS).folds[0]
        engine.dispose()
        stop(Path(place))
    return newest.training, newest.after


def _quality(source: str, known: Training, after: pd.DataFrame) -> list[Recommender]:
    """The models fitted; prints what each took and how good its lists are."""
    wanted = relevant(known, after, "discover")
    asked = sorted(wanted[C.CUSTOMER_ID].unique())
    fresh = wanted[wanted[C.PRODUCT_ID].isin(new_products(known))]
    title = (
        f"{Path(source).name}: products new to {len(asked):,} customers, of {len(known.products):,}; of these products "
        f"also new to the shop, for {fresh[C.CUSTOMER_ID].nunique():,} customers"
    )
    table = Table("", "fit, s", f"NDCG@{_K}", "by products new to the shop", title=title)
    fitted = []
    for kind in RECOMMENDERS:
        if "discover" not in kind.kinds:
            continue
        began = time.perf_counter()
        model = kind(_SEED).fit(known)
        seconds = time.perf_counter() - began
        lists = model.recommend(asked, _K, "discover")
        values = [f"{by_customer(lists, sought, [_K])['ndcg', _K].mean():.4f}" for sought in (wanted, fresh)]
        table.add_row(model.name, f"{seconds:.1f}", *values)
        fitted.append(model)
    console.print(table)
    return fitted


def _speed(model: Factorised, runs: int) -> None:
    """Prints how long the same lists take in three ways."""
    everyone = model.training.customers[C.CUSTOMER_ID].tolist()
    all_rows = np.arange(len(everyone))
    items = np.column_stack([model._product_factors, model._biases])
    people = np.column_stack([model._customer_factors, np.ones(len(everyone), dtype=np.float32)])
    own = _timed(lambda: model._best(all_rows, _K, "discover", None), runs)
    framed = _timed(lambda: model.recommend(everyone, _K, "discover"), runs)
    implicit = {
        threads: _timed(partial(topk, items, people, _K, None, model.training.bought, num_threads=threads), runs)
        for threads in (1, 2)
    }
    few = np.linspace(0, len(everyone) - 1, min(_ASKED, len(everyone))).astype(int)
    predict = _timed(lambda: _predicted(model, few), runs) * len(everyone) / len(few)
    mine, _ = model._best(few, _K, "discover", None)
    agree = np.mean(_predicted(model, few) == mine)
    table = Table("", "s", "times as long", title=f"Lists of {_K} for {len(everyone):,} customers")
    table.add_row("as recommended: two threads, a frame", f"{framed:.3f}", "1.0")
    table.add_row("its scores and places, one thread", f"{own:.3f}", f"{own / framed:.1f}")
    for threads, seconds in implicit.items():
        table.add_row(f"implicit's top-k, threads: {threads}", f"{seconds:.3f}", f"{seconds / framed:.1f}")
    table.add_row("LightFM.predict", f"{predict:.3f}", f"{predict / framed:.1f}")
    console.print(table)
    console.print(f"LightFM.predict is timed for {len(few)} of them; {agree:.1%} of its places are the same.")


def _timed(action: Callable[[], object], runs: int) -> float:
    """Seconds, the middle of some runs."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return median(taken)


def _predicted(model: Factorised, rows: np.ndarray) -> np.ndarray:
    """The places of the best products by LightFM's own prediction, customer by customer."""
    features = {"user_features": model._customers.matrix, "item_features": model._products.matrix}
    bare = LightFM(no_components=model._of.customers.shape[1])
    bare.fit_partial(model.training.bought.tocoo(), **features, epochs=0)
    bare.user_embeddings, bare.item_embeddings = model._of.customers, model._of.products
    bare.user_biases, bare.item_biases = np.zeros(len(model._of.customers), np.float32), model._of.product_biases
    every = np.arange(len(model.training.products), dtype=np.int32)
    found = []
    for row in rows:
        scores = bare.predict(int(row), every, **features)
        scores = scores + model._trend + model._newness
        scores[model.training.bought[[row]].indices] = -np.inf
        found.append(np.argsort(-scores, kind="stable")[:_K])
    return np.array(found)


def _generated(customers: int, products: int) -> Training:
    """A shop where everyone bought ten products, the first ones most."""
    random = np.random.default_rng(_SEED)
    count = customers * _ORDERS_OF
    bought = pd.DataFrame(
        {
            "customer": np.repeat(np.arange(customers), _ORDERS_OF),
            "product": (products * random.random(count) ** 2).astype(int),
            "order": np.arange(count),
            "age_days": random.uniform(0, 365, count),
        }
    )
    people: dict[str, Any] = {
        C.CUSTOMER_ID: np.char.zfill(np.arange(customers).astype(str), 9),
        C.COUNTRY: random.integers(0, 30, customers).astype(str),
        C.ATTRIBUTES: "{}",
        C.SEGMENT: random.integers(0, 5, customers).astype(str),
    }
    goods: dict[str, Any] = {
        C.PRODUCT_ID: np.char.zfill(np.arange(products).astype(str), 9),
        C.NAME: "a thing",
        C.CATEGORY: random.integers(0, 200, products).astype(str),
        C.DEPARTMENT: None,
        C.BRAND: None,
        C.PRICE: random.uniform(1, 100, products),
    }
    moment = datetime.fromisoformat("2024-07-01")
    return Training(moment, pd.DataFrame(people), pd.DataFrame(goods), bought)


if __name__ == "__main__":
    app()
