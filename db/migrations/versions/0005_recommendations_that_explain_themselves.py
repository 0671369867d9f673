"""Recommendations with their parts, whom to write to about a product, and an evaluation over windows and subsets.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DOUBLE = sa.DOUBLE_PRECISION
REMADE = ("recommendation", "product_pair", "evaluation")
"""Result tables with new columns: their views are made anew."""


def upgrade() -> None:
    for table in REMADE:
        op.execute(f"DROP VIEW current_{table}")
    for name in ("because_product_id", "parts"):
        op.add_column("recommendation", sa.Column(name, sa.Text()))
    op.add_column("product_pair", sa.Column("baskets", sa.Integer()))
    op.add_column("product_pair", sa.Column("leverage", DOUBLE()))
    _evaluation()
    _product_audience()
    for table in (*REMADE, "product_audience"):
        op.execute(
            f"CREATE VIEW current_{table} AS SELECT result.* FROM {table} AS result "
            "JOIN model_run USING (run_id) WHERE model_run.status = 'published'"
        )


def _evaluation() -> None:
    key = ["run_id", "fold", "model", "against", "slice", "subset", "metric", "k"]
    op.add_column("evaluation", sa.Column("fold", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("evaluation", sa.Column("against", sa.Text(), server_default="", nullable=False))
    op.add_column("evaluation", sa.Column("subset", sa.Text(), server_default="all", nullable=False))
    op.add_column("evaluation", sa.Column("customers", sa.Integer()))
    op.drop_constraint("pk_evaluation", "evaluation")
    op.create_primary_key("pk_evaluation", "evaluation", key)


def _product_audience() -> None:
    op.create_table(
        "product_audience",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("score", DOUBLE(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["model_run.run_id"], name=op.f("fk_product_audience_run_id_model_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "product_id", "rank", name=op.f("pk_product_audience")),
    )
