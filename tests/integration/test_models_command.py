"""Facts about `python -m models run`: what it says, its exit code, and what an interrupted run leaves."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
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
        (["--windows", "0"], "--windows"),
        (["--windows", "13"], "--windows"),
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


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """A process started in the background by a script ignores Ctrl-C, and so do those it starts: here it is heeded."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_closes_the_run_and_ends_the_evaluation_beside_it(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_of(70, engine, tmp_path / "shop.csv")
    ended = threading.Event()

    def endless(*parts: object) -> None:
        tick = parts[-1]
        assert callable(tick)
        waiting = threading.main_thread().ident
        assert waiting is not None
        signal.pthread_kill(waiting, signal.SIGINT)
        try:
            for _ in range(6_000):
                time.sleep(0.01)
                tick()
        except InterruptedError:
            ended.set()
            raise

    monkeypatch.setattr("models.pipeline.recommendations.evaluation", endless)
    done = models(settings, "--quick", "--holdout-days", "14")
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    assert ended.wait(5), "nobody waits for an evaluation that is not wanted"
    assert is_broken_off(engine)


def is_broken_off(engine: Engine) -> bool:
    latest = runs.latest(engine, runs.RECOMMENDATIONS)
    assert latest is not None
    return (latest.status, latest.message) == ("refused", "Broken off by Ctrl-C; run the models again.")


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_run_within_seconds(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    shop_of(200, engine, tmp_path / "shop.csv")
    assert settings.database_url is not None
    address = {"DATABASE_URL": settings.database_url.get_secret_value(), "SPECTRUM_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "models", "run"]
    with subprocess.Popen(command, env={**os.environ, **address}, stderr=subprocess.PIPE, text=True) as started:
        until = time.monotonic() + 120
        while runs.latest(engine, runs.RECOMMENDATIONS) is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)  # amid its fits
        started.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = started.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert (started.returncode, said) == (130, "Stopped; what was not finished is as before.\n")
    assert is_broken_off(engine)


@pytest.mark.parametrize("forced", [False, True])
def test_force_publishes_what_the_test_refuses_and_says_so(
    engine: Engine, settings: Settings, tmp_path: Path, forced: bool
) -> None:
    shop_of(70, engine, tmp_path / "shop.csv")
    done = models(settings, "--quick", "--holdout-days", "14", *(["--force"] if forced else []))
    said = " ".join(done.output.split())
    assert done.exit_code == 0
    run = runs.latest(engine, runs.RECOMMENDATIONS)
    assert run is not None
    assert run.status == ("published" if forced else "refused")
    assert run.metrics["forced"] is forced
    assert run.metrics["quick"] is True
    assert not run.metrics["gate"]["discover"]["passed"], "whoever buys at random is not foreseen"
    assert run.metrics["reason"] == run.message
    found = run.metrics["gate"]["discover"]["sentence"]
    published = f"Recommendations are published: Published by --force. {found}"
    assert (published if forced else f"any from before stay. {found}") in said


def test_a_mistake_in_the_rules_is_told_before_anything_is_computed(settings: Settings, tmp_path: Path) -> None:
    wrong = tmp_path / "rules.toml"
    wrong.write_text("per_category = 11\n")
    for done in (models(settings, "--rules", str(wrong)), models(settings, SPECTRUM_RULES=str(wrong))):
        assert done.exit_code == 2
        assert "per_category" in done.output
        assert "rules.toml" in done.output
    right = tmp_path / "right.toml"
    right.write_text("per_category = 3\n")
    done = models(settings, "--rules", str(right), SPECTRUM_RULES=str(wrong))
    assert "Nothing has been loaded yet" in done.output, "the option goes before the environment"
