"""Runs migrations on the connection that `core.bootstrap.migrate` hands over."""

from alembic import context

from core.adapters.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
