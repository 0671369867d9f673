"""What each load says of customers and products, so that a load can be taken out again.

Of loads that are there already, only the sum of what they said is known: each is taken to have said that.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "load_customer",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["load.load_id"], name=op.f("fk_load_customer_load_id_load"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("load_id", "customer_id", name=op.f("pk_load_customer")),
    )
    op.create_table(
        "load_product",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("is_service", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["load.load_id"], name=op.f("fk_load_product_load_id_load"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("load_id", "product_id", name=op.f("pk_load_product")),
    )
    for table, key in (("customer", "customer_id"), ("product", "product_id")):
        columns = "country, attributes" if table == "customer" else "name, category, department, brand, is_service"
        op.execute(
            f"INSERT INTO load_{table} (load_id, {key}, {columns}) SELECT load_id, {key}, {columns} "
            f"FROM (SELECT DISTINCT load_id, {key} FROM transaction_line) AS line "
            f"JOIN {table} USING ({key}) WHERE load_id IN (SELECT load_id FROM load)"
        )
