"""Facts about mapping files: what is written is read again as it was; what does not fit is named by its key."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.columns import Columns as C
from errors import ConfigurationError, InputError
from etl.mapping import Layout
from etl.mapping import given as fitting
from etl.mapping_file import as_dict, from_dict, read, written
from etl.meanings import KINDS, NUMBERS
from etl.readers.base import Form, Source

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    kind = draw(st.sampled_from(list(KINDS)))
    names = st.sampled_from(list(KINDS[kind].names))
    return Layout(
        columns=draw(st.dictionaries(names, texts, min_size=1)),
        kind=kind,
        constants=draw(st.dictionaries(names, texts)),
        carried=tuple(draw(st.lists(names, unique=True))),
        discount_is=draw(st.sampled_from(["money", "fraction", "percent", "each"])),
        amount_is=draw(st.sampled_from(["net", "gross"])),
        cancelled_by_c=draw(st.booleans()),
        day_first=draw(st.sampled_from([None, True, False])),
        decimals=draw(st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from([".", ","]))),
    )


forms = st.builds(
    Form,
    encoding=st.sampled_from([None, "utf-8", "cp1252"]),
    delimiter=st.sampled_from([None, ",", "\t"]),
    header_line=st.none() | st.integers(1, 20),
    sheet=st.none() | texts,
)


@given(layouts(), forms, texts, st.lists(texts))
def test_a_mapping_is_read_as_it_was_written(layout: Layout, form: Form, name: str, columns: list[str]) -> None:
    text = written(layout, form, name, columns)
    assert from_dict(tomllib.loads(text), "a mapping") == (layout, form)
    assert from_dict(json.loads(json.dumps(as_dict(layout, form))), "a load") == (layout, form)


def test_a_mapping_file_explains_itself_and_lists_what_else_the_file_has() -> None:
    text = written(Layout({C.ORDER_ID: "Bon"}), Form(), "sales.csv", ["Bon", "Wann\n"])
    assert '# = "Wann\\n"' in text
    assert "# ordered_at =" in text
    assert all(line.startswith(("#", "[")) or "=" in line or not line for line in text.splitlines())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colums": {}}, "key colums of m.toml is not known; it must be one of kind, columns"),
        ({"kind": "sales"}, "key kind of m.toml does not fit; it must be one of orders"),
        ({"kind": []}, "key kind"),
        ({"columns": {"order": "Bon"}}, "key columns .* a table of column names by what they mean"),
        ({"columns": {"order_id": 1}}, "key columns"),
        ({"constants": {"quantity": 1}}, "key constants .* a table of texts"),
        ({"constants": {"quantity": "\x00"}}, "key constants"),
        ({"carried": "order_id"}, "key carried .* a list of meanings"),
        ({"discount_is": "rebate"}, "key discount_is .* money, fraction, percent, each"),
        ({"amount_is": True}, "key amount_is .* net, gross"),
        ({"day_first": "yes"}, "key day_first .* true or false"),
        ({"decimals": {"quantity": ";"}}, "key decimals"),
        ({"file": []}, "key file"),
        ({"file": {"encoding": "utf-9"}}, "key file.encoding .* cp1252"),
        ({"file": {"delimiter": "::"}}, "key file.delimiter"),
        ({"file": {"header_line": 0}}, "key file.header_line .* from 1"),
        ({"file": {"header_line": 10**20}}, "key file.header_line"),
        ({"file": {"header_line": True}}, "key file.header_line"),
        ({"file": {"skip": 1}}, "key file.skip of m.toml is not known"),
    ],
)
def test_what_does_not_fit_is_named_by_its_key(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        from_dict({"columns": {"order_id": "Bon"}, **change}, "m.toml")


def test_a_file_that_is_no_mapping_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="key columns"):
        from_dict({}, "m.toml")
    for content in (b"a,b\n1,2\n", b"\xff\xfe"):
        (tmp_path / "m.toml").write_bytes(content)
        with pytest.raises(ConfigurationError, match="is no mapping file"):
            read(tmp_path / "m.toml")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        read(tmp_path / "nowhere.toml")


def test_a_mapping_must_fit_the_file() -> None:
    source = Source("sales.csv", "", ["Bon", "Wann", "Was", "Preis"], 0, lambda: iter(()))
    layout = Layout({C.ORDER_ID: "Bon", C.ORDERED_AT: "Wann", C.PRODUCT_NAME: "Was", C.UNIT_PRICE: "Preis"})
    assert fitting(layout, source) == layout
    with pytest.raises(InputError, match=r"names the columns Beleg, and sales\.csv has none"):
        fitting(Layout({**layout.columns, C.ORDER_ID: "Beleg"}), source)
    with pytest.raises(InputError, match=r"for ordered_at, unit_price \(or amount\)"):
        fitting(Layout({C.ORDER_ID: "Bon", C.PRODUCT_NAME: "Was"}), source)
