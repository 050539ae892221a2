"""Check that a PostgreSQL can be used, and say in one sentence what an administrator has to do."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import class_row

from sp404_app.supervisor.errors import ConfigurationError, Failure

MIN_MAJOR = 16
CONNECT_TIMEOUT_S = 10
READ_PROPERTIES = """
select
    current_database()::text as name,
    current_user::text as role,
    current_setting('server_version_num')::int / 10000 as major,
    current_setting('server_encoding') as encoding,
    pg_is_in_recovery() as is_replica,
    to_regclass('public.alembic_version') is not null as is_migrated,
    has_schema_privilege('public', 'create') as may_create_tables,
    exists (select from pg_extension where extname = 'vector') as has_vector,
    exists (select from pg_available_extensions where name = 'vector') as is_vector_available,
    exists (
        select from pg_available_extension_versions
        where name = 'vector' and trusted and has_database_privilege(current_database(), 'create')
    ) or (select rolsuper from pg_roles where rolname = current_user) as may_create_vector
"""


@dataclass(frozen=True, slots=True)
class DatabaseProperties:
    """What the migrations need to know of a database and our role in it."""

    name: str
    role: str
    major: int
    encoding: str
    is_replica: bool
    is_migrated: bool
    may_create_tables: bool
    has_vector: bool
    is_vector_available: bool
    may_create_vector: bool


def ensure_database(url: str, setting: str = "SP404_DATABASE_URL") -> None:
    """Check that a database answers and has what the migrations need.

    Raises:
        ConfigurationError: With one sentence, which does not contain the password.
    """
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            cursor = connection.cursor(row_factory=class_row(DatabaseProperties))
            found = cursor.execute(READ_PROPERTIES).fetchone()
    except psycopg.ProgrammingError as error:  # libpq may quote the address with its password
        raise ConfigurationError(
            f"{setting} is invalid: special characters of its user name and password must be "
            "percent-encoded."
        ) from error
    except psycopg.OperationalError as error:
        reason = reason_of(error, url)
        raise ConfigurationError(f"The database of {setting} cannot be used: {reason}.") from error
    if found and (problem := _problem_of_database(found) or _problem_of_rights(found)):
        raise ConfigurationError(problem)


def ensure_migrated(url: str) -> None:
    """Check that a database has tables; one that does not answer is waited for elsewhere.

    Raises:
        Failure: If it is empty.
    """
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            row = connection.execute("select to_regclass('public.alembic_version')").fetchone()
    except psycopg.Error:
        return
    if row == (None,):
        raise Failure("The database has no tables: run `python -m sp404_app migrate` first.")


def _problem_of_database(found: DatabaseProperties) -> str:
    if found.major < MIN_MAJOR:
        return f"The database runs PostgreSQL {found.major}: {MIN_MAJOR} or newer is needed."
    if found.encoding != "UTF8":
        return (
            f'The database "{found.name}" has the encoding {found.encoding}: create one with UTF8.'
        )
    if found.is_replica:
        return f'The database "{found.name}" is a read-only replica: use the address of its source.'
    return ""


def _problem_of_rights(found: DatabaseProperties) -> str:
    if not found.is_migrated and not found.may_create_tables:
        return (
            f'The role "{found.role}" may not create tables: run `alter database "{found.name}" '
            f'owner to "{found.role}"` as an administrator.'
        )
    if found.has_vector or (found.is_vector_available and found.may_create_vector):
        return ""
    command = f'run `create extension vector` in the database "{found.name}" as an administrator'
    if found.is_vector_available:
        return f"The database has no pgvector: {command}."
    return f"The database server has no pgvector: install its package there, then {command}."


def reason_of(error: BaseException | None, url: str) -> str:
    """Return the first line of a database error, without the password of the URL."""
    reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    encoded = urlsplit(url).password or ""
    for password in filter(None, (unquote(encoded), encoded)):
        reason = reason.replace(password, "…")
    return reason
