"""A load brings what a model cannot cope with: one sentence, a refused run with the reason, and the old one stays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from db import runs, snapshot
from db.queries import shop as shop_queries
from etl.load import load
from etl.readers import open_source
from models.__main__ import app
from tests.faults import content
from tests.faults.conftest import Copy, Tried, lines

OPTIONS = ("run", "--quick", "--force", "--months", "2", "--holdout-days", "28")


def raising(error: BaseException) -> Callable[..., Any]:
    def fails(*_: object, **__: object) -> Any:
        raise error

    return fails


FAILING = {
    "segments: a division": ("models.pipeline.segments._parted", ZeroDivisionError("division by zero")),
    "segments: no solution": ("models.pipeline.segments.forecast", ValueError("array must not contain infs or NaNs")),
    "segments: memory": ("models.pipeline.segments.followed", MemoryError()),
    "recommendations: a fit": ("models.pipeline.workshop.OwnHistory.fit", FloatingPointError("overflow\nin exp")),
    "recommendations: a score": ("models.pipeline.recommendations.verdict", KeyError("c7")),
    "recommendations: lists": ("models.pipeline.recommendations.advice", RuntimeError("[red]no[/] lists")),
}


@pytest.mark.parametrize("moment", FAILING)
def test_a_model_that_raises_leaves_the_run_before(
    shop: Copy, tried: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    settings, engine = shop.settings, shop.engine
    kind = moment.partition(":")[0]
    before, results = content.published(engine), content.record(engine)
    bring(shop, lines(300, seed=9), tmp_path)
    where, error = FAILING[moment]
    with monkeypatch.context() as patch:
        patch.setattr(where, raising(error))
        done = CliRunner().invoke(app, OPTIONS, env=settings.environment())
    tried("a model fails on new data", moment)
    assert done.exit_code == 2
    assert (done.stderr.count("\n"), "Traceback" in done.stderr) == (1, False)
    assert done.stderr.startswith(f"error: The {kind} could not be computed from these data ({type(error).__name__}) ")
    refused = runs.latest(engine, kind)
    assert refused is not None
    assert (refused.status, f"error: {refused.message}\n") == ("refused", done.stderr)
    assert "".join(refused.metrics["traceback"]).lstrip().startswith("File ")
    assert not str(error) or str(error) not in json.dumps(refused.metrics), "its words may name customers"
    after = content.published(engine)
    assert after[kind] == before[kind]
    if kind == runs.SEGMENTS:
        assert after == before
    kept = {"recommendation", "product_pair", "evaluation"} | ({"customer_segment"} if kind == runs.SEGMENTS else set())
    now = content.record(engine)
    assert {name: now[name] for name in kept} == {name: results[name] for name in kept}
    shown = snapshot.open_newest(settings.data_dir)
    assert shown.manifest.runs == after, "the one before is served"
    assert shop_queries.refusal(shown, kind) == refused.message, "and the pages say why"
    content.must_be_settled(engine, settings.data_dir)
    assert CliRunner().invoke(app, OPTIONS, env=settings.environment()).exit_code == 0
    assert content.published(engine)[kind] > before[kind]


def odd(name: str) -> pd.DataFrame:
    frame = lines(200, seed=21)
    match name:
        case "amounts as large as the record takes":
            frame["quantity"], frame["unit_price"] = 99_999, 999_999.0
        case "a line of the next day alone":
            frame = frame.tail(1).assign(ordered_at=frame["ordered_at"].max() + pd.Timedelta(days=1))
        case "all at one moment":
            frame["ordered_at"] = pd.Timestamp("2024-06-01")
        case "a customer of the year 1900":
            frame["ordered_at"] = pd.Timestamp("1900-01-01")
        case "returns of everything":
            frame["quantity"] = -10_000
        case "ten thousand lines of one order":
            frame = lines(10_000, seed=22).assign(order_id="one", customer_id="c1", ordered_at="2024-03-03")
    return frame


@pytest.mark.parametrize(
    "name",
    [
        "amounts as large as the record takes",
        "a line of the next day alone",
        "all at one moment",
        "a customer of the year 1900",
        "returns of everything",
        "ten thousand lines of one order",
    ],
)
def test_odd_data_end_in_a_run_or_in_a_sentence(shop: Copy, tried: Tried, tmp_path: Path, name: str) -> None:
    before = content.published(shop.engine)
    bring(shop, odd(name), tmp_path)
    done = CliRunner().invoke(app, OPTIONS, env=shop.settings.environment())
    tried("a model fails on new data", name)
    assert done.exit_code in (0, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    after = content.published(shop.engine)
    for kind, run_id in before.items():
        latest = runs.latest(shop.engine, kind)
        assert latest is not None
        published = after[kind] > run_id
        assert latest.status == ("published" if published else "refused"), latest
    assert set(after) == set(before)
    assert done.exit_code == 0 or after != before or done.stderr.count("\n") == 1
    content.must_be_settled(shop.engine, shop.settings.data_dir)


def bring(shop: Copy, frame: pd.DataFrame, folder: Path) -> None:
    frame.to_csv(folder / "new.csv", index=False)
    load(shop.engine, open_source(str(folder / "new.csv")))
    snapshot.refresh(shop.engine, shop.settings.data_dir)
