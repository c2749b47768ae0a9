"""Run by Alembic for every command: hands it the connection that the caller has opened."""

from alembic import context

from gorchestrator.store.tables import metadata

# The caller begins and commits, so that several versions are one transaction.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
