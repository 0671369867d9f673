"""What is known of customers and products: each load says its part, the loads that stand together say it all.

A customer or product stands as long as one load that stands has lines of it. Where loads differ, the later one's word
goes; what it does not say, an earlier one may have said.
"""

from collections.abc import Iterable

import pyarrow as pa
from sqlalchemy import BigInteger, Column, Connection, DateTime, MetaData, Table, text

from db.bulk import copy_in
from db.columns import Columns as C
from db.schema import customer, product

_NO_LOAD = 0  # their numbers begin at 1

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
    _settle_customers(connection, load_id)


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
    _settle_products(connection, load_id)


def forget(connection: Connection, load_id: int) -> tuple[int, int]:
    """Leave what the other loads say; gives how many customers and products went, having lines in no other."""
    _settle_customers(connection, load_id, without=load_id)
    _settle_products(connection, load_id, without=load_id)
    gone = []
    for table, key in (("customer", C.CUSTOMER_ID), ("product", C.PRODUCT_ID)):
        nobodys = (
            f"DELETE FROM {table} USING load_{table} AS said WHERE said.load_id = :load_id "
            f"AND said.{key} = {table}.{key} AND NOT EXISTS (SELECT FROM load_{table} AS other "
            f"WHERE other.{key} = said.{key} AND other.load_id <> said.load_id)"
        )
        gone.append(connection.execute(text(nobodys), {"load_id": load_id}).rowcount)
        connection.execute(text(f"DELETE FROM load_{table} WHERE load_id = :load_id"), {"load_id": load_id})
    return gone[0], gone[1]


def first_seen(connection: Connection, load_id: int) -> tuple[int, int]:
    """How many customers and products a load has that no earlier load that stands has."""
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


def _settle_customers(connection: Connection, load_id: int, without: int = _NO_LOAD) -> None:
    """The customers of a load become what all loads, but one, say of them."""
    statement = f"""
        INSERT INTO customer (customer_id, country, attributes)
        SELECT customer_id, {_latest(C.COUNTRY)},
            coalesce(jsonb_object_agg(key, value ORDER BY load_id) FILTER (WHERE key IS NOT NULL), '{{}}')
        FROM load_customer LEFT JOIN LATERAL jsonb_each(attributes) ON true
        WHERE load_id <> :without AND customer_id IN (SELECT customer_id FROM load_customer WHERE load_id = :load_id)
        GROUP BY customer_id
        ON CONFLICT (customer_id) DO UPDATE SET country = excluded.country, attributes = excluded.attributes
        """
    connection.execute(text(statement), {"load_id": load_id, "without": without})


def _settle_products(connection: Connection, load_id: int, without: int = _NO_LOAD) -> None:
    """The products of a load become what all loads, but one, say of them; whoever names one says if it is a service."""
    words = (C.NAME, C.CATEGORY, C.DEPARTMENT, C.BRAND)
    statement = f"""
        INSERT INTO product (product_id, {", ".join(words)}, is_service)
        SELECT product_id, {", ".join(_latest(word) for word in words)},
            coalesce({_latest(C.IS_SERVICE, C.NAME)}, (array_agg(is_service ORDER BY load_id))[1])
        FROM load_product
        WHERE load_id <> :without AND product_id IN (SELECT product_id FROM load_product WHERE load_id = :load_id)
        GROUP BY product_id
        ON CONFLICT (product_id) DO UPDATE SET
            {", ".join(f"{column} = excluded.{column}" for column in (*words, C.IS_SERVICE))}
        """
    connection.execute(text(statement), {"load_id": load_id, "without": without})


def _latest(column: str, where_known: str | None = None) -> str:
    """The last load's word, of those that have one."""
    return f"(array_agg({column} ORDER BY load_id DESC) FILTER (WHERE {where_known or column} IS NOT NULL))[1]"
