"""First schema: the record, the results, and the views that show the published run alone.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RESULTS = (
    "customer_segment",
    "segment_profile",
    "segment_product",
    "recommendation",
    "product_pair",
    "evaluation",
)


def upgrade() -> None:
    op.create_table('campaign',
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('type', sa.Text(), nullable=True),
    sa.Column('starts_at', sa.DateTime(), nullable=True),
    sa.Column('ends_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('campaign_id', name=op.f('pk_campaign'))
    )
    op.create_table('customer',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('attributes', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_customer'))
    )
    op.create_table('interaction_event',
    sa.Column('event_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=True),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_interaction_event'))
    )
    op.create_table('load',
    sa.Column('load_id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('rows_read', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rows_accepted', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rows_rejected', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('amount_read', sa.Numeric(precision=18, scale=4), server_default='0', nullable=False),
    sa.Column('amount_accepted', sa.Numeric(precision=18, scale=4), server_default='0', nullable=False),
    sa.Column('amount_rejected', sa.Numeric(precision=18, scale=4), server_default='0', nullable=False),
    sa.Column('rejected_by_reason', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('months', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('load_id', name=op.f('pk_load'))
    )
    op.create_index(op.f('ix_load_sha256'), 'load', ['sha256'], unique=True, postgresql_where=sa.text("status = 'done'"))
    op.create_table('model_run',
    sa.Column('run_id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('as_of', sa.DateTime(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('data_version', sa.Text(), nullable=False),
    sa.Column('metrics', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_model_run'))
    )
    op.create_index('uq_model_run_published_kind', 'model_run', ['kind'], unique=True, postgresql_where=sa.text("status = 'published'"))
    op.create_table('product',
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('department', sa.Text(), nullable=True),
    sa.Column('brand', sa.Text(), nullable=True),
    sa.Column('is_service', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('product_id', name=op.f('pk_product'))
    )
    op.create_table('transaction_line',
    sa.Column('load_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('row_number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=True),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=3), nullable=False),
    sa.Column('unit_price', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.Column('discount', sa.Numeric(precision=18, scale=4), nullable=False),
    sa.Column('amount', sa.Numeric(precision=18, scale=4), nullable=False),
    sa.Column('is_return', sa.Boolean(), nullable=False),
    sa.Column('country', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('load_id', 'row_number', name=op.f('pk_transaction_line'))
    )
    op.create_index(op.f('ix_transaction_line_ordered_at'), 'transaction_line', ['ordered_at'], unique=False, postgresql_using='brin')
    op.create_table('campaign_member',
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('treated', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.campaign_id'], name=op.f('fk_campaign_member_campaign_id_campaign'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('campaign_id', 'customer_id', name=op.f('pk_campaign_member'))
    )
    op.create_table('customer_segment',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('last_ordered_at', sa.DateTime(), nullable=False),
    sa.Column('recency_days', sa.Integer(), nullable=False),
    sa.Column('frequency', sa.Integer(), nullable=False),
    sa.Column('monetary', sa.Numeric(precision=18, scale=4), nullable=False),
    sa.Column('r_score', sa.SmallInteger(), nullable=False),
    sa.Column('f_score', sa.SmallInteger(), nullable=False),
    sa.Column('m_score', sa.SmallInteger(), nullable=False),
    sa.Column('cluster', sa.SmallInteger(), nullable=False),
    sa.Column('segment', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_customer_segment_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'customer_id', name=op.f('pk_customer_segment'))
    )
    op.create_table('evaluation',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('slice', sa.Text(), nullable=False),
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('k', sa.SmallInteger(), nullable=False),
    sa.Column('value', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('ci_low', sa.DOUBLE_PRECISION(), nullable=True),
    sa.Column('ci_high', sa.DOUBLE_PRECISION(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_evaluation_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'model', 'slice', 'metric', 'k', name=op.f('pk_evaluation'))
    )
    op.create_table('product_pair',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('other_product_id', sa.Text(), nullable=False),
    sa.Column('support', sa.DOUBLE_PRECISION(), nullable=True),
    sa.Column('confidence', sa.DOUBLE_PRECISION(), nullable=True),
    sa.Column('lift', sa.DOUBLE_PRECISION(), nullable=True),
    sa.Column('similarity', sa.DOUBLE_PRECISION(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_product_pair_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'product_id', 'other_product_id', name=op.f('pk_product_pair'))
    )
    op.create_table('recommendation',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('rank', sa.SmallInteger(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('score', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_recommendation_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'customer_id', 'kind', 'rank', name=op.f('pk_recommendation'))
    )
    op.create_table('rejected_row',
    sa.Column('load_id', sa.Integer(), nullable=False),
    sa.Column('row_number', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('amount', sa.Numeric(precision=18, scale=4), nullable=True),
    sa.Column('raw', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['load_id'], ['load.load_id'], name=op.f('fk_rejected_row_load_id_load'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('load_id', 'row_number', name=op.f('pk_rejected_row'))
    )
    op.create_table('segment_product',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('segment', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('rank', sa.SmallInteger(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=3), nullable=False),
    sa.Column('revenue', sa.Numeric(precision=18, scale=4), nullable=False),
    sa.Column('lift', sa.DOUBLE_PRECISION(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_segment_product_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'segment', 'kind', 'rank', name=op.f('pk_segment_product'))
    )
    op.create_table('segment_profile',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('segment', sa.Text(), nullable=False),
    sa.Column('cluster', sa.SmallInteger(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('customers', sa.Integer(), nullable=False),
    sa.Column('customer_share', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('revenue', sa.Numeric(precision=18, scale=4), nullable=False),
    sa.Column('revenue_share', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('recency_median', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('frequency_median', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('monetary_median', sa.DOUBLE_PRECISION(), nullable=False),
    sa.Column('emoji', sa.Text(), nullable=False),
    sa.Column('colour', sa.Text(), nullable=False),
    sa.Column('persona', sa.Text(), nullable=False),
    sa.Column('playbook', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['model_run.run_id'], name=op.f('fk_segment_profile_run_id_model_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'segment', name=op.f('pk_segment_profile'))
    )

    for table in RESULTS:
        op.execute(
            f"CREATE VIEW current_{table} AS SELECT result.* FROM {table} AS result "
            "JOIN model_run USING (run_id) WHERE model_run.status = 'published'"
        )
