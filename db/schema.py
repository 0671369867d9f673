"""The record: every table of the design, its grain stated above it.

Facts carry no foreign keys to customer and product: the load writes those rows in the same transaction, a test
proves that none is missing, and checking each of millions of lines would cost more than reading them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.columns import Columns as C

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(18, 4)
QUANTITY = Numeric(18, 3)
PRICE = Numeric(18, 6)

# one file loaded; status done, or undone or replaced once its lines are taken out again
load = Table(
    "load",
    metadata,
    Column(C.LOAD_ID, Integer, Identity(), primary_key=True),
    Column(C.NAME, Text, nullable=False),
    Column(C.KIND, Text, nullable=False, server_default="orders"),
    Column("sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("replaces", Integer),
    Column("options", JSONB, nullable=False, server_default="{}"),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("rows_accepted", BigInteger, nullable=False, server_default="0"),
    Column("rows_rejected", BigInteger, nullable=False, server_default="0"),
    Column("amount_read", MONEY, nullable=False, server_default="0"),
    Column("amount_accepted", MONEY, nullable=False, server_default="0"),
    Column("amount_rejected", MONEY, nullable=False, server_default="0"),
    Column("returns", BigInteger, nullable=False, server_default="0"),
    Column("rejected_by_reason", JSONB, nullable=False, server_default="{}"),
    Column("months", ARRAY(Text), nullable=False, server_default="{}"),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", DateTime(timezone=True)),
    Index(None, "sha256", C.KIND, unique=True, postgresql_where=text("status = 'done'")),
)

# one refused input row; its month may be known, and where another load's line stands for it, raw names that line
rejected_row = Table(
    "rejected_row",
    metadata,
    Column(C.LOAD_ID, Integer, primary_key=True, autoincrement=False),
    Column(C.ROW_NUMBER, BigInteger, primary_key=True, autoincrement=False),
    Column(C.REASON, Text, nullable=False),
    Column(C.AMOUNT, MONEY),
    Column(C.ORDERED_AT, DateTime),
    Column(C.RAW, JSONB, nullable=False),
)

# one customer
customer = Table(
    "customer",
    metadata,
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    Column(C.COUNTRY, Text),
    Column(C.ATTRIBUTES, JSONB, nullable=False, server_default="{}"),
)

# one product
product = Table(
    "product",
    metadata,
    Column(C.PRODUCT_ID, Text, primary_key=True),
    Column(C.NAME, Text),
    Column(C.CATEGORY, Text),
    Column(C.DEPARTMENT, Text),
    Column(C.BRAND, Text),
    Column(C.COST, PRICE),
    Column(C.IS_SERVICE, Boolean, nullable=False, server_default=text("false")),
)

# one campaign
campaign = Table(
    "campaign",
    metadata,
    Column(C.CAMPAIGN_ID, Text, primary_key=True),
    Column(C.NAME, Text),
    Column(C.TYPE, Text),
    Column(C.STARTS_AT, DateTime),
    Column(C.ENDS_AT, DateTime),
)

# one customer in one campaign, treated or held out
campaign_member = Table(
    "campaign_member",
    metadata,
    Column(C.CAMPAIGN_ID, Text, primary_key=True),
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    Column(C.TREATED, Boolean, nullable=False, server_default=text("true")),
)

# one product that a campaign's coupons are good for
campaign_product = Table(
    "campaign_product",
    metadata,
    Column(C.CAMPAIGN_ID, Text, primary_key=True),
    Column(C.PRODUCT_ID, Text, primary_key=True),
)


def _said(table: Table) -> Table:
    """What each load says of the rows of a table; the table itself is what all loads that stand say together."""
    load_id = Column(C.LOAD_ID, Integer, primary_key=True, autoincrement=False)
    columns = (Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in table.columns)
    return Table(f"load_{table.name}", metadata, load_id, *columns)


# load x customer, product, ... that it has or describes
load_customer = _said(customer)
load_product = _said(product)
load_campaign = _said(campaign)
load_campaign_member = _said(campaign_member)
load_campaign_product = _said(campaign_product)

# one accepted line; customer_id null is a guest. Its key is load and row number, unique by construction: an index that
# proved it would cost a third of a load's time
transaction_line = Table(
    "transaction_line",
    metadata,
    Column(C.LOAD_ID, Integer, nullable=False),
    Column(C.ROW_NUMBER, BigInteger, nullable=False),
    Column(C.ORDER_ID, Text, nullable=False),
    Column(C.CUSTOMER_ID, Text),
    Column(C.PRODUCT_ID, Text, nullable=False),
    Column(C.ORDERED_AT, DateTime, nullable=False),
    Column(C.QUANTITY, QUANTITY, nullable=False),
    Column(C.UNIT_PRICE, PRICE, nullable=False),
    Column(C.DISCOUNT, MONEY, nullable=False),
    Column(C.AMOUNT, MONEY, nullable=False),
    Column(C.IS_RETURN, Boolean, nullable=False),
    Column(C.COUNTRY, Text),
    Index(None, C.LOAD_ID, postgresql_using="brin"),
    Index(None, C.ORDERED_AT, postgresql_using="brin"),
)

# one web event, or a coupon redeemed; customer_id null: of somebody who was forgotten. The key is as of a line
interaction_event = Table(
    "interaction_event",
    metadata,
    Column(C.LOAD_ID, Integer, nullable=False),
    Column(C.ROW_NUMBER, BigInteger, nullable=False),
    Column(C.CUSTOMER_ID, Text),
    Column(C.TYPE, Text, nullable=False),
    Column(C.OCCURRED_AT, DateTime, nullable=False),
    Column(C.PRODUCT_ID, Text),
    Column(C.CAMPAIGN_ID, Text),
    Index(None, C.LOAD_ID, postgresql_using="brin"),
    Index(None, C.OCCURRED_AT, postgresql_using="brin"),
)

# one audience that somebody saved: a name for the filters of an address
audience = Table(
    "audience",
    metadata,
    Column("audience_id", Integer, Identity(), primary_key=True),
    Column(C.NAME, Text, nullable=False, unique=True),
    Column("query", Text, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# one customer who asked to be forgotten: the keyed hash of the id, and by which key it was made
forgotten = Table(
    "forgotten",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("forgotten_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# one erasure of customers, as they asked or for their age: how many, and how many rows of which table
erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", Integer, Identity(), primary_key=True),
    Column(C.REASON, Text, nullable=False),
    Column(C.CUSTOMERS, Integer, nullable=False),
    Column("removed", JSONB, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# one refresh by the schedule that came to its end, done or failed; the message says why it failed
refresh = Table(
    "refresh",
    metadata,
    Column("refresh_id", Integer, Identity(), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("status", Text, nullable=False),
    Column("message", Text),
)

RECORD_TABLES = (
    customer,
    product,
    campaign,
    campaign_member,
    campaign_product,
    load_customer,
    load_product,
    load_campaign,
    load_campaign_member,
    load_campaign_product,
    transaction_line,
    interaction_event,
)
