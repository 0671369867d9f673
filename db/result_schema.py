"""What the models leave: runs, and the result tables that carry their run_id, the grain of each stated above it."""

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Index, Integer, SmallInteger, Table, Text, func, text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

from db.columns import Columns as C
from db.schema import MONEY, QUANTITY, metadata

# one run of one kind of model; at most one of a kind is published. checksums is what `db.run_checksums` found as it was
# published; empty for runs of before they were kept
model_run = Table(
    "model_run",
    metadata,
    Column(C.RUN_ID, Integer, Identity(), primary_key=True),
    Column(C.KIND, Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("as_of", DateTime, nullable=False),
    Column("parameters", JSONB, nullable=False, server_default="{}"),
    Column("data_version", Text, nullable=False),
    Column("metrics", JSONB, nullable=False, server_default="{}"),
    Column("checksums", JSONB, nullable=False, server_default="{}"),
    Column("message", Text),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", DateTime(timezone=True)),
    Index("uq_model_run_published_kind", C.KIND, unique=True, postgresql_where=text("status = 'published'")),
)


def _run_id() -> Column[int]:
    return Column(C.RUN_ID, Integer, ForeignKey("model_run.run_id", ondelete="CASCADE"), primary_key=True)


GROUPINGS = (C.SEGMENT, C.RFM_GROUP, C.ALTERNATIVE)
"""The columns of customer_segment that part the customers: clusters by the run's method, RFM groups, and clusters by
the other method."""

# run x customer; what the data do not have, and what no forecast could be made of, is null
customer_segment = Table(
    "customer_segment",
    metadata,
    _run_id(),
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    Column(C.FIRST_ORDERED_AT, DateTime),
    Column(C.LAST_ORDERED_AT, DateTime, nullable=False),
    Column(C.RECENCY, Integer, nullable=False),
    Column(C.FREQUENCY, Integer, nullable=False),
    Column(C.MONETARY, MONEY, nullable=False),
    Column(C.TENURE, Integer),
    Column(C.GAP, DOUBLE_PRECISION),
    Column(C.AVERAGE_ORDER, DOUBLE_PRECISION),
    Column(C.DISCOUNT_SHARE, DOUBLE_PRECISION),
    Column(C.BREADTH, Integer),
    Column(C.RETURN_RATE, DOUBLE_PRECISION),
    Column(C.R_SCORE, SmallInteger, nullable=False),
    Column(C.F_SCORE, SmallInteger, nullable=False),
    Column(C.M_SCORE, SmallInteger, nullable=False),
    Column(C.FM_SCORE, SmallInteger),
    Column(C.RFM_GROUP, Text),
    Column(C.CLUSTER, SmallInteger, nullable=False),
    Column(C.SEGMENT, Text, nullable=False),
    Column(C.ALTERNATIVE, Text),
    Column(C.PCA_X, DOUBLE_PRECISION),
    Column(C.PCA_Y, DOUBLE_PRECISION),
    Column(C.P_ALIVE, DOUBLE_PRECISION),
    Column(C.CHURN_RISK, DOUBLE_PRECISION),
    Column(C.NEXT_ORDER_AT, DateTime),
    Column(C.ORDERS_30, DOUBLE_PRECISION),
    Column(C.ORDERS_90, DOUBLE_PRECISION),
    Column(C.ORDERS_365, DOUBLE_PRECISION),
    Column(C.CLV, DOUBLE_PRECISION),
    Column(C.CLV_LOW, DOUBLE_PRECISION),
    Column(C.CLV_HIGH, DOUBLE_PRECISION),
    Column(C.VALUE_DECILE, SmallInteger),
)


def _grouping() -> Column[str]:
    return Column(C.GROUPING, Text, primary_key=True, server_default=C.SEGMENT)


# run x grouping x segment; position orders them from the most to the least valuable, cluster is the number that stays
segment_profile = Table(
    "segment_profile",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.SEGMENT, Text, primary_key=True),
    Column(C.CLUSTER, SmallInteger, nullable=False),
    Column(C.POSITION, SmallInteger, nullable=False),
    Column(C.CUSTOMERS, Integer, nullable=False),
    Column(C.CUSTOMER_SHARE, DOUBLE_PRECISION, nullable=False),
    Column(C.REVENUE, MONEY, nullable=False),
    Column(C.REVENUE_SHARE, DOUBLE_PRECISION, nullable=False),
    Column(C.RECENCY_MEDIAN, DOUBLE_PRECISION, nullable=False),
    Column(C.FREQUENCY_MEDIAN, DOUBLE_PRECISION, nullable=False),
    Column(C.MONETARY_MEDIAN, DOUBLE_PRECISION, nullable=False),
    Column(C.PARETO_SHARE, DOUBLE_PRECISION),
    Column(C.SINCE, DateTime),
    Column(C.EMOJI, Text, nullable=False),
    Column(C.COLOUR, Text, nullable=False),
    Column(C.PERSONA, Text, nullable=False),
    Column(C.PLAY, Text),
    Column(C.PLAYBOOK, Text, nullable=False),
    Column(C.PLAY_REASON, Text),
    Column(C.REASON, Text, nullable=False),
)

# run x grouping x segment x measure (a numeric column of customer_segment)
segment_measure = Table(
    "segment_measure",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.SEGMENT, Text, primary_key=True),
    Column(C.MEASURE, Text, primary_key=True),
    Column(C.Q1, DOUBLE_PRECISION, nullable=False),
    Column(C.MEDIAN, DOUBLE_PRECISION, nullable=False),
    Column(C.Q3, DOUBLE_PRECISION, nullable=False),
    Column(C.MEAN, DOUBLE_PRECISION, nullable=False),
)

# run x grouping x segment x trait (category, department, country, or an attribute) x value
segment_trait = Table(
    "segment_trait",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.SEGMENT, Text, primary_key=True),
    Column(C.TRAIT, Text, primary_key=True),
    Column(C.VALUE, Text, primary_key=True),
    Column(C.CUSTOMERS, Integer, nullable=False),
    Column(C.SHARE, DOUBLE_PRECISION, nullable=False),
    Column(C.SHOP_SHARE, DOUBLE_PRECISION, nullable=False),
    Column(C.LIFT, DOUBLE_PRECISION, nullable=False),
    Column(C.P_VALUE, DOUBLE_PRECISION, nullable=False),
    Column(C.Q_VALUE, DOUBLE_PRECISION, nullable=False),
)

# run x grouping x segment x kind (revenue, quantity, lift) x rank
segment_product = Table(
    "segment_product",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.SEGMENT, Text, primary_key=True),
    Column(C.KIND, Text, primary_key=True),
    Column(C.RANK, SmallInteger, primary_key=True),
    Column(C.PRODUCT_ID, Text, nullable=False),
    Column(C.QUANTITY, QUANTITY, nullable=False),
    Column(C.REVENUE, MONEY, nullable=False),
    Column(C.LIFT, DOUBLE_PRECISION, nullable=False),
)

# run x moment at which the customers were parted; moments count from 0, the last is the run's own
movement_moment = Table(
    "movement_moment",
    metadata,
    _run_id(),
    Column(C.MOMENT, SmallInteger, primary_key=True, autoincrement=False),
    Column(C.AS_OF, DateTime, nullable=False),
    Column(C.CUSTOMERS, Integer, nullable=False),
)

# run x grouping x letter that stands for a segment in customer_movement; position null: a segment of the past alone
movement_letter = Table(
    "movement_letter",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.LETTER, Text, primary_key=True),
    Column(C.SEGMENT, Text, nullable=False),
    Column(C.POSITION, SmallInteger),
    Column(C.COLOUR, Text, nullable=False),
)

# run x grouping x two moments x segments at both x cause; from_segment is empty for who was no customer yet
movement = Table(
    "movement",
    metadata,
    _run_id(),
    _grouping(),
    Column(C.FROM_MOMENT, SmallInteger, primary_key=True, autoincrement=False),
    Column(C.TO_MOMENT, SmallInteger, primary_key=True, autoincrement=False),
    Column(C.FROM_SEGMENT, Text, primary_key=True),
    Column(C.TO_SEGMENT, Text, primary_key=True),
    Column(C.CAUSE, Text, primary_key=True),
    Column(C.CUSTOMERS, Integer, nullable=False),
    Column(C.REVENUE, MONEY, nullable=False),
)

# run x customer; segments and groups have a letter a moment, the causes one a pair of moments (i before j stands at
# j(j-1)/2 + i, from 0); a dot is no customer yet
customer_movement = Table(
    "customer_movement",
    metadata,
    _run_id(),
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    Column(C.SEGMENTS, Text, nullable=False),
    Column(C.SEGMENT_CAUSES, Text, nullable=False),
    Column(C.GROUPS, Text, nullable=False),
    Column(C.GROUP_CAUSES, Text, nullable=False),
)

# run x customer x kind x rank; popular is what popularity would have offered, frozen to be compared with later. parts
# is a JSON object of what the score is the sum of; because_product_id is the own purchase that speaks for it
recommendation = Table(
    "recommendation",
    metadata,
    _run_id(),
    Column(C.CUSTOMER_ID, Text, primary_key=True),
    Column(C.KIND, Text, primary_key=True),
    Column(C.RANK, SmallInteger, primary_key=True),
    Column(C.PRODUCT_ID, Text, nullable=False),
    Column(C.SCORE, DOUBLE_PRECISION, nullable=False),
    Column(C.REASON, Text, nullable=False),
    Column(C.BECAUSE, Text),
    Column(C.PARTS, Text),
)

# run x product x rank: the customers to write to about it, the likeliest first
product_audience = Table(
    "product_audience",
    metadata,
    _run_id(),
    Column(C.PRODUCT_ID, Text, primary_key=True),
    Column(C.RANK, SmallInteger, primary_key=True),
    Column(C.CUSTOMER_ID, Text, nullable=False),
    Column(C.SCORE, DOUBLE_PRECISION, nullable=False),
    Column(C.REASON, Text, nullable=False),
)

# run x product x other product: the rule "who buys the first buys the other" where it has support, and how alike
# they are where they are among each other's nearest
product_pair = Table(
    "product_pair",
    metadata,
    _run_id(),
    Column(C.PRODUCT_ID, Text, primary_key=True),
    Column(C.OTHER_PRODUCT_ID, Text, primary_key=True),
    Column(C.BASKETS, Integer),
    Column(C.SUPPORT, DOUBLE_PRECISION),
    Column(C.CONFIDENCE, DOUBLE_PRECISION),
    Column(C.LIFT, DOUBLE_PRECISION),
    Column(C.LEVERAGE, DOUBLE_PRECISION),
    Column(C.SIMILARITY, DOUBLE_PRECISION),
)

# run x fold x model x against x slice x subset x metric x k. Folds are windows of the test, 1 the newest, 0 all of them
# together; against is empty for the model's own value, else value is its difference to that model, customer by customer
evaluation = Table(
    "evaluation",
    metadata,
    _run_id(),
    Column(C.FOLD, SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
    Column(C.MODEL, Text, primary_key=True),
    Column(C.AGAINST, Text, primary_key=True, server_default=""),
    Column(C.SLICE, Text, primary_key=True),
    Column(C.SUBSET, Text, primary_key=True, server_default="all"),
    Column(C.METRIC, Text, primary_key=True),
    Column(C.K, SmallInteger, primary_key=True, autoincrement=False),
    Column(C.VALUE, DOUBLE_PRECISION, nullable=False),
    Column(C.CI_LOW, DOUBLE_PRECISION),
    Column(C.CI_HIGH, DOUBLE_PRECISION),
    Column(C.CUSTOMERS, Integer),
)

SEGMENT_TABLES = (
    customer_segment,
    segment_profile,
    segment_measure,
    segment_trait,
    segment_product,
    movement_moment,
    movement_letter,
    movement,
    customer_movement,
)
RECOMMENDATION_TABLES = (recommendation, product_audience, product_pair, evaluation)
RESULT_TABLES = SEGMENT_TABLES + RECOMMENDATION_TABLES
