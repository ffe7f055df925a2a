"""Alembic's entry: runs the migrations on the connection that the engine hands over."""

from __future__ import annotations

from alembic import context

from monitord.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,  # an older monitord can go on where one of them fails
    transactional_ddl=True,  # Alembic thinks that SQLite has none; its engine here begins them
)
with context.begin_transaction():
    context.run_migrations()
