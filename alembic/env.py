"""Alembic environment: the metadata of all models, and the database connection."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from sp404_app import db, models

assert models.__all__, "importing the models registers their tables"


def migrate(connection: Connection) -> None:
    """Run the requested migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        # Servers that start at the same time migrate one after the other.
        connection.exec_driver_sql("select pg_advisory_xact_lock(404)")
        context.run_migrations()


shared_connection = context.config.attributes.get("connection")
if shared_connection is not None:
    migrate(shared_connection)
else:
    with db.engine().begin() as own_connection:
        migrate(own_connection)
