"""RFM groups, features, customer value, profiles in depth and movement.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DOUBLE = sa.DOUBLE_PRECISION
MONEY = sa.Numeric(18, 4)
REMADE = ("customer_segment", "segment_profile", "segment_product")
"""Result tables with new columns: their views are made anew."""


def upgrade() -> None:
    for table in REMADE:
        op.execute(f"DROP VIEW current_{table}")
    _customer_segment()
    for table, key in (("segment_profile", ["segment"]), ("segment_product", ["segment", "kind", "rank"])):
        op.add_column(table, _grouping())
        op.drop_constraint(f"pk_{table}", table)
        op.create_primary_key(f"pk_{table}", table, ["run_id", "grouping", *key])
    for name, kind in (
        ("pareto_share", DOUBLE()),
        ("since", sa.DateTime()),
        ("play", sa.Text()),
        ("play_reason", sa.Text()),
    ):
        op.add_column("segment_profile", sa.Column(name, kind))
    _profiles()
    _movement()
    made = ("segment_measure", "segment_trait", "movement_moment", "movement_letter", "movement", "customer_movement")
    for table in (*REMADE, *made):
        op.execute(
            f"CREATE VIEW current_{table} AS SELECT result.* FROM {table} AS result "
            "JOIN model_run USING (run_id) WHERE model_run.status = 'published'"
        )


def _customer_segment() -> None:
    doubles = ("gap_days", "average_order", "discount_share", "return_rate", "pca_x", "pca_y")
    forecasts = ("p_alive", "churn_risk", "orders_30", "orders_90", "orders_365", "clv", "clv_low", "clv_high")
    columns: dict[str, sa.types.TypeEngine] = {
        "first_ordered_at": sa.DateTime(),
        "tenure_days": sa.Integer(),
        "category_breadth": sa.Integer(),
        "fm_score": sa.SmallInteger(),
        "rfm_group": sa.Text(),
        "alternative": sa.Text(),
        "next_order_at": sa.DateTime(),
        "value_decile": sa.SmallInteger(),
        **{name: DOUBLE() for name in (*doubles, *forecasts)},
    }
    for name, kind in columns.items():
        op.add_column("customer_segment", sa.Column(name, kind))


def _grouping() -> sa.Column:
    return sa.Column("grouping", sa.Text(), server_default="segment", nullable=False)


def _table(name: str, key: list[str], *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("run_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["run_id"], ["model_run.run_id"], name=op.f(f"fk_{name}_run_id_model_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", *key, name=op.f(f"pk_{name}")),
    )


def _needed(kind: sa.types.TypeEngine, *names: str) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=False, autoincrement=False) for name in names]


def _profiles() -> None:
    _table(
        "segment_measure",
        ["grouping", "segment", "measure"],
        _grouping(),
        *_needed(sa.Text(), "segment", "measure"),
        *_needed(DOUBLE(), "q1", "median", "q3", "mean"),
    )
    _table(
        "segment_trait",
        ["grouping", "segment", "trait", "value"],
        _grouping(),
        *_needed(sa.Text(), "segment", "trait", "value"),
        *_needed(sa.Integer(), "customers"),
        *_needed(DOUBLE(), "share", "shop_share", "lift", "p_value", "q_value"),
    )


def _movement() -> None:
    _table(
        "movement_moment",
        ["moment"],
        *_needed(sa.SmallInteger(), "moment"),
        *_needed(sa.DateTime(), "as_of"),
        *_needed(sa.Integer(), "customers"),
    )
    _table(
        "movement_letter",
        ["grouping", "letter"],
        _grouping(),
        *_needed(sa.Text(), "letter", "segment"),
        sa.Column("position", sa.SmallInteger()),
        *_needed(sa.Text(), "colour"),
    )
    _table(
        "movement",
        ["grouping", "from_moment", "to_moment", "from_segment", "to_segment", "cause"],
        _grouping(),
        *_needed(sa.SmallInteger(), "from_moment", "to_moment"),
        *_needed(sa.Text(), "from_segment", "to_segment", "cause"),
        *_needed(sa.Integer(), "customers"),
        *_needed(MONEY, "revenue"),
    )
    _table(
        "customer_movement",
        ["customer_id"],
        *_needed(sa.Text(), "customer_id", "segments", "segment_causes", "groups", "group_causes"),
    )
