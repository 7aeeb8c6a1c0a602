"""Alembic's entry: runs the migrations on the connection that xorj.adapters.postgres.migrate holds the lock on."""

from alembic import context

from xorj.adapters.postgres.tables import metadata

with_connection = context.config.attributes["connection"]
context.configure(connection=with_connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
