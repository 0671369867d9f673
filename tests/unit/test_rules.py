"""The rules of what is recommended: each leaves out what it names, and each mistake in a file is one sentence."""

import json
import os
import tomllib
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import ConfigurationError
from models.rules import DEFAULT, Rules, read_rules
from tests.complaints import complaint_of

DEFAULT_RULES = read_rules(None)
PRODUCTS = pd.DataFrame(
    {
        C.PRODUCT_ID: ["A", "B", "C", "D"],
        C.CATEGORY: ["Tea", "tea", None, "Fuel"],
        C.DEPARTMENT: ["Food", "Food", "Garden", None],
        C.PRICE: [1.0, 2.5, np.nan, 40.0],
    }
)
BUYERS = np.array([5, 9, 50, 500])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path / "shop.toml"


complaint = partial(complaint_of, read_rules)


def listed(rules: Rules) -> str:
    return "".join(rules.candidates(PRODUCTS, BUYERS))


def test_the_default_file_explains_every_key_and_leaves_nothing_out() -> None:
    assert set(tomllib.loads(DEFAULT.read_text())) == set(Rules.model_fields)
    assert listed(DEFAULT_RULES) == "ABCD"
    assert DEFAULT_RULES.unmet(PRODUCTS) == []


def test_an_empty_file_and_a_copy_are_the_default(shop: Path) -> None:
    for text in ("", DEFAULT.read_text()):
        shop.write_text(text)
        assert read_rules(shop) == DEFAULT_RULES


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("min_buyers = 10", "CD"),
        ("price_low = 2.5", "BD"),
        ("price_high = 2.5", "AB"),
        ("price_low = 2.5\nprice_high = 2.5", "B"),
        ("exclude_categories = ['TEA']", "CD"),
        ("exclude_departments = ['food', 'Garden']", "D"),
        ("exclude_products = ['A', 'D']", "BC"),
        ("exclude_products = ['a']", "ABCD"),
        ("again_after_days = 90\nper_category = 3\nlong_tail = 0", "ABCD"),
    ],
)
def test_each_rule_leaves_out_what_it_names(shop: Path, text: str, left: str) -> None:
    shop.write_text(text)
    assert listed(read_rules(shop)) == left


@pytest.mark.parametrize(
    "content",
    [
        "product_id\nB\nD\nnot sold here\n",
        "﻿name;Product_ID \r\nTea; B\r\nFuel;D\r\n\r\nshort\r\n",
        'product_id\tname\n"B"\t"two\nlines"\nD\t,\n',
    ],
)
def test_the_stock_is_read_from_beside_the_file(shop: Path, content: str) -> None:
    shop.write_text("in_stock = 'lists/stock.csv'")
    (shop.parent / "lists").mkdir()
    (shop.parent / "lists" / "stock.csv").write_text(content, newline="")
    assert listed(read_rules(shop)) == "BD"


def test_rules_are_plain_json_that_tells_one_stock_from_another(shop: Path) -> None:
    shop.write_text("in_stock = 'stock.csv'")
    told = []
    for content in ("product_id\nA\nB\n", "product_id\nB\nA\nA\n", "product_id\nA\nC\n"):
        (shop.parent / "stock.csv").write_text(content)
        told.append(json.dumps(read_rules(shop).as_json(), allow_nan=False))
    assert told[0] == told[1] != told[2]
    assert json.loads(told[0])["in_stock"]["products"] == 2


def test_a_slip_of_the_pen_is_told(shop: Path) -> None:
    shop.write_text("exclude_categories = ['tea', 'Fule']\nexclude_products = ['a', 'Z']\nin_stock = 'stock.csv'")
    (shop.parent / "stock.csv").write_text("product_id\nX\n")
    rules = read_rules(shop)
    assert rules.unmet(PRODUCTS) == [
        "exclude_categories names Fule, and no product has that.",
        "exclude_products names Z, and no product has that.",
        "in_stock names no product of the shop.",
    ]


def test_rules_that_leave_nothing_say_which_take_what(shop: Path) -> None:
    shop.write_text("price_high = 2.5\nexclude_departments = ['Food']")
    with pytest.raises(ConfigurationError) as caught:
        read_rules(shop).candidates(PRODUCTS, BUYERS)
    assert str(caught.value) == (
        "The rules leave nothing to recommend of 4 candidates (price_high 2.5 leaves out 2, exclude_departments leaves "
        "out 2); loosen them."
    )
    assert read_rules(shop).candidates(PRODUCTS[:0], BUYERS[:0]) == []


@pytest.mark.parametrize(
    ("text", "place", "fault"),
    [
        ("min_buyer = 5", "it", "the key min_buyer; it takes min_buyers, price_low"),
        ("min_buyers = 0", "min_buyers", "from 1 on, not 0"),
        ("min_buyers = true", "min_buyers", "not True"),
        ("price_low = -1", "price_low", "a price, or 0 for no bound"),
        ("price_high = inf", "price_high", "a price"),
        ("price_high = '5'", "price_high", "not '5'"),
        ("price_low = 5\nprice_high = 4.5", "it", "price_low 5 above price_high 4.5"),
        ("again_after_days = 1.5", "again_after_days", "a whole number of days"),
        ("per_category = 11", "per_category", "from 0 to 10"),
        ("long_tail = -1", "long_tail", "from 0 to 10"),
        ("exclude_categories = 'Tea'", "exclude_categories", "a list of texts"),
        ("exclude_departments = ['']", "exclude_departments", "a list of texts"),
        ('exclude_products = ["A\\nB"]', "exclude_products", "in one line"),
        ("exclude_products = [22633]", "exclude_products", "not [22633]"),
        ("in_stock = 5", "in_stock", "the path of a CSV file"),
        ("in_stock = true", "in_stock", "the path of a CSV file"),
        ("in_stock = ['stock.csv']", "in_stock", "the path of a CSV file"),
        ("in_stock = 'none.csv'", "in_stock", "none.csv cannot be opened (No such file or directory)"),
        ("in_stock = '.'", "in_stock", "and . is not"),
        ("in_stock = '/dev/zero'", "in_stock", "and /dev/zero is not"),
        ('in_stock = "a\\u0000b"', "in_stock", "a CSV file"),
    ],
)
def test_a_mistake_is_named_with_its_place(shop: Path, text: str, place: str, fault: str) -> None:
    shop.write_text(text)
    sentence = complaint(shop)
    assert sentence.startswith(f"shop.toml: {place} must ")
    assert fault in sentence


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is none"),
        (b"\n", "with one column product_id"),
        (b"product_id\n", "lists none"),
        (b"product_id\n ,\n", "lists none"),
        (b"id,name\n1,Tea\n", "with one column product_id, and stock.csv begins ['id', 'name']"),
        (b"product_id,product_id\n1,2\n", "with one column product_id"),
        (b"product_id\n\xff\xfe\n", "in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00", "in UTF-8"),
        (b"PK\x03\x04\x00\x00\x1b[31m\n", "with one column product_id"),
        (b'product_id\n"' + b"9" * 200_000, "larger than field limit"),
    ],
)
def test_what_is_no_list_of_stock_is_a_sentence(shop: Path, content: bytes, fault: str) -> None:
    shop.write_text("in_stock = 'stock.csv'")
    (shop.parent / "stock.csv").write_bytes(content)
    sentence = complaint(shop)
    assert sentence.startswith("shop.toml: in_stock must be ")
    assert fault in sentence


def test_a_file_that_is_no_file_of_rules_is_a_sentence(tmp_path: Path) -> None:
    assert "No such file" in complaint(tmp_path / "none.toml")
    assert "no file of rules" in complaint(Path(os.devnull))
    (tmp_path / "broken.toml").write_bytes(b"long_tail = [")
    assert "broken.toml is no TOML" in complaint(tmp_path / "broken.toml")


@given(
    key=st.sampled_from(sorted(Rules.model_fields)),
    value=st.text() | st.integers() | st.booleans() | st.floats(-9, 9) | st.lists(st.text(), max_size=2),
)
@how(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_is_taken_or_refused_in_a_sentence(shop: Path, key: str, value: Any) -> None:
    shop.write_text(f"{key} = {json.dumps(value)}".replace("\x7f", "\\u007f"))
    with suppress(ConfigurationError):
        assert read_rules(shop).model_dump().keys() == DEFAULT_RULES.model_dump().keys()
