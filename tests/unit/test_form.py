"""Facts about how a file is written: what was found is said, and what a mapping says is not looked for."""

from pathlib import Path

import pytest

from errors import InputError
from etl.readers import open_source
from etl.readers.base import Form

TABLE = "Order ID;SKU;Qty;Price;Date\n1;Café;2;1,5;31.12.2010\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(f"Our sales\n\n{TABLE}", encoding="cp1252")
    return path


def test_what_was_found_is_said_and_finds_the_same_again(path: Path) -> None:
    found = open_source(str(path))
    assert found.form == Form(encoding="cp1252", delimiter=";", header_line=3)
    again = open_source(str(path), form=found.form)
    assert (again.form, again.columns) == (found.form, found.columns)
    assert next(iter(again.batches())).to_pylist() == next(iter(found.batches())).to_pylist()


def test_a_mark_of_utf_8_is_no_part_of_the_first_column(path: Path) -> None:
    path.write_text(TABLE, encoding="utf-8-sig")
    for form in (Form(), Form(encoding="utf-8")):
        source = open_source(str(path), form=form)
        assert (source.columns[0], source.form.encoding) == ("Order ID", "utf-8")


def test_what_is_given_rules(path: Path) -> None:
    assert open_source(str(path), form=Form(header_line=1)).columns == ["Our sales"]
    assert open_source(str(path), form=Form(delimiter=",", header_line=3)).columns == ["Order ID;SKU;Qty;Price;Date"]
    turkish = open_source(str(path), form=Form(encoding="iso8859-9"))
    assert next(iter(turkish.batches())).column("SKU").to_pylist() == ["Café"]


def test_what_is_given_and_does_not_fit_is_one_sentence(path: Path) -> None:
    with pytest.raises(InputError, match=r"sales\.csv is not written in utf-8; mend the mapping"):
        open_source(str(path), form=Form(encoding="utf-8"))
    for line in (2, 40):
        with pytest.raises(InputError, match=f"no column names on line {line}; mend the mapping"):
            open_source(str(path), form=Form(header_line=line))
