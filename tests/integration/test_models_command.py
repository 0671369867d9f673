"""Facts about `python -m models run`: what it says, its exit code, and what an interrupted run leaves."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from db import runs
from db.columns import Columns as C
from etl.load import load
from etl.readers import open_source
from models.__main__ import app
from models.evaluation import Fold, Models
from settings import MAX_SEED, Settings


def models(settings: Settings, *arguments: str, **environment: str) -> Result:
    assert settings.database_url is not None
    variables = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SPECTRUM_DATA_DIR": str(settings.data_dir),
        **environment,
    }
    return CliRunner().invoke(app, ["run", *arguments], env=variables)


def shop_of(days: int, engine: Engine, path: Path) -> None:
    """30 customers and 40 products, an order of two lines each fifth day, in the record and in no snapshot."""
    random = np.random.default_rng(3)
    bought = [(who, day) for who in range(30) for day in range(who % 5, days + 1, 5) for _ in range(2)]
    frame = pd.DataFrame(bought, columns=["who", "day"])
    frame[C.CUSTOMER_ID] = "c" + frame["who"].astype(str)
    frame[C.ORDER_ID] = frame["who"].astype(str) + "-" + frame["day"].astype(str)
    frame[C.PRODUCT_ID] = [f"p{number}" for number in random.integers(0, 40, len(frame))]
    frame[C.ORDERED_AT] = pd.Timestamp("2024-01-01 10:00") + pd.to_timedelta(frame["day"], unit="D")
    frame.assign(quantity=1, unit_price=2.5).drop(columns=["who", "day"]).to_csv(path, index=False)
    load(engine, open_source(str(path)))


def test_a_young_shop_has_segments_and_is_told_what_recommendations_need(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    shop_of(40, engine, tmp_path / "young.csv")
    first = models(settings)
    assert first.exit_code == 0, "a job that waits for it goes on"
    said = " ".join(first.output.split())
    assert "Segments are published" in said
    assert "Recommendations are not published" in said
    assert "at least 56 days" in said
    assert "40 were found" in said
    again = models(settings, "--if-changed")
    assert (again.exit_code, again.output) == (0, "Segments and recommendations are current; nothing to do.\n")


def test_nothing_to_publish_from_is_a_failure(settings: Settings) -> None:
    done = models(settings)
    assert done.exit_code == 2
    assert "Nothing has been loaded yet" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--clusters", "60"], "a number from 1 to 20, not 60"),
        (["--clusters", "0"], "a number from 1 to 20, not 0"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(MAX_SEED + 1)], "--seed"),
        (["--holdout-days", "1000000000"], "--holdout-days"),
    ],
)
def test_an_option_out_of_range_is_named(settings: Settings, arguments: list[str], said: str) -> None:
    done = models(settings, *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_moment_long_after_the_data_is_taken_for_a_slip(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    shop_of(10, engine, tmp_path / "shop.csv")
    done = models(settings, "--as-of", "9999-01-01")
    assert done.exit_code == 2
    assert "--as-of 9999-01-01 is more than ten years after the last order, of 2024-01-11" in done.output


def test_a_seed_out_of_range_in_the_environment_is_named(settings: Settings) -> None:
    done = models(settings, SPECTRUM_SEED=str(MAX_SEED + 1))
    assert done.exit_code == 2
    assert "SPECTRUM_SEED" in done.output


def test_the_largest_seed_does_for_every_model(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    shop_of(70, engine, tmp_path / "shop.csv")
    done = models(settings, "--seed", str(MAX_SEED), "--holdout-days", "14")
    assert done.exit_code == 0, done.output
    assert "NDCG@10" in done.output


def test_ctrl_c_closes_the_run_and_ends_the_evaluation_beside_it(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_of(70, engine, tmp_path / "shop.csv")
    ended = []

    def endless(folds: Sequence[Fold], models: Models, _: int) -> None:
        try:
            for _ in range(1_000):
                time.sleep(0.01)
                next(iter(models(folds[0].training)))
        except InterruptedError:
            ended.append(True)
            raise

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.pipeline.recommendations.evaluation", endless)
    monkeypatch.setattr("models.pipeline.recommendations.Hybrid.fit", interrupt)
    done = models(settings)
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    assert ended, "nobody waits for an evaluation that is not wanted"
    latest = runs.latest(engine, runs.RECOMMENDATIONS)
    assert latest is not None
    assert (latest.status, latest.message) == ("refused", "Broken off by Ctrl-C; run the models again.")
