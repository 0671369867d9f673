"""Facts about files of customers, products, events and campaigns: accounted for, and taken out again."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import accounts, loads, schema, snapshot
from db.queries import features
from errors import ConfigurationError, InputError
from etl import kinds
from etl.__main__ import app
from etl.load import Outcome, load
from etl.mapping import detect
from etl.meanings import Kind
from etl.readers import open_source
from settings import Settings

FILES: dict[Kind, str] = {
    "customers": """Customer ID,Country,Age,Accepts Marketing,Favourite Colour
ann,France,34,yes,red
bob,,,no,
ann,,35,,
,Spain,20,yes,blue
cid,Spain,20,perhaps,blue
""",
    "products": """SKU,Title,Category,Vendor,Cost per item
A,Lamp,Home,Own,1.25
B,Chair,Home,,x
C,Postage,,,
""",
    "events": """user_id,event_type,event_time,product_id
ann,addToCart,2024-01-05 10:00:00,A
ann,page view,2024-01-05 09:59:00,A
dot,Search,2024-02-01 10:00:00,
,view,2024-02-01 10:00:00,A
ann,view,yesterday,A
""",
    "campaigns": """campaign_id,campaign name,start date,end date,customer id,group,product id
1,Spring,2024-03-01,2024-03-31,ann,test,
1,,,,bob,control,
1,,,,eve,,
1,,,,,,A
2,Autumn,2024-09-30,2024-09-01,ann,,
""",
}


def put(engine: Engine, directory: Path, kind: Kind, content: str = "") -> Outcome:
    path = directory / f"{kind}.csv"
    path.write_text(content or FILES[kind])
    source = open_source(str(path))
    return load(engine, source, layout=detect(source, kind))


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def reasons(outcome: Outcome) -> dict[str, int]:
    return {reason: count for reason, (count, _) in outcome.load.rejected.items()}


def test_customers_bring_attributes_under_their_own_names(engine: Engine, tmp_path: Path) -> None:
    done = put(engine, tmp_path, "customers")
    assert rows(engine, "SELECT * FROM customer ORDER BY 1") == [
        ("ann", "France", {"age": "35", "consent": True, "favourite_colour": "red"}),
        ("bob", None, {"consent": False}),
    ]
    assert reasons(done) == {"missing_customer_id": 1, "invalid_consent": 1}
    assert (done.load.rows_read, done.load.rows_accepted, done.load.amount_read) == (5, 3, Decimal())


@pytest.mark.parametrize(
    ("columns", "answers"),
    [
        ("Accepts Email Marketing", {"yes": True, "no": False, "": None}),
        ("Email Subscription Status", {"Subscribed": True, "Never subscribed": False, "pending": False}),
        ("Opted-Out", {"yes": False, "no": True, "": None}),
        ("do_not_email", {"1": False, "0": True}),
        ("Newsletter,Accepts Marketing", {"yes,no": False, "no,yes": False, "yes,": True, ",": None, "yes,yes": True}),
        ("Consent,Unsubscribed", {"yes,yes": False, "yes,no": True, ",yes": False, "no,no": False}),
    ],
)
def test_who_refuses_in_any_column_does_not_agree(
    engine: Engine, tmp_path: Path, columns: str, answers: dict[str, bool | None]
) -> None:
    lines = [f"c{place},{cells}\n" for place, cells in enumerate(answers)]
    put(engine, tmp_path, "customers", f"customer id,{columns}\n{''.join(lines)}")
    found = rows(engine, "SELECT CAST(attributes ->> 'consent' AS boolean) FROM customer ORDER BY customer_id")
    assert [answer for (answer,) in found] == list(answers.values())


def test_the_catalogue_goes_before_what_orders_say(engine: Engine, tmp_path: Path) -> None:
    put(engine, tmp_path, "products")
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer_id,product_id,product_name,ordered_at,quantity,unit_price\n1,ann,A,Light,2024-01-01,1,2\n"
    )
    load(engine, open_source(str(path)))
    query = "SELECT product_id, name, category, brand, cost::float, is_service FROM product ORDER BY 1"
    assert rows(engine, query) == [
        ("A", "Lamp", "Home", "Own", 1.25, False),
        ("C", "Postage", None, None, None, True),
    ]
    loads.undo(engine, 1)
    assert rows(engine, query) == [("A", "Light", None, None, None, False)]


def test_events_are_known_by_their_usual_types(engine: Engine, tmp_path: Path) -> None:
    done = put(engine, tmp_path, "events")
    assert rows(engine, "SELECT customer_id, type, product_id FROM interaction_event ORDER BY occurred_at") == [
        ("ann", "view", "A"),
        ("ann", "cart", "A"),
        ("dot", "search", None),
    ]
    assert reasons(done) == {"missing_customer_id": 1, "unparseable_date": 1}
    assert rows(engine, "SELECT customer_id FROM customer ORDER BY 1") == [("ann",), ("dot",)]
    assert done.load.months == ["2024-01", "2024-02"]


def test_the_same_event_again_is_already_loaded(engine: Engine, tmp_path: Path) -> None:
    put(engine, tmp_path, "events")
    more = put(engine, tmp_path, "events", FILES["events"] + "bob,view,2024-02-02,A\n")
    assert (more.load.rows_accepted, reasons(more)["already_loaded"]) == (1, 3)
    loads.undo(engine, 1)
    assert rows(engine, "SELECT count(*), count(DISTINCT load_id) FROM interaction_event") == [(4, 1)]
    assert accounts.report(engine, 2).load.rows_accepted == 4


def test_campaigns_have_members_treated_or_held_out_and_products(engine: Engine, tmp_path: Path) -> None:
    done = put(engine, tmp_path, "campaigns")
    assert rows(engine, "SELECT campaign_id, name, starts_at::text, ends_at::text FROM campaign") == [
        ("1", "Spring", "2024-03-01 00:00:00", "2024-03-31 00:00:00")
    ]
    assert rows(engine, "SELECT customer_id, treated FROM campaign_member ORDER BY 1") == [
        ("ann", True),
        ("bob", False),
        ("eve", True),
    ]
    assert rows(engine, "SELECT * FROM campaign_product") == [("1", "A")]
    assert reasons(done) == {"ends_before_it_starts": 1}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_counts_once_and_can_be_taken_out_again(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    first = put(engine, tmp_path, kind)
    assert first.load.kind == kind
    assert not put(engine, tmp_path, kind).fresh
    loads.undo(engine, first.load.load_id)
    tables = [table.name for table in (*schema.RECORD_TABLES, schema.rejected_row)]
    assert {rows(engine, f"SELECT count(*) FROM {table}")[0] for table in tables} == {(0,)}
    assert put(engine, tmp_path, kind).fresh


def test_a_file_of_which_nothing_fits_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of the 1 rows .*\(negative_cost: 1\)"):
        put(engine, tmp_path, "products", "SKU,cost\nA,-1\n")
    assert rows(engine, "SELECT count(*) FROM load") == [(0,)]


def test_the_sample_brings_its_campaigns(engine: Engine) -> None:
    load(engine, open_source("sample", households=100))
    assert rows(engine, "SELECT count(*), count(starts_at) FROM campaign") == [(27, 27)]
    stray = "NOT EXISTS (SELECT FROM customer WHERE customer.customer_id = named.customer_id)"
    for table in ("campaign_member", "interaction_event"):
        assert rows(engine, f"SELECT count(*) FROM {table}")[0][0] > 0  # type: ignore[operator]
        assert rows(engine, f"SELECT count(*) FROM {table} AS named WHERE {stray}") == [(0,)]
    load(engine, open_source("sample", households=110))
    loads.undo(engine, 1)
    whole = rows(engine, "SELECT type, count(*) FROM interaction_event GROUP BY 1")
    loads.undo(engine, 2)
    load(engine, open_source("sample", households=110))
    assert rows(engine, "SELECT type, count(*) FROM interaction_event GROUP BY 1") == whole


def test_the_snapshot_carries_it(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    for kind in FILES:
        put(engine, tmp_path, kind)
    snapshot.refresh(engine, settings.data_dir)
    shop = snapshot.open_newest(settings.data_dir)
    for table in ("customer", "product", "campaign", "campaign_member", "campaign_product", "interaction_event"):
        held = rows(engine, f"SELECT count(*) FROM {table}")[0][0]
        assert shop.scalar(f"SELECT count(*) FROM {table}") == held != 0
    assert shop.scalar("SELECT count(*) FROM transaction_line") == 0
    assert shop.scalar("SELECT customer_id FROM campaign_member WHERE NOT treated") == "bob"


def test_who_never_bought_is_no_buyer(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    for kind in FILES:
        put(engine, tmp_path, kind)
    path = tmp_path / "orders.csv"
    path.write_text("order_id,customer_id,product_id,ordered_at,quantity,unit_price\n1,ann,A,2024-01-01,1,2\n")
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    shop, as_of = snapshot.open_newest(settings.data_dir), datetime.fromisoformat("2024-06-01")
    assert features.purchases(shop, as_of)["customer_id"].tolist() == ["ann"]
    assert features.customer_periods(shop, [as_of], "raw").ids.tolist() == ["ann"]


# the command


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("etl.__main__.load_settings", lambda: settings)
    return CliRunner()


def test_the_command_loads_each_kind_and_replaces(command: CliRunner, engine: Engine, tmp_path: Path) -> None:
    for number, (kind, content) in enumerate(FILES.items(), start=1):
        path = tmp_path / f"{kind}.csv"
        path.write_text(content)
        said = command.invoke(app, ["load", str(path), "--as", kind])
        assert (said.exit_code, said.stderr) == (0, "")
        assert f"{kind}.csv is loaded (load {number})." in said.stdout
    path = tmp_path / "customers.csv"
    path.write_text(FILES["customers"].replace("cid,Spain,20,perhaps", "cid,Spain,20,yes"))
    assert command.invoke(app, ["load", str(path), "--as", "customers", "--replace", "1"]).exit_code == 0
    assert rows(engine, "SELECT count(*) FROM customer WHERE attributes ? 'consent'") == [(3,)]
    assert accounts.report(engine, 1).load.status == "replaced"
    said = command.invoke(app, ["load", str(path), "--as", "customers", "--replace", "1"])
    assert "is already loaded (load 5)" in said.stdout
    said = command.invoke(app, ["load", str(tmp_path), "--as", "customers", "--replace", "5"])
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)


def test_a_load_takes_the_place_of_its_own_kind_alone(engine: Engine, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,product_id,ordered_at,unit_price\n1,A,2024-01-31,2\n")
    first = load(engine, open_source(str(orders))).load.load_id
    path = tmp_path / "customers.csv"
    path.write_text(FILES["customers"])
    source = open_source(str(path))
    with pytest.raises(ConfigurationError, match=r"Load 1 \(orders.csv\) is of orders, and customers.csv of customers"):
        load(engine, source, layout=detect(source, "customers"), replaces=first)
    assert accounts.report(engine, first).load.status == "done"
    assert rows(engine, "SELECT count(*) FROM transaction_line") == [(1,)]


PRODUCT, PERSON = "product_id,name,cost\nA,Lamp,2\n", "customer_id,country,consent\nann,France,yes\n"
EVENT = "customer_id,type,occurred_at,product_id\nann,view,2024-01-31,A\n"
CAMPAIGN = "campaign_id,name,starts_at,ends_at,customer_id,treated\n1,Spring,2024-03-01,2024-04-01,ann,yes\n"


FAULTS: Sequence[tuple[Kind, str, str, str | None]] = [
    ("products", PRODUCT, "B,\x81,2", None),
    ("products", PRODUCT, "B\ufffd,Chair,2", "encoding_damage"),
    ("products", PRODUCT, f"{'B' * 201},Chair,2", "id_too_long"),
    ("products", PRODUCT, f"B,{'C' * 10_001},2", "text_too_long"),
    ("products", PRODUCT, " ,Chair,2", "missing_product_id"),
    ("products", PRODUCT, "B,Chair,two", "invalid_cost"),
    ("products", PRODUCT, "B,Chair,1e12", "cost_out_of_range"),
    ("products", PRODUCT, "B,Chair,-0.01", "negative_cost"),
    ("products", PRODUCT, "B,Chair,", None),
    ("customers", PERSON, ",Spain,no", "missing_customer_id"),
    ("customers", PERSON, "bob,Spain,perhaps", "invalid_consent"),
    ("customers", PERSON, "bob,,", None),
    ("events", EVENT, ",view,2024-01-31,A", "missing_customer_id"),
    ("events", EVENT, "bob,,2024-01-31,A", "missing_type"),
    ("events", EVENT, "bob,view,,A", "missing_date"),
    ("events", EVENT, "bob,view,2024-02-30,A", "unparseable_date"),
    ("events", EVENT, "bob,view,2199-01-01,A", "date_in_future"),
    ("events", EVENT, "bob,view,2024-01-31,", None),
    ("campaigns", CAMPAIGN, ",Spring,2024-03-01,2024-04-01,ann,yes", "missing_campaign_id"),
    ("campaigns", CAMPAIGN, "2,Spring,2024-13-01,2024-04-01,ann,yes", "unparseable_date"),
    ("campaigns", CAMPAIGN, "2,Spring,2024-05-01,2024-04-01,ann,yes", "ends_before_it_starts"),
    ("campaigns", CAMPAIGN, "2,Spring,2024-03-01,2024-04-01,ann,perhaps", "invalid_treated"),
    ("campaigns", CAMPAIGN, "2,Spring,,,ann,control", None),
]


@pytest.mark.parametrize(("kind", "good", "row", "reason"), FAULTS)
def test_each_fault_has_its_reason(
    engine: Engine, tmp_path: Path, kind: Kind, good: str, row: str, reason: str | None
) -> None:
    done = put(engine, tmp_path, kind, f"{good}{row}\n")
    assert reasons(done) == ({} if reason is None else {reason: 1})
    assert (done.load.rows_read, done.load.rows_accepted) == (2, 2 if reason is None else 1)


def test_every_reason_is_among_the_facts() -> None:
    assert {reason for *_, reason in FAULTS} - {None} == set(kinds.REASONS) - {"nul_character"}
