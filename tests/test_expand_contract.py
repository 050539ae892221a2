"""Two versions share the database during an upgrade: CONTRIBUTING.md, Expand, then contract."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from sqlalchemy import Engine, create_engine, event

from tests.product import ROOT
from tests.schema_changes import contracting_changes
from tests.services_for_tests import Addresses
from tests.test_migrations import migrations_after

# Contracting migrations of the time before this rule: no former version serves beside them.
BEFORE_THE_RULE = frozenset({"d4a7c15e90b2"})
RELEASES = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


@contextmanager
def empty_database(addresses: Addresses) -> Iterator[Engine]:
    """Create a database without tables on the server of the tests."""
    name = f"expand_{uuid.uuid4().hex[:8]}"
    identifier = sql.Identifier(name)
    with psycopg.connect(addresses.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template template0").format(identifier))
        base, _, query = addresses.database_url.partition("?")
        url = f"{base.rpartition('/')[0]}/{name}?{query}"
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        try:
            yield engine
        finally:
            engine.dispose()
            admin.execute(sql.SQL("drop database {}").format(identifier))


@pytest.fixture(scope="module")
def statements(addresses: Addresses) -> dict[str, list[str]]:
    """The statements of each migration, by its revision, as PostgreSQL gets them."""
    found: dict[str, list[str]] = {}
    with empty_database(addresses) as engine, engine.begin() as connection:
        current: list[str] = []

        @event.listens_for(connection, "before_cursor_execute")
        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            current.append(statement)

        with Operations.context(MigrationContext.configure(connection)):
            for module in migrations_after(None):
                current.clear()
                module.upgrade()
                found[module.revision] = list(current)
    return found


def problems_of(module: ModuleType, statements: list[str], earlier: list[str]) -> list[str]:
    """Return what is wrong with a migration under the rule of CONTRIBUTING.md."""
    contracting = contracting_changes(statements)
    expanded, release = (getattr(module, name, "") for name in ("contracts", "released_in"))
    if not contracting or module.revision in BEFORE_THE_RULE:
        return []
    if not expanded and not release:
        return contracting
    problems = []
    if expanded not in earlier:
        problems.append(f"contracts = {expanded!r} is no earlier migration")
    if release not in RELEASES:
        problems.append(f"released_in = {release!r} is no release of CHANGELOG.md")
    return problems


def test_no_migration_takes_away_what_the_former_version_uses(
    statements: dict[str, list[str]],
) -> None:
    modules = migrations_after(None)
    revisions = [module.revision for module in modules]
    found = {
        module.revision: problems
        for at, module in enumerate(modules)
        if (problems := problems_of(module, statements[module.revision], revisions[:at]))
    }
    assert found == {}, "see CONTRIBUTING.md, Expand, then contract"


def test_the_exceptions_are_contracting(statements: dict[str, list[str]]) -> None:
    assert {name for name in BEFORE_THE_RULE if contracting_changes(statements[name])} == (
        BEFORE_THE_RULE
    )


@pytest.mark.parametrize(
    "statement",
    [
        "drop table prints",
        "DROP TABLE IF EXISTS prints",
        "ALTER TABLE samples DROP COLUMN words",
        "ALTER TABLE samples RENAME words TO search_text",
        "ALTER TABLE samples RENAME TO sounds",
        "ALTER TABLE samples ALTER COLUMN size TYPE BIGINT",
        "ALTER TABLE samples ALTER COLUMN size SET DATA TYPE BIGINT",
        "ALTER TABLE samples ALTER COLUMN bpm SET NOT NULL",
        "ALTER TABLE samples ALTER COLUMN bpm DROP DEFAULT",
        "ALTER TABLE samples ADD COLUMN mood VARCHAR NOT NULL",
        "ALTER TABLE samples ADD CONSTRAINT short CHECK (length(name) < 9)",
        "ALTER TABLE samples ADD CONSTRAINT one_name UNIQUE (user_id, name)",
        'CREATE UNIQUE INDEX one_name ON public."samples" (user_id, name)',
        "alter table samples\n  drop column words",
    ],
)
def test_a_contracting_statement_is_found(statement: str) -> None:
    assert len(contracting_changes([statement])) == 1


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE moods (id UUID NOT NULL)", "CREATE UNIQUE INDEX m ON moods (name)"],
        ["ALTER TABLE samples ADD COLUMN mood VARCHAR"],
        ["ALTER TABLE samples ADD COLUMN mood VARCHAR DEFAULT '' NOT NULL"],
        ["ALTER TABLE samples ADD COLUMN m INT GENERATED ALWAYS AS (size) STORED NOT NULL"],
        [
            "ALTER TABLE samples ADD COLUMN mood_id UUID",
            "ALTER TABLE samples ADD CONSTRAINT f FOREIGN KEY(mood_id, user_id) REFERENCES m (id)",
        ],
        [
            "ALTER TABLE jobs DROP CONSTRAINT jobs_kind",
            "ALTER TABLE jobs ADD CONSTRAINT jobs_kind CHECK (kind in ('a', 'b'))",
        ],
        ["ALTER TABLE samples ALTER COLUMN bpm DROP NOT NULL"],
        ["ALTER TABLE samples ADD CONSTRAINT samples_owner_key UNIQUE (id, user_id)"],
        ["CREATE INDEX by_mood ON samples (mood)", "DROP INDEX by_name"],
        ["update samples set name = 'drop table samples'"],
    ],
)
def test_an_expanding_migration_is_allowed(statements: list[str]) -> None:
    assert contracting_changes(statements) == []


def marked(**names: str) -> ModuleType:
    module = ModuleType("contract")
    vars(module).update(revision="ffff", **names)
    return module


@pytest.mark.parametrize(
    ("marks", "problems"),
    [
        ({"contracts": "aaaa", "released_in": RELEASES[0]}, 0),
        ({"contracts": "eeee", "released_in": RELEASES[0]}, 1),
        ({"contracts": "aaaa", "released_in": "99.0.0"}, 1),
        ({"contracts": "aaaa"}, 1),
        ({}, 1),
    ],
)
def test_the_contract_step_names_its_first_step_and_a_release(
    marks: dict[str, str], problems: int
) -> None:
    found = problems_of(marked(**marks), ["ALTER TABLE samples DROP COLUMN words"], ["aaaa"])
    assert len(found) == problems
