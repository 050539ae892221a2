"""Connections and size of the PostgreSQL server, for the operator's metrics."""

from dataclasses import dataclass

from sqlmodel import Session, text

STATEMENT = text(
    "select (select count(*) from pg_stat_activity where backend_type = 'client backend'),"
    " current_setting('max_connections')::int, pg_database_size(current_database())"
)


@dataclass(frozen=True, slots=True)
class DatabaseLoad:
    """Open and allowed connections of the server, and the size of our database in bytes."""

    connections: int
    max_connections: int
    size: int


def read_database_load(session: Session) -> DatabaseLoad:
    """Return the load of the server."""
    return DatabaseLoad(*session.execute(STATEMENT).one())
