"""What is known of customers, products and campaigns: each load says its part, the loads that stand say it all.

A row stands as long as one load that stands tells of it. Where loads differ, a load about the thing itself (customers,
products, campaigns) goes before what orders say in passing, then the later one's word; what it does not say, an earlier
one may have said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import BigInteger, Column, Connection, DateTime, MetaData, Table, text

from db.bulk import copy_in
from db.columns import Columns as C
from db.schema import campaign, campaign_member, campaign_product, customer, product

_NO_LOAD = 0  # their numbers begin at 1


@dataclass(frozen=True)
class _Subject:
    """A table of what is known, the kind of loads that are about it, its key and words, and how to part the words."""

    table: Table
    about: str
    key: str
    words: Sequence[str] = ()
    parts: str = ""

    @property
    def columns(self) -> str:
        return ", ".join((self.key, *self.words))

    def last_words(self, said: str) -> str:
        """A query: of the rows of `said` with one key, the word in the last `place` that has one."""
        words = (_SPECIAL.get(word) or _last(word, f"{word} IS NOT NULL") for word in self.words)
        return f"SELECT {', '.join((self.key, *words))} FROM ({said}) AS said {self.parts} GROUP BY {self.key}"


def _last(word: str, known: str) -> str:
    return f"(array_agg({word} ORDER BY place DESC) FILTER (WHERE {known}))[1]"


_SPECIAL = {
    C.ATTRIBUTES: "coalesce(jsonb_object_agg(key, value ORDER BY place) FILTER (WHERE value <> 'null'), '{}')",
    # who names a product says if it is a service
    C.IS_SERVICE: f"coalesce({_last(C.IS_SERVICE, 'name IS NOT NULL')}, bool_or(is_service))",
}

_PLAIN = {C.ATTRIBUTES: "jsonb_strip_nulls(attributes)"}

_CUSTOMER = _Subject(
    customer, "customers", C.CUSTOMER_ID, (C.COUNTRY, C.ATTRIBUTES), "LEFT JOIN LATERAL jsonb_each(attributes) ON true"
)
_PRODUCT = _Subject(
    product, "products", C.PRODUCT_ID, (C.NAME, C.CATEGORY, C.DEPARTMENT, C.BRAND, C.COST, C.IS_SERVICE)
)
_CAMPAIGN = _Subject(campaign, "campaigns", C.CAMPAIGN_ID, (C.NAME, C.TYPE, C.STARTS_AT, C.ENDS_AT))
_MEMBER = _Subject(campaign_member, "campaigns", f"{C.CAMPAIGN_ID}, {C.CUSTOMER_ID}", (C.TREATED,))
_COUPON = _Subject(campaign_product, "campaigns", f"{C.CAMPAIGN_ID}, {C.PRODUCT_ID}")
_SUBJECTS = (_CUSTOMER, _PRODUCT, _CAMPAIGN, _MEMBER, _COUPON)

# one customer and country of one batch (its last order), or one customer's attributes
_staged_customer = Table(
    "staged_customer",
    MetaData(),
    Column(C.CUSTOMER_ID, customer.c.customer_id.type),
    Column(C.COUNTRY, customer.c.country.type),
    Column(C.LAST_ORDERED_AT, DateTime),
    Column(C.ATTRIBUTES, customer.c.attributes.type),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)

# one way a batch names a product (the lines that do), or one row of a catalogue (lines null)
_staged_product = Table(
    "staged_product",
    MetaData(),
    *(Column(column.name, column.type) for column in product.columns),
    Column("lines", BigInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def create_staging(connection: Connection) -> None:
    """The tables that hold what a load says until the end of its transaction."""
    for table in (_staged_customer, _staged_product):
        table.create(connection)


def stage_customers(connection: Connection, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY what is known of customers: customer_id with country and last_ordered_at, or with attributes."""
    copy_in(connection, _staged_customer, batches)


def stage_products(connection: Connection, batches: Iterable[pa.RecordBatch]) -> None:
    """COPY what is known of products: the columns of `product`, and how many lines say so (null: a catalogue does)."""
    copy_in(connection, _staged_product, batches)


def merge_customers(connection: Connection, load_id: int) -> None:
    """Staged customers who bought become customers.

    The country is that of the customer's latest order in the load that has one; an older load's stands otherwise.
    """
    say = """
        INSERT INTO load_customer (load_id, customer_id, country, attributes)
        SELECT :load_id, seen.customer_id, seen.country, coalesce(described.attributes, '{}')
        FROM (
            SELECT DISTINCT ON (customer_id) customer_id, country FROM staged_customer
            WHERE last_ordered_at IS NOT NULL
            ORDER BY customer_id, country IS NULL, last_ordered_at DESC, country
        ) AS seen
        LEFT JOIN (SELECT customer_id, attributes FROM staged_customer WHERE attributes IS NOT NULL) AS described
            USING (customer_id)
        """
    connection.execute(text(say), {"load_id": load_id})
    _settle(connection, _CUSTOMER, load_id)


def merge_products(connection: Connection, load_id: int) -> None:
    """Staged products that were sold become products.

    The catalogue's word goes first, then the words most lines use; what neither knows, an older load may have said.
    """
    say = """
        INSERT INTO load_product (load_id, product_id, name, category, department, brand, is_service)
        SELECT DISTINCT ON (product_id) CAST(:load_id AS integer), product_id, name, category, department, brand,
            is_service
        FROM staged_product
        WHERE product_id IN (SELECT product_id FROM staged_product WHERE lines IS NOT NULL)
        GROUP BY product_id, name, category, department, brand, is_service
        ORDER BY product_id, name IS NULL, bool_or(lines IS NULL) DESC, sum(lines) DESC,
            name, category, department, brand
        """
    connection.execute(text(say), {"load_id": load_id})
    _settle(connection, _PRODUCT, load_id)


def say(connection: Connection, load_id: int, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
    """What the rows of a load say of customers, products, campaigns, their members or products; then it is known.

    The batches have columns of that table, its key among them, and row_number: of rows with one key the last word
    goes. A load says it once of a table.
    """
    subject = next(each for each in _SUBJECTS if each.table is table)
    staged = Table(
        "staged_word",
        MetaData(),
        *(Column(column.name, column.type) for column in table.columns),
        Column(C.ROW_NUMBER, BigInteger),
        prefixes=["TEMPORARY"],
    )
    staged.create(connection)
    copy_in(connection, staged, batches)
    rows = subject.last_words("SELECT *, row_number AS place FROM staged_word")
    statement = (
        f"INSERT INTO load_{table.name} (load_id, {subject.columns}) "
        f"SELECT CAST(:load_id AS integer), word.* FROM ({rows}) AS word"
    )
    connection.execute(text(statement), {"load_id": load_id})
    staged.drop(connection)
    _settle(connection, subject, load_id)


def mention(connection: Connection, load_id: int) -> None:
    """Make known the customers, products and campaigns that a load's events, members and coupons name."""
    named = (
        (_CUSTOMER, "'{}'", C.ATTRIBUTES, ("interaction_event", "load_campaign_member")),
        (_PRODUCT, "false", C.IS_SERVICE, ("interaction_event", "load_campaign_product")),
        (_CAMPAIGN, "NULL", C.NAME, ("interaction_event", "load_campaign_member", "load_campaign_product")),
    )
    for subject, nothing, word, tables in named:
        key = subject.key
        queries = (f"SELECT {key} FROM {table} WHERE load_id = :load_id AND {key} IS NOT NULL" for table in tables)
        statement = (
            f"INSERT INTO load_{subject.table.name} (load_id, {key}, {word}) "
            f"SELECT :load_id, {key}, {nothing} FROM ({' UNION '.join(queries)}) AS named ON CONFLICT DO NOTHING"
        )
        if connection.execute(text(statement), {"load_id": load_id}).rowcount:
            _settle(connection, subject, load_id)


def mention_no_more(connection: Connection, load_id: int) -> None:
    """Unsay the customers of a load of orders or events whom none of its lines and events names any more, nor any
    other's: all it had of them stands as nobody's. Who is told of by no other load is no customer."""
    named = ("transaction_line", "interaction_event", "load_campaign_member")
    unnamed = " AND ".join(
        f"NOT EXISTS (SELECT FROM {table} AS named WHERE named.customer_id = said.customer_id)" for table in named
    )
    unsaid = (
        "WITH unsaid AS (DELETE FROM load_customer AS said USING load WHERE said.load_id = :load_id "
        f"AND load.load_id = said.load_id AND load.kind IN ('orders', 'events') AND {unnamed} RETURNING customer_id) "
        "DELETE FROM customer WHERE customer_id IN (SELECT customer_id FROM unsaid) AND NOT EXISTS ("
        "SELECT FROM load_customer AS other WHERE other.customer_id = customer.customer_id "
        "AND other.load_id <> :load_id)"
    )
    connection.execute(text(unsaid), {"load_id": load_id})


def forget(connection: Connection, load_id: int) -> tuple[int, int]:
    """Leave what the other loads say; gives how many customers and products went, of which no other tells."""
    gone = {}
    for subject in _SUBJECTS:
        _settle(connection, subject, load_id, without=load_id)
        table, key = subject.table.name, subject.key
        same = " AND ".join(f"{{0}}.{column} = {{1}}.{column}" for column in key.split(", "))
        nobodys = (
            f"DELETE FROM {table} AS gone USING load_{table} AS said "
            f"WHERE said.load_id = :load_id AND {same.format('said', 'gone')} AND NOT EXISTS ("
            f"SELECT FROM load_{table} AS other WHERE {same.format('said', 'other')} AND other.load_id <> said.load_id)"
        )
        gone[table] = connection.execute(text(nobodys), {"load_id": load_id}).rowcount
        connection.execute(text(f"DELETE FROM load_{table} WHERE load_id = :load_id"), {"load_id": load_id})
    return gone[customer.name], gone[product.name]


def first_seen(connection: Connection, load_id: int) -> tuple[int, int]:
    """How many customers and products a load tells of that no earlier load that stands tells of."""
    counts = [
        connection.execute(
            text(
                f"SELECT count(*) FROM load_{table} AS said WHERE load_id = :load_id AND NOT EXISTS ("
                f"SELECT FROM load_{table} AS earlier WHERE earlier.{key} = said.{key} AND earlier.load_id < :load_id)"
            ),
            {"load_id": load_id},
        ).scalar_one()
        for table, key in (("customer", C.CUSTOMER_ID), ("product", C.PRODUCT_ID))
    ]
    return counts[0], counts[1]


def _settle(connection: Connection, subject: _Subject, load_id: int, without: int = _NO_LOAD) -> None:
    """What a load tells of becomes what all loads, but one, say of it; what is new is taken as it is told."""
    table, key = subject.table.name, subject.key
    same = " AND ".join(f"known.{column} = said.{column}" for column in key.split(", "))
    is_known = f"EXISTS (SELECT FROM {table} AS known WHERE {same})"
    said = f"""
        SELECT said.*, said.load_id + CASE WHEN load.kind = '{subject.about}' THEN 1::bigint << 32 ELSE 0 END AS place
        FROM load_{table} AS said JOIN load ON load.load_id = said.load_id
        WHERE said.load_id <> :without AND ({key}) IN (
            SELECT {key} FROM load_{table} AS said WHERE load_id = :load_id AND {is_known}
        )
        """
    words = ", ".join(f"{word} = excluded.{word}" for word in subject.words)
    again = f"{subject.last_words(said)} ON CONFLICT ({key}) DO {f'UPDATE SET {words}' if words else 'NOTHING'}"
    new = (
        f"SELECT {', '.join((key, *(_PLAIN.get(word, word) for word in subject.words)))} FROM load_{table} AS said "
        f"WHERE load_id = :load_id AND load_id <> :without AND NOT {is_known}"
    )
    for rows in (again, new):
        statement = f"INSERT INTO {table} ({subject.columns}) {rows}"
        connection.execute(text(statement), {"load_id": load_id, "without": without})
