"""Alembic's entry point: runs inside the transaction that ``tutela.storage.migration`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
