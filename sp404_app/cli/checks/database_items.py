"""Items about PostgreSQL: reachable, version, extension, rights, durability, migrations, clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from sp404_app.cli.checks.item import TIME_LIMIT_S, Finding, Item, Scope, missing, ok, warning
from sp404_app.services.infra import backup_log
from sp404_app.supervisor import migrations, production_checks

MIN_VERSION = 16
MAX_REHEARSAL_AGE_DAYS = 8  # a week, and a day
MAX_SKEW_S, WARN_SKEW_S = 60.0, 2.0
EXTENSION_SQL = "select installed_version from pg_available_extensions where name = 'vector'"
RIGHTS_SQL = """
    select current_user,
      current_schema() is not null
        and has_schema_privilege(current_schema(), 'create'),
      (select count(*) from pg_tables where schemaname = current_schema()
        and not pg_has_role(tableowner, 'usage'))
"""
REHEARSAL_SQL = """
    select extract(epoch from now() - at)::float8 / 86400, details @> '{"succeeded": true}'
    from audit_log where user_id is null and action = %s order by id desc limit 1
"""
DURABILITY_SQL = """
    select current_setting('fsync'), current_setting('full_page_writes'),
      current_setting('synchronous_commit')
"""
NEWER = "The database is from a newer version of the program: update the program."
SUPERUSER_SQL = "select rolsuper from pg_roles where rolname = current_user"

Connection = psycopg.Connection[tuple[object, ...]]


def _in_database(check: Callable[[Connection], Finding]) -> Callable[[Scope], Finding]:
    """Return the check of an open connection as a check of the settings."""

    def run(scope: Scope) -> Finding:
        url = scope.settings.database_url
        if not url:
            return missing(
                next(production_checks.find_missing(scope.settings, "SP404_DATABASE_URL"))
            )
        try:
            with _connect(url) as connection:
                return check(connection)
        except psycopg.OperationalError as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0]
            return missing(f"The database of SP404_DATABASE_URL does not answer: {reason}.")
        except psycopg.errors.InsufficientPrivilege:
            return missing(
                "The role of SP404_DATABASE_URL may not read its tables: see database-rights."
            )
        except psycopg.ProgrammingError:  # its text repeats the address with the password
            return missing("SP404_DATABASE_URL is not an address of a PostgreSQL.")

    return run


@contextmanager
def _connect(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, connect_timeout=int(TIME_LIMIT_S), autocommit=True) as connection:
        yield connection


def _version(connection: Connection) -> Finding:
    major = connection.info.server_version // 10_000
    if major < MIN_VERSION:
        return missing(f"This is PostgreSQL {major}: version {MIN_VERSION} or later is needed.")
    return ok(f"PostgreSQL {major} answers.")


def _pool(scope: Scope) -> Finding:
    url = scope.settings.database_pool_url
    if not url:
        return ok("SP404_DATABASE_POOL_URL is not set: the database is used directly.")
    try:
        with psycopg.connect(
            url, connect_timeout=int(TIME_LIMIT_S), prepare_threshold=None
        ) as connection:
            connection.execute("select 1")
    except psycopg.Error:  # its text may repeat the address with the password
        return missing("The pooler of SP404_DATABASE_POOL_URL does not answer.")
    return ok("The pooler answers.")


def _extension(connection: Connection) -> Finding:
    row = connection.execute(EXTENSION_SQL).fetchone()
    if row is None:
        return missing("PostgreSQL has no pgvector: install it on the database server.")
    if row[0]:
        return ok(f"pgvector {row[0]} is installed.")
    superuser = connection.execute(SUPERUSER_SQL).fetchone()
    if superuser and superuser[0]:
        return ok("pgvector is there; the first migration installs it.")
    return missing("Run `create extension vector` in this database as an administrator.")


def _rights(connection: Connection) -> Finding:
    row = connection.execute(RIGHTS_SQL).fetchone()
    assert row
    role, may_create, foreign = row
    if not may_create:
        return missing(f"The role {role} may not create tables: grant it `create` on the schema.")
    if foreign:
        return missing(f"{foreign} tables do not belong to the role {role}: migrations would fail.")
    return ok(f"The role {role} may create and change tables.")


def _migrations(connection: Connection) -> Finding:
    wanted = migrations.newest_revision()
    if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
        return missing("The database is empty: run `python -m sp404_app migrate`.")
    found = {row[0] for row in connection.execute("select version_num from alembic_version")}
    if found == {wanted}:
        return ok("All migrations have run.")
    if found and all(migrations.is_known_revision(str(each)) for each in found):
        return missing("Migrations are missing: run `python -m sp404_app migrate`.")
    return missing(NEWER)


def _migrations_or_rollback(scope: Scope) -> Finding:
    """After a rollback, which the operator has allowed by a setting, a newer database is right."""
    found = _in_database(_migrations)(scope)
    if found.message == NEWER and scope.settings.accept_newer_database:
        return warning(f"{NEWER} SP404_ACCEPT_NEWER_DATABASE allows it until then.")
    return found


def _durability(connection: Connection) -> Finding:
    row = connection.execute(DURABILITY_SQL).fetchone()
    assert row
    return durability_finding(*map(str, row))


def durability_finding(fsync: str, full_page_writes: str, synchronous_commit: str) -> Finding:
    """Judge the settings of PostgreSQL that decide what a crash or a power cut may destroy."""
    if "off" in {fsync, full_page_writes}:
        return missing(
            "A power cut may destroy the database: set fsync and full_page_writes to on, "
            "unless your provider says that its storage does not need them."
        )
    if synchronous_commit == "off":
        return warning(
            "A crash may lose what was stored in the last second: set synchronous_commit to on."
        )
    return ok("What was stored survives a crash.")


def _clock(connection: Connection) -> Finding:
    before = time.time()
    row = connection.execute("select extract(epoch from clock_timestamp())::float8").fetchone()
    after = time.time()
    assert row
    # The database read its clock between the two moments.
    skew = max(0.0, before - float(str(row[0])), float(str(row[0])) - after)
    told = f"The clocks of this host and of the database differ by {skew:.1f} s"
    if skew > MAX_SKEW_S:
        return missing(f"{told}: codes and links expire at the wrong time. Run NTP on both.")
    return warning(f"{told}: run NTP on both.") if skew > WARN_SKEW_S else ok(f"{told}.")


def _rehearsal(connection: Connection) -> Finding:
    if connection.execute("select to_regclass('audit_log')").fetchone() == (None,):
        return missing("The database is empty: run `python -m sp404_app migrate`.")
    row = connection.execute(REHEARSAL_SQL, [backup_log.REHEARSAL_ACTION]).fetchone()
    advice = "run `python -m sp404_app rehearse-restore DIR`"
    if row is None:
        return warning(f"No restore was ever rehearsed: {advice}.")
    days, succeeded = float(str(row[0])), row[1]
    told = f"The last rehearsal of a restore was {days:.0f} days ago"
    if not succeeded:
        return missing(f"{told}, and it failed: make a new backup, and {advice}.")
    if days > MAX_REHEARSAL_AGE_DAYS:
        return warning(f"{told}: {advice} after every backup.")
    return ok(f"{told}, and it succeeded.")


DATABASE_ITEMS = (
    Item("database", _in_database(_version)),
    Item("database-pool", _pool),
    Item("database-extension", _in_database(_extension)),
    Item("database-rights", _in_database(_rights)),
    Item("database-durability", _in_database(_durability)),
    Item("migrations", _migrations_or_rollback),
    Item("clock", _in_database(_clock)),
    Item("rehearsal", _in_database(_rehearsal)),
)
