"""Runs the revisions on the connection it is given; Alembic executes this file as a script."""

from alembic import context

from rule_store.registry.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # One transaction for the whole way, also on SQLite: the caller began it and ends it.
    transactional_ddl=True,
)
context.run_migrations()
