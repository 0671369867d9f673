"""The file of segments: the default is whole, a copy may say less, and each mistake is one sentence with its place."""

import json
import tomllib
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dashboard.theme import SEGMENT_COLOURS
from db import result_schema
from errors import ConfigurationError
from models.configuration import COLOURS, DEFAULT, FEATURES, SCORES, GroupTable, Plan, read_plan
from tests.complaints import complaint_of

DEFAULT_PLAN = read_plan(None)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path / "shop.toml"


complaint = partial(complaint_of, read_plan)


def test_the_usual_eleven_eight_and_five() -> None:
    usual = [
        "Champions",
        "Loyal",
        "Potential loyalists",
        "New",
        "Promising",
        "Needs attention",
        "About to sleep",
        "At risk",
        "Cannot lose them",
        "Hibernating",
        "Lost",
    ]
    assert [group.name for group in DEFAULT_PLAN.table(5_000).groups] == usual
    sizes = {
        customers: len(DEFAULT_PLAN.table(customers).groups) for customers in (0, 1, 499, 500, 4_999, 5_000, 10**6)
    }
    assert sizes == {0: 5, 1: 5, 499: 5, 500: 8, 4_999: 8, 5_000: 11, 10**6: 11}


@pytest.mark.parametrize("table", DEFAULT_PLAN.tables, ids=lambda table: f"from {table.from_customers}")
def test_each_cell_is_in_exactly_one_group(table: GroupTable) -> None:
    cells = [cell for group in table.groups for cell in group.cells()]
    assert sorted(cells) == list(product(range(1, 6), repeat=2))


@pytest.mark.parametrize("table", DEFAULT_PLAN.tables, ids=lambda table: f"from {table.from_customers}")
def test_better_scores_never_lead_to_a_group_of_less_worth(table: GroupTable) -> None:
    """Customers to retain stand above and to the right of those to grow, these above those to leave alone."""
    play = {cell: group.play for group in table.groups for cell in group.cells()}
    for r, fm in play:
        if play[r, fm] == "retain":
            assert all(play[better] == "retain" for better in product(range(r, 6), range(fm, 6)))
        if play[r, fm] == "leave":
            assert all(play[worse] == "leave" for worse in product(range(1, r + 1), range(1, fm + 1)))


def test_a_name_looks_the_same_in_each_table() -> None:
    looks: dict[str, set[tuple[str, str]]] = {}
    for group in (group for table in DEFAULT_PLAN.tables for group in table.groups):
        looks.setdefault(group.name, set()).add((group.colour, group.emoji))
    assert all(len(of_name) == 1 for of_name in looks.values())


def test_colours_are_those_of_the_dashboard_and_features_those_of_the_results() -> None:
    assert set(COLOURS) == set(SEGMENT_COLOURS)
    assert set(FEATURES) <= set(result_schema.customer_segment.columns.keys())


def test_the_pictures_in_the_default_file_show_its_groups() -> None:
    rows = [line.split("|") for line in DEFAULT.read_text().splitlines() if line.startswith("#   FM ")]
    for at, table in enumerate(DEFAULT_PLAN.tables):
        shown = {
            (r, int(row[0][-2])): name.strip() for row in rows[5 * at : 5 * at + 5] for r, name in enumerate(row[1:], 1)
        }
        assert shown == {cell: group.name for group in table.groups for cell in group.cells()}


def test_the_plan_is_plain_json_and_can_be_read_again() -> None:
    told = json.loads(json.dumps(DEFAULT_PLAN.as_json(), allow_nan=False))
    assert told == DEFAULT_PLAN.as_json()
    assert Plan.model_validate(told) == DEFAULT_PLAN


def test_a_plan_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT_PLAN.clusters.winsorise = 0.1


def test_an_empty_file_is_the_default(shop: Path) -> None:
    shop.write_text("")
    assert read_plan(shop) == DEFAULT_PLAN


def test_a_copy_is_the_default(shop: Path) -> None:
    shop.write_text(DEFAULT.read_text())
    assert read_plan(shop) == DEFAULT_PLAN


def test_a_file_says_only_what_differs(shop: Path) -> None:
    shop.write_text('[scores]\nrecency = [7, 30, 90, 180]\n[clusters]\nmethod = "mixture"\nwinsorise = 0\n')
    plan = read_plan(shop)
    assert plan.scores.recency == (7, 30, 90, 180)
    assert plan.scores.frequency == "quantiles"
    assert (plan.clusters.method, plan.clusters.winsorise) == ("mixture", 0)
    assert plan.clusters.features == DEFAULT_PLAN.clusters.features
    assert plan.tables == DEFAULT_PLAN.tables


ONE_GROUP = {
    "name": "All",
    "colour": "other",
    "emoji": "👨‍👩‍👧",
    "play": "grow",
    "playbook": "Treat them alike.",
    "covers": [{"r": list(SCORES), "fm": list(SCORES)}],
}


def toml(value: Any) -> str:
    """A value as TOML; a dictionary as an inline table."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return (
        json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        if isinstance(value, str)
        else json.dumps(value)
    )


def one_table(**differing: Any) -> str:
    return f"tables = {toml([{'from_customers': 0, 'groups': [{**ONE_GROUP, **differing}]}])}"


def test_one_table_of_one_group_is_a_table(shop: Path) -> None:
    shop.write_text(one_table())
    plan = read_plan(shop)
    assert [group.name for group in plan.table(10**6).groups] == ["All"]
    assert plan.scores == DEFAULT_PLAN.scores


@pytest.mark.parametrize(
    ("text", "place", "fault"),
    [
        ("colour = 1", "it", "the key colour; it takes scores, clusters, tables"),
        ("scores = 1", "scores", "must be a table with the keys recency, frequency, monetary, quantiles"),
        ("[scores]\nrecencies = 1", "scores", "the key recencies"),
        ("[scores]\nrecency = [7, 30, 30, 180]", "scores, recency", "four rising cut points"),
        ("[scores]\nrecency = [7, 30, 90]", "scores, recency", "four rising cut points"),
        ("[scores]\nmonetary = [1, 2, 3, inf]", "scores, monetary", "four rising cut points"),
        ("[scores]\nfrequency = 'quantile'", "scores, frequency", "not 'quantile'"),
        ("[scores]\nfrequency = 2024-01-31", "scores, frequency", "four rising cut points"),
        ("[scores]\nquantiles = [20, 40, 60, 80]", "scores, quantiles", "between 0 and 1"),
        ("[scores]\nquantiles = [0.2, 0.4, 0.6, nan]", "scores, quantiles", "between 0 and 1"),
        ("[clusters]\nmethod = 'k-means'", "clusters, method", '"kmeans" or "mixture"'),
        ("[clusters]\nfeatures = ['recency_days', 'age']", "clusters, features", "not ['recency_days', 'age']"),
        ("[clusters]\nfeatures = ['frequency', 'frequency']", "clusters, features", "different features"),
        ("[clusters]\nfeatures = []", "clusters, features", "recency_days, frequency, monetary"),
        ("[clusters]\nfeatures = 'frequency'", "clusters, features", "a list"),
        ("[clusters]\nwinsorise = 0.5", "clusters, winsorise", "from 0 to 0.2"),
        ("[clusters]\nwinsorise = true", "clusters, winsorise", "from 0 to 0.2"),
        (f"[clusters]\nwinsorise = {'9' * 400}", "clusters, winsorise", "from 0 to 0.2"),
        ("tables = 5", "tables", "must be a list of tables"),
        ("tables = [5]", "tables 1", "must be a table"),
        ("tables = []", "it", "one with from_customers = 0"),
        ("[[tables]]\nfrom_customers = 0", "tables 1, groups", "must be there"),
        ("[[tables]]\nfrom_customers = 0\ngroups = 1", "tables 1, groups", "must be a list of tables"),
        (one_table(name=" All"), "tables 1, groups 1 ( All), name", "without blanks"),
        (one_table(name=5), "tables 1, groups 1, name", "must be a text"),
        (one_table(name="A\nB"), "tables 1, groups 1 (A\\nB), name", "in one line"),
        (one_table(colour="pink"), "tables 1, groups 1 (All), colour", "one of champions, loyal"),
        (one_table(colour=["new"]), "tables 1, groups 1 (All), colour", "one of champions, loyal"),
        (one_table(emoji=""), "tables 1, groups 1 (All), emoji", "an emoji"),
        (one_table(play="sell"), "tables 1, groups 1 (All), play", "one of retain, grow, win_back, leave"),
        (one_table(playbook="x" * 401), "tables 1, groups 1 (All), playbook", "1 to 400 characters"),
        (one_table(covers=[]), "tables 1, groups 1 (All), covers", "must not be empty"),
        (one_table(covers=[{"r": [1]}]), "tables 1, groups 1 (All), covers 1, fm", "must be there"),
        (one_table(covers=[{"r": [0], "fm": [1]}]), "tables 1, groups 1 (All), covers 1, r", "scores from 1 to 5"),
        (one_table(covers=[{"r": [True], "fm": [1]}]), "tables 1, groups 1 (All), covers 1, r", "not [True]"),
        (one_table(covers=[{"r": [1], "fm": 1}]), "tables 1, groups 1 (All), covers 1, fm", "a list of scores"),
        (one_table(covers=[{"r": [1, 1], "fm": list(SCORES)}]), "tables 1", "r 1 fm 2 by All and All"),
    ],
)
def test_a_mistake_is_named_with_its_place(shop: Path, text: str, place: str, fault: str) -> None:
    shop.write_text(text)
    sentence = complaint(shop)
    assert sentence.startswith(f"shop.toml: {place} must ")
    assert fault in sentence


def test_a_hole_and_an_overlap_are_named_by_their_cells(shop: Path) -> None:
    text = DEFAULT.read_text()
    hibernating = "covers = [{ r = [2], fm = [1, 2] }]"
    shop.write_text(text.replace(hibernating, "covers = [{ r = [3], fm = [2] }]", 1))
    assert complaint(shop) == (
        "shop.toml: tables 1 must cover each cell of the grid once: no group covers r 2 fm 1, r 2 fm 2; "
        "twice covered are r 3 fm 2 by About to sleep and Hibernating."
    )
    shop.write_text(text.replace(hibernating, "covers = [{ r = [2, 3], fm = [1, 2] }]", 1))
    twice = ", ".join(f"r 3 fm {fm} by About to sleep and Hibernating" for fm in (1, 2))
    assert complaint(shop).endswith(f"grid once: twice covered are {twice}.")


def test_two_groups_or_tables_alike_are_named(shop: Path) -> None:
    text = DEFAULT.read_text()
    shop.write_text(text.replace('"Lost"', '"loyal"', 1))
    assert complaint(shop).endswith("a name of its own, and loyal comes twice.")
    shop.write_text(text.replace("from_customers = 5000", "from_customers = 500"))
    assert complaint(shop).endswith("only one of its tables with from_customers = 500.")


def test_what_is_no_file_of_segments_is_a_sentence(tmp_path: Path) -> None:
    assert "No such file" in complaint(tmp_path / "none.toml")
    assert "directory" in complaint(tmp_path)
    assert "pipe or device" in complaint(Path("/dev/zero"))
    for name, content in {
        "broken": b"[scores",
        "latin": "name = 'é'".encode("latin-1"),
        "deep": b"a = " + b"[" * 100_000,
        "long": b"a = " + b"9" * 5_000,
    }.items():
        path = tmp_path / f"{name}.toml"
        path.write_bytes(content)
        assert f"{name}.toml is no TOML" in complaint(path)


plain = st.recursive(
    st.none().map(lambda _: 0)
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(0, 1)
    | st.sampled_from(["new", "r", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["r", "fm", "x"]), inner, max_size=2),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """The default plan with one value anywhere taken away or replaced."""
    whole = part = tomllib.loads(DEFAULT.read_text())
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = draw(st.sampled_from(keys))
        if not (isinstance(part[key], dict | list) and part[key]) or draw(st.integers(0, 3)) == 0:
            break
        part = part[key]
    if draw(st.booleans()):
        del part[key]
    else:
        part[key] = draw(plain)
    return whole


@given(damaged())
def test_whatever_the_file_holds_it_is_a_plan_or_one_sentence(told: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.toml"
        path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in told.items()))
        try:
            tables = read_plan(path).tables
        except ConfigurationError:
            assert complaint(path).startswith("damaged.toml: ")
        else:
            assert all(len([cell for group in table.groups for cell in group.cells()]) == 25 for table in tables)
