"""The KPIs of the Overview, one entry each. A new card is a new entry; a new number also needs its query."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard import format as fmt


@dataclass(frozen=True)
class Kpi:
    """`column` names the number in the frames of `db.queries.overview`; `definition` says how it is counted."""

    column: str
    label: str
    definition: str
    show: Callable[[float, str], str]
    is_share: bool = False
    rising_is_good: bool = True


def _count(value: float, currency: str) -> str:
    return fmt.number(value)


def _share(value: float, currency: str) -> str:
    return fmt.percent(value)


KPIS = (
    Kpi(
        "revenue",
        "Net revenue",
        "The sum of all lines in the period: quantity times price less discount, returns taken off.",
        fmt.short_money,
    ),
    Kpi(
        "orders",
        "Orders",
        "Different orders with at least one line that is not a return. Guests' orders count.",
        _count,
    ),
    Kpi(
        "customers",
        "Active customers",
        "Different customers who ordered in the period. Guests have no id and are not counted.",
        _count,
    ),
    Kpi("average_order", "Average order", "Net revenue divided by orders.", fmt.money),
    Kpi(
        "repeat_rate",
        "Repeat rate",
        "The share of the period's customers who ordered at least twice within it.",
        _share,
        is_share=True,
    ),
    Kpi(
        "at_risk",
        "At risk",
        "The share of all customers with two or more orders so far who, on the period's last day, have been silent for "
        "more than twice their own usual gap between orders.",
        _share,
        is_share=True,
        rising_is_good=False,
    ),
)
