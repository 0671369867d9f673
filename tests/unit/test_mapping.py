"""Facts about layouts: which columns are found, what is said where they are not, and how slashed dates are read."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from db.columns import Columns as C
from errors import InputError
from etl.dates import with_day_order
from etl.mapping import Layout, detect
from etl.readers.base import Source

ONLINE_RETAIL = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
ONLINE_RETAIL_II = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
CANONICAL = [C.ORDER_ID, C.PRODUCT_ID, C.PRODUCT_NAME, C.QUANTITY, C.ORDERED_AT, C.UNIT_PRICE, C.CUSTOMER_ID, C.COUNTRY]


@pytest.mark.parametrize("columns", [ONLINE_RETAIL, ONLINE_RETAIL_II, CANONICAL])
def test_the_known_layouts_are_found(columns: list[str]) -> None:
    assert detect(columns, "a file").columns == dict(zip(CANONICAL, columns, strict=True))


def test_case_spaces_underscores_and_other_columns_do_not_matter() -> None:
    loud = [name.upper().replace("_", " ") for name in CANONICAL]
    assert detect(["Store", *loud], "a file").columns == dict(zip(CANONICAL, loud, strict=True))


def test_an_amount_stands_in_for_the_price() -> None:
    assert C.UNIT_PRICE not in detect([*CANONICAL[:5], C.CUSTOMER_ID, "Amount"], "a file").columns


def test_an_unknown_layout_names_what_is_there_and_what_is_missing() -> None:
    with pytest.raises(InputError, match=r"sales\.csv has the columns Bon, Menge, .* none for order_id, .*unit_price"):
        detect(["Bon", "Menge"], "sales.csv")


def test_two_columns_for_one_meaning_are_refused() -> None:
    with pytest.raises(InputError, match="InvoiceNo, Invoice all read as order_id"):
        detect([*ONLINE_RETAIL, "Invoice"], "a file")


def dated(*blocks: Sequence[str]) -> Layout:
    batches = [pa.record_batch({"when": list(block)}) for block in blocks]
    source = Source("a file", "", ["when"], 0, lambda: iter(batches))
    return with_day_order(Layout({C.ORDERED_AT: "when"}), source)


def test_the_whole_column_decides_the_order_of_day_and_month() -> None:
    assert dated(["1/2/2011"], ["1/31/2011 8:26"]).day_first is False
    assert dated(["1/2/2011"], ["31/1/2011 8:26"]).day_first is True
    assert dated(["2011-01-31"], ["31/1/2011"]).day_first is None
    assert dated(["1.2.2011"], ["31.1.2011 8:26"]).day_first is True
    assert dated(["1-2-2011"], ["31-1-2011 8:26 PM"]).day_first is True
    assert dated(["1 Feb 2011"], ["Jan 31, 2011"]).day_first is None
    assert dated(["1/2/11"], ["1/31/11"]).day_first is False
    assert dated(["1/2/11"], ["31/1/11"]).day_first is True


def test_dates_that_tell_no_order_or_two_are_refused() -> None:
    with pytest.raises(InputError, match="such as 1/2/2011, can have the day or the month first"):
        dated(["1/2/2011", "3/4/2011"])
    with pytest.raises(InputError, match="contradict each other: 31/1/2011 has the day first, 1/30/2011 the month"):
        dated(["31/1/2011"], ["1/30/2011"])
    with pytest.raises(InputError, match="such as 13-01-05, can have the day or the year first"):
        dated(["13-01-05"], ["13-01-06", "13-02-07"])
