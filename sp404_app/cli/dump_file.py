"""Read the file of `pg_dump --format=plain`: check that it is complete and ours, and execute it.

psql is not used, because the restore and the migrations that follow are one transaction, and
because a dump has lines that servers of another version, or roles without superuser rights, reject.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sp404_app.supervisor.errors import Failure

COPY = re.compile(rb'COPY public\.(?P<table>[\w"]+) \((?P<columns>.*)\) FROM stdin;\r?\n')
END_OF_COPY = b"\\.\n"
# The last comment of a dump, without which it was cut off.
COMPLETE = b"-- PostgreSQL database dump complete\n"
# `transaction_timeout` does not exist before PostgreSQL 17, and `restrict` is a command of psql.
# The schema and the extension stay in place; only a superuser may own, create or comment on them.
SKIPPED = re.compile(
    rb"SET transaction_timeout = |\\(un)?restrict |CREATE SCHEMA public;|COMMENT ON SCHEMA public |"
    rb"ALTER SCHEMA public OWNER |CREATE EXTENSION |COMMENT ON EXTENSION "
)
CHUNK_BYTES = 1 << 18
# Everything in the schema that belongs to no extension; CASCADE, because foreign keys go both ways.
DROP_EVERYTHING = """
do $$
declare
    statement text;
begin
    foreach statement in array coalesce((
        with ours as (
            select 'pg_class'::regclass as catalog, oid, relnamespace as place
            from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
            union all select 'pg_proc'::regclass, oid, pronamespace from pg_proc
            union all select 'pg_type'::regclass, oid, typnamespace
            from pg_type where typtype in ('e', 'd')
        )
        select array_agg(format('drop %s if exists %s cascade', found.type, found.identity))
        from ours, pg_identify_object(ours.catalog, ours.oid, 0) as found
        where place = 'public'::regnamespace
            and not exists (
                select from pg_depend
                where classid = ours.catalog and objid = ours.oid and deptype = 'e'
            )
    ), '{}')
    loop
        execute statement;
    end loop;
end
$$
"""


@dataclass(frozen=True, slots=True)
class DumpSummary:
    """What a dump contains: the revision of its tables, and the rows of each table."""

    revision: str
    rows: dict[str, int]


def summarise_dump(path: Path) -> DumpSummary:
    """Read a whole dump without a database.

    Raises:
        Failure: If it was cut off, or is not a dump of this product.
    """
    rows: dict[str, int] = {}
    revision, complete = "", False
    for table, line in _lines(path):
        if table is None:
            complete = complete or line == COMPLETE
        else:
            rows[table] = rows.get(table, -1) + 1  # the first line is the command
            if table == "alembic_version":
                revision = line.decode().strip()
    if not complete:
        raise Failure("The backup is damaged: its database dump ends too early.")
    if not revision or not rows.keys() >= {"users", "samples"}:
        raise Failure("This is not a backup of Crate 404: its database has other tables.")
    return DumpSummary(revision, rows)


def execute_dump(connection: psycopg.Connection, path: Path) -> None:
    """Replace the contents of the schema `public` by a dump, in the transaction of the caller.

    Raises:
        psycopg.Error: If the database rejects a statement.
    """
    connection.execute(DROP_EVERYTHING.encode())
    statements: list[bytes] = []
    lines = _lines(path)
    for table, line in lines:
        if table is None:
            statements.append(line)
            continue
        _execute(connection, statements)
        with connection.cursor().copy(line) as copy:
            # COPY ends with the first line that belongs to no table: the end marker.
            chunk = bytearray()
            for row_table, row in lines:
                if row_table is None:
                    break
                chunk += row
                if len(chunk) >= CHUNK_BYTES:
                    copy.write(bytes(chunk))
                    chunk.clear()
            copy.write(bytes(chunk))
    _execute(connection, statements)
    connection.execute(b"reset all")  # a dump empties the search path


def _execute(connection: psycopg.Connection, statements: list[bytes]) -> None:
    if any(line.strip() and not line.startswith(b"--") for line in statements):
        connection.execute(b"".join(statements))
    statements.clear()


def _lines(path: Path) -> Iterator[tuple[str | None, bytes]]:
    """Yield each line with the table that it copies to; None for statements and end markers.

    Raises:
        Failure: If the file ends within a table.
    """
    table: str | None = None
    with path.open("rb") as file:
        for line in file:
            if table is not None:
                table = None if line == END_OF_COPY else table
                yield table, b"\n" if table is None else line
            elif found := COPY.fullmatch(line):
                table = found["table"].decode().strip('"')
                yield table, line
            elif not SKIPPED.match(line):
                yield None, line
    if table is not None:
        raise Failure("The backup is damaged: its database dump ends too early.")
