"""The numbers of a customer: how each is called, how it reads, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard import format as fmt
from db.drill import RANGES, Range

COVERED = 0.8
"""The share of customers that the interval of a customer's expected revenue should hold."""


@dataclass(frozen=True)
class Measure:
    """`show` takes a value and the currency's sign."""

    label: str
    show: Callable[[float, str], str]
    definition: str


def _count(value: float, currency: str) -> str:
    return fmt.number(value, 0 if value == int(value) else 1)


def _orders(value: float, currency: str) -> str:
    return fmt.number(value, 0 if value == int(value) else 2)


def _share(value: float, currency: str) -> str:
    return fmt.percent(value, 0 if round(value * 100, 6) % 1 == 0 else 1)


def _money(value: float, currency: str) -> str:
    return fmt.money(value, currency).removesuffix(".00")


MEASURES: dict[str, Measure] = {
    "recency_days": Measure("Days since last order", _count, "Whole days from the last purchase to the run's moment."),
    "frequency": Measure("Orders", _count, "Different orders that bought something."),
    "monetary": Measure("Spend", _money, "Net revenue over the whole history."),
    "tenure_days": Measure("Days since first order", _count, "Whole days from the first purchase."),
    "gap_days": Measure("Days between orders", _count, "The mean; who ordered once has none."),
    "average_order": Measure("Average order", _money, "Net revenue divided by orders."),
    "discount_share": Measure("Bought on discount", _share, "Share of spend by lines with a discount."),
    "category_breadth": Measure("Categories", _count, "Different categories bought from."),
    "return_rate": Measure("Sent back", _share, "Share of what was sold that came back."),
    "r_score": Measure("R score", _count, "Recency, 1 to 5; 5 is most recent."),
    "f_score": Measure("F score", _count, "Frequency, 1 to 5; 5 is most."),
    "m_score": Measure("M score", _count, "Spend, 1 to 5; 5 is most."),
    "fm_score": Measure("FM score", _count, "Frequency and spend together, 1 to 5."),
    "p_alive": Measure("Probability active", _share, "Not left for good; 100% before a second order."),
    "churn_risk": Measure("Churn risk", _share, "Probability of no order in the next 90 days."),
    "orders_30": Measure("Orders in 30 days", _orders, "Expected number of orders in the next 30 days."),
    "orders_90": Measure("Orders in 90 days", _orders, "Expected number of orders in the next 90 days."),
    "orders_365": Measure("Orders in 365 days", _orders, "Expected number of orders in the next 365 days."),
    "clv": Measure("Expected revenue", _money, "Net revenue expected in the next 365 days."),
    "clv_low": Measure("Expected, low", _money, "The lower end of the interval of the expected revenue."),
    "clv_high": Measure("Expected, high", _money, "The upper end of the interval of the expected revenue."),
    "value_decile": Measure("Value decile", _count, "Tenth of the customers by expected revenue; 10 is best."),
}


def in_words(found: Range, currency: str) -> str:
    """Where a number lies, with whether the ends are included: `3 to 4`, `20% to under 40%`, `30 or more`."""

    def show(end: float) -> str:
        return MEASURES[found.column].show(end, currency)

    whole = RANGES[found.column] == "whole"
    match found.low, found.high:
        case low, None:
            return f"{show(low or 0)} or more"
        case None, high:
            return f"{'at most' if whole else 'under'} {show(high or 0)}"
        case low, high if low == high:
            return show(low or 0) if whole else f"exactly {show(low or 0)}"
        case low, high:
            return f"{show(low or 0)} to {'' if whole else 'under '}{show(high or 0)}"
    return ""
