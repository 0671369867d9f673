"""The role in Postgres that the dashboard serves as: a login of its own, which may do what serving needs."""

import logging

import psycopg2
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from db.engine import engine_at

PRIVILEGES = {
    "load": "SELECT",
    "load_customer": "SELECT (load_id, customer_id)",
    "load_product": "SELECT (load_id, product_id)",
    "transaction_line": "SELECT (load_id, order_id, customer_id, product_id, ordered_at, amount)",
    "rejected_row": "SELECT",
    "model_run": "SELECT",
    "alembic_version": "SELECT",
    "audience": "SELECT, INSERT, UPDATE, DELETE",
    "app_user": "SELECT, INSERT, UPDATE",
    "sign_in_link": "SELECT, INSERT, DELETE",
    "audit_event": "SELECT, INSERT",
}
"""Table -> what the dashboard may do with it (lines: count those of a load); of all others nothing."""

_LOCK = 0x5350_4752
_log = logging.getLogger(__name__)


def dashboard_engine(owner: Engine, password: str) -> Engine:
    """An engine that serves: what comes through it cannot do more than PRIVILEGES.

    It signs in to Postgres as `role_name`. Where a server or a pooler does not let that role in, it signs in as the
    owner and steps down to it, which whoever smuggles in a statement could undo; where the owner may make no role it
    has the owner's rights. Both are said in the log.
    """
    try:
        with owner.begin() as connection:
            role = _granted(connection, password)
    except SQLAlchemyError:
        _log.warning("The database's user may not make a role; the dashboard serves with all its rights.")
        _log.debug("no role to serve as", exc_info=True)
        return owner
    served = engine_at(owner.url.set(username=role, password=password), impatient=True)
    try:
        served.connect().close()
    except SQLAlchemyError:
        _log.warning("The database does not let the role %s in; the dashboard steps down to it after signing in.", role)
        _log.debug("no login to serve as", exc_info=True)
        served = owner
        event.listen(served, "connect", lambda connection, _: _step_down(connection, role))
    owner.dispose()  # what was opened as the owner is not served with
    return served


def role_name(connection: Connection) -> str:
    """Of this database, so that two shops on one server have nothing in common."""
    number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return f"spectrum_dashboard_{number}"


def _granted(connection: Connection, password: str) -> str:
    """Make the role, give it what it may do, and take what else it had. The password goes over as its verifier."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    role = role_name(connection)
    if not connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role}):
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    raw = connection.connection.driver_connection
    verifier = encrypt_password(password, role, scope=raw, algorithm="scram-sha-256")
    connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{verifier}'")
    connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    database = connection.dialect.identifier_preparer.quote(connection.scalar(text("SELECT current_database()")))
    connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {role}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
    for table, privileges in PRIVILEGES.items():
        connection.execute(text(f"GRANT {privileges} ON {table} TO {role}"))
    return role


def _step_down(connection: psycopg2.extensions.connection, role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
    connection.commit()
