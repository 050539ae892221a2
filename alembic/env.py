"""How Alembic finds our tables and our database."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from sp404_app import db, models

assert models.__all__, "importing the models registers their tables"


def migrate(connection: Connection) -> None:
    """Run what was asked for, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        # Two servers that start at once migrate one after the other.
        connection.exec_driver_sql("select pg_advisory_xact_lock(404)")
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with db.engine().begin() as opened:
        migrate(opened)
