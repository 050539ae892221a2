"""SQLite file with objects as JSON rows, idempotent responses, webhook deliveries and settings."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
create table if not exists objects (
  seq integer primary key autoincrement,
  id text not null unique,
  kind text not null,
  customer text,
  parent text,
  clock text,
  due integer,
  body text not null
);
create index if not exists objects_of_kind on objects (kind, customer);
create index if not exists objects_of_parent on objects (parent) where parent is not null;
create index if not exists objects_due on objects (due) where due is not null;
create table if not exists answers (
  key text primary key,
  fingerprint text not null,
  status integer not null,
  body text not null,
  request text not null,
  created real not null
);
create table if not exists deliveries (
  id integer primary key autoincrement,
  event text not null,
  endpoint text not null,
  url text not null,
  status text not null default 'pending',
  position real not null,
  due real not null,
  attempts integer not null default 0,
  claimed_until real not null default 0,
  response integer,
  error text,
  delivered_at real
);
create index if not exists deliveries_pending on deliveries (due) where status = 'pending';
create index if not exists deliveries_of_event on deliveries (event);
create table if not exists settings (name text primary key, value text not null);
"""
BUSY_TIMEOUT_S = 20


class Store:
    """The SQLite file, with one connection per thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as connection:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)

    def _connection(self) -> sqlite3.Connection:
        found = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            found.row_factory = sqlite3.Row
            found.execute("pragma journal_mode = wal")
            found.execute("pragma synchronous = normal")
            self._local.connection = found
        return found

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction; commit it unless an exception is raised."""
        yield from self._transaction("begin immediate")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that reads one snapshot of the file."""
        yield from self._transaction("begin")

    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute(begin)
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
