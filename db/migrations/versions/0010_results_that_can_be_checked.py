"""What the results of a published run were, so that a later change of them is found.

Revision ID: 0010
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_run", sa.Column("checksums", JSONB(), server_default="{}", nullable=False))
