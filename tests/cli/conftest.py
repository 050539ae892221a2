"""External servers of several versions, a backup, and a library that it may replace."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sp404_app.cli import backup
from sp404_app.settings import Settings, settings
from tests.cli.libraries import EMAIL, KEY, OTHER_KEY, fill
from tests.postgres_servers import PostgresServer, running_postgres


@pytest.fixture(scope="package")
def servers() -> Iterator[Callable[[int], PostgresServer]]:
    """Return the server of a version, started once."""
    with ExitStack() as stack:
        running: dict[int, PostgresServer] = {}

        def find(major: int) -> PostgresServer:
            if major not in running:
                running[major] = stack.enter_context(running_postgres(major))
            return running[major]

        yield find


@pytest.fixture
def library(environment: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], Settings]:
    """Switch to a library in a home and a database of its own."""

    def switch(name: str, url: str) -> Settings:
        environment.setenv("SP404_HOME", str(tmp_path / name))
        environment.setenv("SP404_DATABASE_URL", url)
        settings.cache_clear()
        return settings()

    return switch


@pytest.fixture
def archive(
    servers: Callable[[int], PostgresServer],
    library: Callable[[str, str], Settings],
    tmp_path: Path,
) -> Path:
    here = library("first", servers(18).create_database())
    fill(here, EMAIL, KEY, "new")
    backup.create_backup(here, tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def other(
    archive: Path,
    servers: Callable[[int], PostgresServer],
    library: Callable[[str, str], Settings],
) -> Settings:
    """Another library, which is to be replaced by the archive."""
    here = library("second", servers(18).create_database())
    fill(here, "old@example.org", OTHER_KEY, "old")
    return here
