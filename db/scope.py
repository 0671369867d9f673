"""What of a snapshot one may see: the customers and lines of some countries, and customers under pseudonyms.

The restriction stands in the views that every query asks, so that none can forget it. Lines are of the country they
say, customers and what is told of them of the country of their own.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from db.conditions import Condition
from db.sales import quoted
from db.standing import monthly_standings

WHOLE = "whole"
"""The schema of the tables as they are."""

_BLOCK = 64  # bytes of a block of SHA-256
_FEW = 50
"""Values that an attribute may have to be seen beside pseudonyms: an address or a birthday would tell who it is."""

_BY_COUNTRY = ("customer", "transaction_line", "known", "purchase", "sale")
_BY_CUSTOMER = (
    "buyer",
    "campaign_member",
    "customer_movement",
    "customer_segment",
    "every_customer_segment",
    "every_recommendation",
    "interaction_event",
    "product_audience",
    "recommendation",
)
_OF_ALL = ("campaign", "campaign_product", "goods", "model_run", "movement_letter", "product")
"""What tells of no customers: names of goods, campaigns and segments, and when runs were made."""

_COUNTED = """
    SELECT '{grouping}' AS grouping, {grouping} AS segment, count(*)::INTEGER AS customers,
        count(*) / sum(count(*)) OVER () AS customer_share, sum(monetary) AS revenue,
        coalesce(sum(monetary) / nullif(sum(sum(monetary)) OVER (), 0), 0)::DOUBLE AS revenue_share,
        median(recency_days)::DOUBLE AS recency_median, median(frequency)::DOUBLE AS frequency_median,
        median(monetary)::DOUBLE AS monetary_median
    FROM known WHERE {grouping} IS NOT NULL GROUP BY ALL
"""
_ALL_COUNTED = " UNION ALL ".join(_COUNTED.format(grouping=of) for of in ("segment", "rfm_group", "alternative"))
_PROFILE = f"""
    SELECT profile.* REPLACE (
        counted.customers AS customers, counted.customer_share AS customer_share, counted.revenue AS revenue,
        counted.revenue_share AS revenue_share, counted.recency_median AS recency_median,
        counted.frequency_median AS frequency_median, counted.monetary_median AS monetary_median,
        NULL AS pareto_share, NULL AS play_reason, '' AS reason)
    FROM {WHOLE}.segment_profile AS profile
    JOIN ({_ALL_COUNTED}) AS counted USING (grouping, segment)
"""
_MOMENTS = f"""
    SELECT * REPLACE ((
        SELECT count(*) FROM customer_movement WHERE segments[moment + 1] <> '.'
    )::INTEGER AS customers) FROM {WHOLE}.movement_moment
"""


@dataclass(frozen=True)
class Scope:
    """What one may see. No countries: all of them; no key: customers under their own ids."""

    countries: tuple[str, ...] = ()
    key: bytes | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out or changed."""
        return not self.countries and self.key is None


def pseudonym(key: bytes, customer_id: str) -> str:
    """What stands for an id: the first 64 bits of its HMAC-SHA-256, as `views` write it."""
    return "~" + hmac.digest(key, customer_id.encode(), sha256).hex()[:16]


def views(scope: Scope, tables: Iterable[str]) -> dict[str, str]:
    """View -> SQL over the tables in the schema `WHOLE`, in the order in which they are to be made.

    What is only known of the whole shop (shares of segments, flows, rules, evaluations, loads) has no view where
    countries are left out: a query that asks for it fails.
    """
    given = set(tables)
    made = {
        name: f"SELECT {_columns(name, scope)} FROM {WHOLE}.{name} {_where(name, scope)}"
        for name in (*_BY_COUNTRY, *_BY_CUSTOMER, *_OF_ALL, "bill", "attribute")
        if name in given
    }
    if not scope.countries:
        rest = sorted(given - set(made))
        return made | {name: f'FROM {WHOLE}."{name}"' for name in rest}
    made["month"] = monthly_standings(Condition("FROM purchase")).sql
    made["segment_profile"], made["movement_moment"] = _PROFILE, _MOMENTS
    return made


def _columns(name: str, scope: Scope) -> str:
    if scope.key is None or name not in ("customer", "known", "transaction_line", *_BY_CUSTOMER):
        return "*"
    changed = f"{_hashed('customer_id', scope.key)} AS customer_id"
    return f"* REPLACE ({changed}{_ATTRIBUTES if name == 'customer' else ''})"


_ATTRIBUTES = ", '{}' AS attributes"


def _hashed(column: str, key: bytes) -> str:
    """SQL for `pseudonym`, as HMAC is defined (RFC 2104); null of null."""
    block = key.ljust(_BLOCK, b"\0")
    inner, outer = (_blob(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    return f"'~' || left(sha256({outer} || unhex(sha256({inner} || encode({column})))), 16)"


def _where(name: str, scope: Scope) -> str:
    listed = ", ".join(quoted(country) for country in scope.countries)
    theirs = f"SELECT customer_id FROM {WHOLE}.customer WHERE country IN ({listed})"
    conditions = []
    if scope.countries:
        if name in _BY_COUNTRY:
            conditions.append(f"country IN ({listed})")
        elif name in _BY_CUSTOMER:
            conditions.append(f"customer_id IN ({theirs})")
        elif name == "bill":
            conditions.append(f"order_no IN (SELECT order_no FROM {WHOLE}.purchase WHERE country IN ({listed}))")
        elif name == "attribute":
            who = f"SELECT customer_no FROM {WHOLE}.buyer WHERE customer_id IN ({theirs})"
            conditions.append(f"customer_no IN ({who})")
    if name == "attribute" and scope.key is not None:
        few = f"SELECT name FROM {WHOLE}.attribute GROUP BY name HAVING count(DISTINCT value) <= {_FEW}"
        conditions.append(f"name IN ({few})")
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _blob(content: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02x}" for byte in content) + "'::BLOB"
