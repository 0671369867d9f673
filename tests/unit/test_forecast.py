"""The forecast and its report card: shops whose truth is known, and shops too small or too odd to forecast."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from db.columns import Columns as C
from errors import NotEnoughDataError
from models.forecast import Outlook, forecast, moments, orders_since, outlook
from models.report_card import report
from tests.shops import known_from, steady_shop

FIRST, END = datetime.fromisoformat("2022-01-01"), datetime.fromisoformat("2024-01-01")
MOMENTS = [*moments(FIRST, END), END]


@pytest.fixture(scope="module")
def steady() -> pd.DataFrame:
    return steady_shop(6_000, 1)


def test_moments_are_a_quarter_of_a_young_history_and_ninety_days_of_an_old_one() -> None:
    assert moments(END - timedelta(days=400), END) == [END - timedelta(days=days) for days in (270, 180, 90)]
    assert moments(END - timedelta(days=100), END) == [END - timedelta(days=days) for days in (75, 50, 25)]
    with pytest.raises(NotEnoughDataError, match="needs 28 days of history, and 27 were found"):
        moments(END - timedelta(days=27), END)


def test_a_shop_that_is_as_the_model_says_is_forecast_without_bias(steady: pd.DataFrame) -> None:
    card = report(known_from(steady, MOMENTS), np.zeros(6_000), 42)
    (total,) = (row for row in card.measures if row.measure == "total")
    assert total.forecast == pytest.approx(total.actual, rel=0.04)
    assert card.parameters["memory"] >= 0.8
    assert card.parameters["steadiness"] >= 0.8
    for risk in card.risk:
        assert risk.expected == pytest.approx(risk.actual, abs=0.06)
    for orders in card.orders:
        assert orders.expected == pytest.approx(orders.actual, rel=0.15, abs=0.1)
    for one in card.coverage.values():  # many are expected to buy nothing, and nobody lies below that
        assert 0.8 <= one.inside <= 0.95
        assert one.above <= 0.12
    assert card.coverage["revenue"].above >= 0.05
    assert card.surely
    assert "beats both naive forecasts" in card.sentence


def test_rates_that_wander_are_learned_and_forecast_better_than_by_the_published_model() -> None:
    known = known_from(steady_shop(3_000, 2, wandering=True, leaving=0), MOMENTS)
    then, now = known[-2:]
    corrected, plain = outlook(known[:-1]), outlook(known[-2:-1])
    assert corrected.corrections.memory < 0.5
    assert (plain.corrections.memory, plain.corrections.steadiness) == (1, 1)
    actual = orders_since(then, now, then)

    def likelihood(of: Outlook) -> float:
        beliefs = of.beliefs
        probability = np.array([beliefs.exactly(np.full(len(beliefs.rate), n), 90) for n in np.arange(60.0)])
        return float(np.log(probability[np.minimum(actual, 59).astype(int), of.place] + 1e-12).mean())

    assert likelihood(corrected) > likelihood(plain) + 0.01


def test_every_number_of_a_forecast_is_possible(steady: pd.DataFrame) -> None:
    known = known_from(steady, MOMENTS)
    result = forecast(known)
    frame = result.frame
    assert frame.index.equals(known[-1].features.index)
    numbers = frame.drop(columns=C.NEXT_ORDER_AT)
    assert np.isfinite(numbers.to_numpy(np.float64)).all()
    assert frame[[C.P_ALIVE, C.CHURN_RISK]].to_numpy().min() >= 0
    assert frame[[C.P_ALIVE, C.CHURN_RISK]].to_numpy().max() <= 1
    assert (frame[C.CHURN_RISK] >= 1 - frame[C.P_ALIVE] - 1e-12).all(), "who is gone orders nothing"
    assert (frame[C.ORDERS_30] <= frame[C.ORDERS_90]).all()
    assert (frame[C.ORDERS_90] <= frame[C.ORDERS_365]).all()
    assert (frame[C.CLV_LOW] <= frame[C.CLV]).mean() > 0.99
    assert (frame[C.CLV] <= frame[C.CLV_HIGH]).all()
    assert (frame[C.NEXT_ORDER_AT].dropna() >= END).all()
    assert frame.loc[frame[C.P_ALIVE] < 0.5, C.NEXT_ORDER_AT].isna().all()
    assert frame[C.VALUE_DECILE].value_counts().to_dict() == pytest.approx(dict.fromkeys(range(1, 11), 600), abs=2)
    best = frame.groupby(C.VALUE_DECILE)[C.CLV].agg(["min", "max"])
    assert (best["min"].iloc[1:].to_numpy() >= best["max"].iloc[:-1].to_numpy()).all()
    json.dumps(result.parameters, allow_nan=False)


def test_the_same_twice(steady: pd.DataFrame) -> None:
    known = known_from(steady, MOMENTS)
    assert forecast(known).frame.equals(forecast(known).frame)
    assert report(known, np.zeros(6_000), 1) == report(known, np.zeros(6_000), 1)


def test_a_report_is_plain_json_and_knows_its_period(steady: pd.DataFrame) -> None:
    card = report(known_from(steady, MOMENTS), np.arange(6_000) % 5, 42)
    told = json.loads(json.dumps(asdict(card), allow_nan=False))
    assert (told["days"], told["split"], told["end"]) == (90, "2023-10-03", "2024-01-01")
    assert {row["measure"] for row in told["measures"]} == {"mae", "rmse", "total", "spearman"}
    assert sum(one["customers"] for one in told["orders"]) == told["customers"] == 6_000
    for row in told["measures"]:
        for name, better in row["better_than"].items():
            assert better["low"] <= better["value"] <= better["high"]
            sign = 1 if row["measure"] == "spearman" else -1
            assert better["value"] == pytest.approx(sign * (row["forecast"] - row[name]))


def test_nothing_of_the_holdout_is_in_the_forecast_that_it_judges(steady: pd.DataFrame) -> None:
    """With other orders in the last 90 days, the forecast is the same and only the truth is another."""
    late = steady["at"] >= MOMENTS[-2]
    cards = [report(known_from(shop, MOMENTS), np.zeros(6_000), 1) for shop in (steady, steady[~late])]
    assert cards[0].parameters == cards[1].parameters
    assert [one.expected for one in cards[0].orders] == [one.expected for one in cards[1].orders]
    assert {one.actual for one in cards[1].orders} == {0.0} != {one.actual for one in cards[0].orders}


def test_the_measures_are_those_of_the_definitions(steady: pd.DataFrame) -> None:
    """Recomputed from the orders by pandas and scipy's own Spearman."""
    known = known_from(steady, MOMENTS)
    before, then, _ = known[-3:]
    card = {row.measure: row for row in report(known, np.arange(6_000) % 2, 42).measures}
    counted = steady.assign(
        period=np.where(steady["at"] >= then.as_of, "since", np.where(steady["at"] >= before.as_of, "last", "before"))
    ).pivot_table(values="amount", index="customer", columns="period", aggfunc=["size", "sum"], fill_value=0)
    since, last = (counted.xs(period, axis=1, level="period") for period in ("since", "last"))
    assert card["mae"].last_period == pytest.approx((since["size"] - last["size"]).abs().mean())
    assert card["rmse"].last_period == pytest.approx(((since["size"] - last["size"]) ** 2).mean() ** 0.5)
    assert card["total"].actual == since["size"].sum()
    assert card["spearman"].last_period == pytest.approx(spearmanr(last["sum"], since["sum"]).statistic)
    means = last["size"].groupby(np.arange(6_000) % 2).transform("mean")
    assert card["mae"].segment_mean == pytest.approx((since["size"] - means).abs().mean())


def orders_of(days: list[list[int]], amount: float = 20.0) -> pd.DataFrame:
    """Customer by customer, the days (from 2022-01-01) on which they ordered."""
    rows = [(who, FIRST + timedelta(days=day), amount, True) for who, of in enumerate(days) for day in of]
    return pd.DataFrame(rows, columns=["customer", "at", "amount", "order"])


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (orders_of([[3]]), "50 customers with a second order, and 0 were found"),
        (orders_of([[3, 40], [5]]), "50 customers with a second order, and 1 was found"),
        (orders_of([[3]] * 200), "50 customers with a second order, and 0 were found"),
        (orders_of([[3, 90, 400, 500]] * 100, amount=0), "50 customers who came back and spent, and 0 were found"),
        (orders_of([[3, 90, 400, 500]] * 100, amount=-5), "50 customers who came back and spent, and 0 were found"),
    ],
    ids=["one customer", "two customers", "one order each", "no spend", "negative totals"],
)
def test_a_shop_that_cannot_be_forecast_is_told_why(orders: pd.DataFrame, message: str) -> None:
    known = known_from(orders, MOMENTS)
    with pytest.raises(NotEnoughDataError, match=message):
        forecast(known)
    with pytest.raises(NotEnoughDataError, match=message):
        report(known, np.zeros(len(known[-2].features)), 1)


@pytest.mark.parametrize(
    "days",
    [
        [[3, 90, 400, 500]] * 100,
        [[10, 10, 10]] * 60,
        [[700, 701]] * 80 + [[1]] * 3,
        [list(range(0, 730, 1))] * 60,
        [[who % 500, who % 500 + 1 + who % 90] for who in range(200)],
    ],
    ids=["all equal", "all on one day", "all new", "every day", "once back"],
)
def test_odd_shops_have_numbers_or_a_sentence(days: list[list[int]]) -> None:
    known = known_from(orders_of(days), MOMENTS)
    frame = forecast(known).frame
    assert np.isfinite(frame.drop(columns=C.NEXT_ORDER_AT).to_numpy(np.float64)).all()
    with suppress(NotEnoughDataError):
        card = report(known, np.zeros(len(known[-2].features)), 1)
        json.dumps(asdict(card), allow_nan=False)


@pytest.mark.parametrize("days", [30, 90, 365])
def test_mean_and_interval_are_those_of_futures_drawn_one_by_one(steady: pd.DataFrame, days: int) -> None:
    """Active or not, a rate, a probability of leaving and a mean order for each; then its orders and their worth."""
    known = known_from(steady, MOMENTS)
    ahead = outlook(known)
    random = np.random.default_rng(5)
    who = random.choice(len(ahead.place), 300, replace=False)
    orders, mean = (known[-1].features[name].to_numpy(np.float64)[who] for name in (C.FREQUENCY, C.AVERAGE_ORDER))
    beliefs, at, shape = ahead.beliefs, ahead.place[who], (2_000, len(who))
    active = random.random(shape) < beliefs.p_alive[at]
    rates = random.gamma(beliefs.shape[at], 1 / beliefs.rate[at], shape)
    stays = random.geometric(random.beta(beliefs.left, beliefs.stayed[at], shape))
    bought = active * np.minimum(random.poisson(rates * days), stays)
    money = ahead.money
    nu = random.gamma(money.q + money.p * orders, 1 / (money.v + orders * mean), shape)
    worth = np.where(bought > 0, random.gamma(np.maximum(money.p * bought, 1e-9)) / nu, 0)
    assert ahead.expected_orders(days)[who].mean() == pytest.approx(bought.mean(), rel=0.01)
    assert beliefs.mean_square(days)[at].mean() == pytest.approx((bought**2.0).mean(), rel=0.03)
    assert ahead.risk(days)[who] == pytest.approx((bought == 0).mean(axis=0), abs=0.05)
    assert ahead.expected_revenue(days)[who].mean() == pytest.approx(worth.mean(), rel=0.02)
    low, high = (end[who] for end in ahead.revenue_interval(days))
    assert (worth < low).mean() < 0.11
    assert np.max((worth < low).mean(axis=0)) < 0.25, "of any one customer; a gamma distribution is not quite the sum's"
    assert (worth > high).mean(axis=0)[ahead.risk(days)[who] < 0.8] == pytest.approx(0.1, abs=0.05)
    assert (worth > high)[:, ahead.risk(days)[who] < 0.5].mean() == pytest.approx(0.1, abs=0.01)


def test_a_few_customers_below_zero_do_not_spoil_the_rest(steady: pd.DataFrame) -> None:
    back = pd.DataFrame({"customer": [1, 2], "at": pd.Timestamp("2023-12-30"), "amount": -1e6, "order": False})
    frame = forecast(known_from(pd.concat([steady, back]), MOMENTS)).frame
    assert (frame[[C.CLV, C.CLV_LOW, C.CLV_HIGH]] >= 0).all().all()
    assert np.isfinite(frame[C.CLV]).all()
