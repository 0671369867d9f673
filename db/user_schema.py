"""Who may come in, and what they did: users, links that let one in once, the audit log."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.schema import metadata

# one user; no password: signs in by a link or by the provider. A session is of the session_key it began under, so that
# another key ends all of them. failures counts wrong passwords since the last right one
app_user = Table(
    "app_user",
    metadata,
    Column("user_id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("role", Text, nullable=False),
    Column("countries", ARRAY(Text), nullable=False, server_default="{}"),
    Column("session_key", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
    Column("signed_in_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("role IN ('executive', 'marketer', 'analyst', 'admin')", name="role"),
)

# one link that lets its user in once, known by the SHA-256 of what stands in it
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("user_id", Integer, ForeignKey("app_user.user_id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

# one thing that somebody did; who comes after can add to it, and change or remove nothing. Customers stand in it under
# keyed hashes
audit_event = Table(
    "audit_event",
    metadata,
    Column("event_id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("rows", BigInteger),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Index(None, "at", postgresql_using="brin"),
)
