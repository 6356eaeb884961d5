"""Run by Alembic for each command, on the connection that `signaling.store.schema` passes."""

from alembic import context

from signaling.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot change a table in place
)
with context.begin_transaction():
    context.run_migrations()
