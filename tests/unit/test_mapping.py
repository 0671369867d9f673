"""Facts about layouts: which columns are found by name and content, what is said where they are not, slashed dates."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import InputError
from etl.dates import with_day_order
from etl.mapping import Layout, detect, understood
from etl.meanings import Kind
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
PLAIN = ["Order Number", "SKU", "Item", "Qty.", "Order Date", "Price", "Client", "Country"]
SALE = {
    "Order ID": ["1", "1", "2"],
    "SKU": ["A", "B", "A"],
    "Price": ["2", "3.5", "2"],
    "Order Date": ["2024-01-02"] * 3,
}


def source(cells: Mapping[str, Sequence[object]]) -> Source:
    batch = pa.record_batch({name: pa.array(list(column)) for name, column in cells.items()})
    return Source("sales.csv", "", list(cells), batch.num_rows, lambda: iter([batch]))


def columns(names: Sequence[str], kind: Kind = "orders") -> Mapping[str, str]:
    return detect(Source("sales.csv", "", names, 0, lambda: iter(())), kind).columns


@pytest.mark.parametrize("names", [ONLINE_RETAIL, ONLINE_RETAIL_II, CANONICAL, PLAIN])
def test_the_known_layouts_are_found(names: list[str]) -> None:
    assert columns(names) == dict(zip(CANONICAL, names, strict=True))


@given(st.data())
def test_case_spaces_and_punctuation_do_not_matter(data: st.DataObject) -> None:
    def written(name: str) -> str:
        joint = data.draw(st.sampled_from(["", " ", "_", "-", ".", "  ", " / "]))
        case = data.draw(st.sampled_from([str.upper, str.lower, str.title]))
        return case(joint.join(name.split("_"))) + data.draw(st.sampled_from(["", " ", ":", " #", "*"]))

    names = [written(name) for name in CANONICAL]
    assert columns(["Store", *names]) == dict(zip(CANONICAL, names, strict=True))


def test_an_amount_stands_in_for_the_price() -> None:
    assert C.UNIT_PRICE not in columns([*CANONICAL[:5], C.CUSTOMER_ID, "Amount"])


def test_an_unknown_layout_names_what_is_there_and_what_is_missing() -> None:
    with pytest.raises(InputError, match=r"sales\.csv has the columns Bon, Menge, .* none for order_id, .*unit_price"):
        columns(["Bon", "Menge"])


def test_two_columns_for_one_meaning_are_refused() -> None:
    with pytest.raises(InputError, match="InvoiceNo, Invoice all read as order_id"):
        columns([*ONLINE_RETAIL, "Invoice"])


def test_the_better_name_goes_and_the_date_of_shipping_never() -> None:
    assert columns([*PLAIN, "Ship Date", "Created at", "E-mail"])[C.ORDERED_AT] == "Order Date"
    assert columns([*PLAIN[:-2], "E-mail", "Customer Name"])[C.CUSTOMER_ID] == "E-mail"
    shipped = {**SALE, "Ship Date": SALE["Order Date"]}
    del shipped["Order Date"]
    with pytest.raises(InputError, match="none for ordered_at"):
        detect(source(shipped))


def test_a_column_without_a_known_name_is_found_where_only_it_holds_dates_or_addresses() -> None:
    cells = {name: column for name, column in SALE.items() if name != "Order Date"}
    cells |= {"Wann": ["2024-01-02", "2024-01-03", ""], "Wer": ["a@b.example", "", "c@d.example"]}
    found = understood(source(cells))
    assert (found.layout.columns[C.ORDERED_AT], found.layout.columns[C.CUSTOMER_ID]) == ("Wann", "Wer")
    assert {canonical for canonical, why in found.why.items() if why == "by content"} == {C.ORDERED_AT, C.CUSTOMER_ID}
    with pytest.raises(InputError, match="Wann, Wann sonst all read as ordered_at"):
        detect(source({**cells, "Wann sonst": ["2024-01-02", "2024-01-03", "2024-01-04"]}))


def test_a_date_that_is_none_is_not_taken_for_one() -> None:
    with pytest.raises(InputError, match=r"none for ordered_at .*Date holds no date, such as 'Monday'"):
        detect(source({**SALE, "Order Date": ["Monday", "Tuesday", ""]}))
    both = source({**SALE, "Order Date": ["Monday", "", ""], "Date": ["2024-01-02"] * 3})
    assert detect(both).columns[C.ORDERED_AT] == "Date"


def test_a_blank_column_gives_way_to_one_with_cells() -> None:
    cells = {**SALE, "Customer ID": ["", "", ""], "Email": ["a@b.example", "", ""]}
    assert detect(source(cells)).columns[C.CUSTOMER_ID] == "Email"
    assert detect(source({**SALE, "Customer ID": ["", "", ""]})).columns[C.CUSTOMER_ID] == "Customer ID"


def test_a_file_without_quantities_counts_pieces_and_says_so() -> None:
    found = understood(source(SALE))
    assert found.layout.constants == {C.QUANTITY: "1"}
    assert [remark.split(":")[0] for remark in found.remarks] == [
        "No column tells quantities",
        "No column tells customers",
    ]


def test_a_sub_category_makes_the_category_a_department() -> None:
    assert columns([*PLAIN, "Category"])[C.CATEGORY] == "Category"
    found = columns([*PLAIN, "Category", "Sub-Category"])
    assert (found[C.CATEGORY], found[C.DEPARTMENT]) == ("Sub-Category", "Category")


def test_the_rows_tell_what_an_amount_beside_a_price_is() -> None:
    cells = {**SALE, "Qty": ["2", "1", "10"]}  # 4.00, 3.50 and 20.00 before a discount
    for off, total, amount_is, discount_is in [
        (["1", "0", "2"], ["3", "3.5", "18"], "net", "money"),
        (["1", "0", "2"], ["4", "3.5", "20"], "gross", "money"),
        (["0.5", "0", "0.1"], ["2", "3.5", "18"], "net", "fraction"),
        (["50", "0", "10"], ["2", "3.5", "18"], "net", "percent"),
        (["1", "0", "0.5"], ["2", "3.5", "15"], "net", "each"),
    ]:
        layout = detect(source({**cells, "Discount": off, "Total": total}))
        assert (layout.amount_is, layout.discount_is) == (amount_is, discount_is)


def test_an_amount_of_the_whole_order_is_left_out() -> None:
    cells = {**SALE, "Qty": ["2", "1", "10"]}
    for total in (["7.5", "7.5", "21"], ["7.5", "7.5", "20"]):
        found = understood(source({**cells, "Total": total}))
        assert C.AMOUNT not in found.layout.columns
        assert "Total is left out" in " ".join(found.remarks)
    capped = understood(source({**cells, "Total": ["400", "350", "2000"]}))
    assert capped.layout.columns[C.AMOUNT] == "Total"
    assert "Total is taken for what was paid" in " ".join(capped.remarks)


def test_discounts_that_may_be_fractions_are_asked_about() -> None:
    with pytest.raises(InputError, match="Discount holds only numbers from 0 to 1"):
        detect(source({**SALE, "Discount": ["0", "0.2", ""]}))
    with pytest.raises(InputError, match="Discount holds only numbers from 0 to 1"):
        detect(source({**SALE, "Discount": ["0", "0.2", ""], "Qty": ["1", "1", "1"], "Total": SALE["Price"]}))
    for plain in (["0", "1", "0"], ["0.2", "1.5", ""], ["", "", ""]):
        assert detect(source({**SALE, "Discount": plain})).discount_is == "money"


def test_the_status_of_an_order_is_known_by_its_short_name_in_every_export_of_woocommerce() -> None:
    found = columns(
        ["Order Number", "Order Date", "Status", "Customer User ID", "Billing Email", "Item Name", "Item Cost"]
    )
    assert (found[C.STATUS], found[C.CUSTOMER_ID]) == ("Status", "Billing Email")


def test_a_discount_that_is_called_one_is_a_percentage() -> None:
    for name in ("Discount %", "discount_percent", "Discount Pct."):
        assert detect(source({**SALE, name: ["10", "0", "25"]})).discount_is == "percent"
    signed = {**SALE, "Discount": ["10%", "", "2.5 %"]}
    assert detect(source(signed)).discount_is == "percent"
    assert detect(source({**signed, "Qty": ["1", "1", "1"], "Total": SALE["Price"]})).discount_is == "percent"


def test_each_kind_has_names_of_its_own() -> None:
    assert columns(["Email", "Country", "Age"], "customers") == {C.CUSTOMER_ID: "Email", C.COUNTRY: "Country"}
    assert columns(["SKU", "Title", "Vendor", "Cost per item"], "products") == {
        C.PRODUCT_ID: "SKU",
        C.NAME: "Title",
        C.BRAND: "Vendor",
        C.COST: "Cost per item",
    }
    assert columns(["user_id", "event", "timestamp", "product_id"], "events") == {
        C.CUSTOMER_ID: "user_id",
        C.TYPE: "event",
        C.OCCURRED_AT: "timestamp",
        C.PRODUCT_ID: "product_id",
    }
    assert columns(["Campaign", "Customer ID", "Treated"], "campaigns") == {
        C.CAMPAIGN_ID: "Campaign",
        C.CUSTOMER_ID: "Customer ID",
        C.TREATED: "Treated",
    }
    with pytest.raises(InputError, match="none for type, occurred_at"):
        columns(["user_id", "product_id"], "events")


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


def test_a_currency_is_no_rate_and_a_time_of_day_no_moment() -> None:
    rates = understood(source({**SALE, "Currency": ["1.08", "1.09", "1"]}))
    assert C.CURRENCY not in rates.layout.columns
    assert "Currency holds no currency, such as '1.08'." in rates.remarks
    assert detect(source({**SALE, "Currency": ["", "eur", "€"]})).columns[C.CURRENCY] == "Currency"
    assert detect(source({**SALE, "Time": ["8:26", "", "20:26:05"]})).columns[C.TIME_OF_DAY] == "Time"
    moments = {
        **{name: cells for name, cells in SALE.items() if name != "Order Date"},
        "Time": ["2024-01-02 08:26"] * 3,
    }
    assert detect(source(moments)).columns[C.ORDERED_AT] == "Time"
