"""Kinds of loads, campaigns and events under their loads; and lines without a key's index.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("pk_transaction_line", "transaction_line")
    op.create_index(op.f("ix_transaction_line_load_id"), "transaction_line", ["load_id"], postgresql_using="brin")
    op.add_column("load", sa.Column("kind", sa.Text(), server_default="orders", nullable=False))
    op.drop_index("ix_load_sha256", "load")
    op.create_index(op.f("ix_load_sha256_kind"), "load", ["sha256", "kind"], unique=True, postgresql_where=sa.text("status = 'done'"))
    op.add_column("load", sa.Column("replaces", sa.Integer()))
    op.add_column("load", sa.Column("returns", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE load SET returns = counted.rows FROM (SELECT load_id, count(*) AS rows FROM transaction_line "
        "WHERE is_return GROUP BY 1) AS counted WHERE counted.load_id = load.load_id"
    )
    op.add_column("rejected_row", sa.Column("ordered_at", sa.DateTime()))
    op.add_column("product", sa.Column("cost", sa.Numeric(18, 6)))
    op.add_column("load_product", sa.Column("cost", sa.Numeric(18, 6)))
    _events()
    _campaigns()


def _events() -> None:
    """Until now nothing could write an event."""
    op.drop_table("interaction_event")
    op.create_table(
        "interaction_event",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("product_id", sa.Text()),
        sa.Column("campaign_id", sa.Text()),
    )
    for column in ("load_id", "occurred_at"):
        op.create_index(op.f(f"ix_interaction_event_{column}"), "interaction_event", [column], postgresql_using="brin")


def _campaigns() -> None:
    for table in ("load_customer", "load_product", "rejected_row"):  # checking each row costs more than writing it
        op.drop_constraint(f"fk_{table}_load_id_load", table)
    op.drop_constraint("fk_campaign_member_campaign_id_campaign", "campaign_member")
    op.create_table(
        "campaign_product",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "product_id", name=op.f("pk_campaign_product")),
    )
    said = {
        "campaign": [
            sa.Column("name", sa.Text()),
            sa.Column("type", sa.Text()),
            sa.Column("starts_at", sa.DateTime()),
            sa.Column("ends_at", sa.DateTime()),
        ],
        "campaign_member": [
            sa.Column("customer_id", sa.Text(), nullable=False),
            sa.Column("treated", sa.Boolean(), nullable=False),
        ],
        "campaign_product": [sa.Column("product_id", sa.Text(), nullable=False)],
    }
    keys = {"campaign": [], "campaign_member": ["customer_id"], "campaign_product": ["product_id"]}
    for table, columns in said.items():
        op.create_table(
            f"load_{table}",
            sa.Column("load_id", sa.Integer(), nullable=False),
            sa.Column("campaign_id", sa.Text(), nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("load_id", "campaign_id", *keys[table], name=op.f(f"pk_load_{table}")),
        )
