"""Facts about the notebook: it runs on any shop, answers or says why not, and is committed as it ran."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from sqlalchemy import Engine

from db import snapshot
from db.columns import Columns as C
from db.queries import exploration
from errors import NotEnoughDataError
from etl.load import load
from etl.readers import open_source
from settings import Settings
from tests import test_architecture as house
from tools.notebook import NOTEBOOK, executed

PICTURES = 13
HERE = re.compile(r"/(?:home|root|tmp|Users|work|usr|var)/|[A-Z]:\\")


def cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in cells(notebook) for output in cell.outputs]


def sentences(notebook: Any) -> list[str]:
    return [output.data["text/markdown"] for output in outputs(notebook) if "text/markdown" in output.get("data", {})]


def pictures(notebook: Any) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def findings(notebook: Any) -> str:
    """What stands at the top once all has run."""
    return sentences(notebook)[0]


def must_be_clean(notebook: Any) -> None:
    """No error, no warning, nothing printed, no path of a machine, no number that is none."""
    for output in outputs(notebook):
        assert output.output_type == "display_data", output
        told = output.data.get("text/markdown", "")
        assert not re.search(r"\b(nan|inf|None|NaT)\b|Error", told), told
        assert not HERE.search("".join(text for kind, text in output.data.items() if kind.startswith("text/")))


def put(lines: list[dict[str, object]], engine: Engine, settings: Settings, path: Path) -> None:
    """Load these lines as a shop would."""
    pd.DataFrame(lines).to_csv(path, index=False)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)


def line(order: str, customer: str, day: str, price: float, quantity: int = 1) -> dict[str, object]:
    return {
        C.ORDER_ID: order,
        C.CUSTOMER_ID: customer,
        C.PRODUCT_ID: "p",
        C.ORDERED_AT: day,
        C.QUANTITY: quantity,
        C.UNIT_PRICE: price,
    }


def test_on_a_shop_every_question_is_answered(sample_shop: Settings) -> None:
    notebook = executed(sample_shop)
    must_be_clean(notebook)
    assert pictures(notebook) == PICTURES
    told = "\n".join(sentences(notebook))
    assert "Not shown" not in told
    data = snapshot.open_newest(sample_shop.data_dir)
    customers = data.scalar("SELECT count(*) FROM customer_segment")
    revenue = data.scalar("SELECT sum(amount) FROM transaction_line")
    once = data.scalar("SELECT count(*) FILTER (frequency = 1) / count(*) FROM customer_segment")
    assert f"| customers | {customers:,} |" in told
    assert f"brought \\${revenue:,.0f}" in findings(notebook)
    assert f"{once:.1%} ordered only once" in findings(notebook)
    published = data.frame("SELECT segment FROM segment_profile WHERE grouping = 'segment'")["segment"]
    assert set(re.findall(r"^- \*\*(.+?)\*\*:", told, re.MULTILINE)) == set(published)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param(
            [line("1", "anne", "2024-03-01 10:00", 5.0), line("2", "", "2024-03-02 11:00", 7.5)],
            ["1 customer", "Guests brought 60% of it", "Distributions need 10 customers", "1 segment"],
            id="one customer and a guest",
        ),
        pytest.param(
            [line(str(day), "", f"2024-01-{day:02} 09:00", 3.0) for day in range(1, 32)],
            ["Guests brought 100% of it", "Segments need at least one customer"],
            id="guests alone",
        ),
        pytest.param(
            [line(str(who), f"c{who}", "2024-01-05 09:00", 4.0) for who in range(40)]
            + [line(f"b{who}", f"c{who}", "2024-01-06 09:00", 4.0, -2) for who in range(40)],
            ["brought −", "1 segment", "A Lorenz curve needs 10 customers who brought revenue"],
            id="all alike, and all returned twice over",
        ),
    ],
)
def test_on_an_awkward_shop_it_says_what_cannot_be_shown(
    lines: list[dict[str, object]], said: list[str], engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    put(lines, engine, settings, tmp_path / "lines.csv")
    notebook = executed(settings)
    must_be_clean(notebook)
    told = "\n".join(sentences(notebook))
    assert "**Not shown.**" in told
    for words in said:
        assert words in told


def test_without_data_it_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(NotEnoughDataError, match="Nothing has been loaded yet"):
        executed(settings)


def test_days_without_a_sale_count_and_an_order_knows_the_one_before(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    lines = [
        line("1", "anne", "2024-03-01 10:00", 5.0),
        line("2", "anne", "2024-03-04 22:00", 2.0, 3),
        line("2", "anne", "2024-03-04 22:00", 1.0),
        line("3", "anne", "2024-03-05 09:00", 4.0, -1),
        line("4", "", "2024-03-01 11:00", 7.0),
        line("5", "", "2024-03-05 12:00", 8.0),
    ]
    put(lines, engine, settings, tmp_path / "lines.csv")
    data = snapshot.open_newest(settings.data_dir)
    days = exploration.days(data)
    assert list(days["revenue"]) == [12, 0, 0, 7, 4]
    assert list(days["orders"]) == [2, 0, 0, 1, 1]
    orders = exploration.orders(data, most=10).sort_values(C.AMOUNT)
    assert list(orders[C.AMOUNT]) == [5, 7, 7, 8]
    assert sorted(orders[C.GAP].dropna()) == [3.5]
    assert len(exploration.orders(data, most=2)) == 2
    told = exploration.loaded(data)
    assert (told["orders"], told["customers"], told["revenue"], told["guest_revenue"]) == (4, 1, 23, 15)
    assert (told["returned_lines"], told["returned"]) == (1, 4)


def test_as_committed_it_has_run_and_shows_nothing_of_the_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    must_be_clean(notebook)
    in_order = [cell.execution_count for cell in cells(notebook)]
    assert in_order == list(range(1, len(in_order) + 1)), "run `make notebook` on the sample"
    assert pictures(notebook) == PICTURES, "run `make notebook` on the sample"
    assert len(findings(notebook).splitlines()) > 8, "run `make notebook` on the sample"
    assert "Not shown" not in "\n".join(sentences(notebook))
    assert len(text) < 1_500_000
    assert not HERE.search("".join(cell.source for cell in notebook.cells))


@pytest.mark.parametrize(
    "rule", [house.drivers_stay_in_db, house.sql_stays_in_db, house.settings_alone_read_the_environment]
)
def test_its_code_keeps_the_house_rules(rule: house.Rule) -> None:
    notebook = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    for cell in cells(notebook):
        code = "\n".join("" if text.startswith("%") else text for text in cell.source.splitlines())
        assert list(rule(house.Source("notebooks/exploration.py", ast.parse(code)))) == []
