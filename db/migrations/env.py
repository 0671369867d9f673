"""Alembic's entry: migrations always run on the connection that `db.engine.migrate` holds."""

from alembic import context

from db import result_schema, user_schema  # noqa: F401 (their tables join the metadata)
from db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
