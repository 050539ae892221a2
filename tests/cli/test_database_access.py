"""Commands use the database of a library, whether or not it is running."""

import os
from pathlib import Path

import pytest

from sp404_app.cli import database_access, import_folder, main
from sp404_app.settings import Settings, settings
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock_home

ELSEWHERE = "postgresql://db.example/sp404"


@pytest.fixture
def home(environment: pytest.MonkeyPatch) -> Home:
    home = Home(settings().home)
    home.prepare()
    return home


def test_a_command_uses_the_external_database_of_a_running_library(
    home: Home, environment: pytest.MonkeyPatch
) -> None:
    here = Settings(database_url=ELSEWHERE)  # type: ignore[call-arg]
    with lock_home(home), database_access.database_url(here, exclusive=False) as url:
        assert url == ELSEWHERE


def test_an_exclusive_command_is_rejected_while_the_library_is_running(home: Home) -> None:
    here = Settings(database_url=ELSEWHERE)  # type: ignore[call-arg]
    with (
        lock_home(home),
        pytest.raises(Failure, match="already running"),
        database_access.database_url(here, exclusive=True),
    ):
        pytest.fail("the command ran")


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_library_cannot_start_while_a_command_runs(home: Home, *, exclusive: bool) -> None:
    here = Settings(database_url=ELSEWHERE)  # type: ignore[call-arg]
    with (
        database_access.database_url(here, exclusive=exclusive),
        pytest.raises(Failure, match="already running"),
    ):
        lock_home(home)
    lock_home(home).close()


def test_a_library_that_is_starting_gives_one_message(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock_home(home):
        assert main.main(["user", "list"]) == 1
    error = capsys.readouterr().err
    assert "is starting or stopping" in error
    assert error.count("\n") == 1


def test_a_folder_that_does_not_exist_cannot_be_imported(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing"
    assert main.main(["import", str(missing), "--user", "ada@example.org"]) == 1
    assert capsys.readouterr().err == f"{missing} is not a folder.\n"


@pytest.mark.parametrize("redis_url", ["", "redis://cache.example"])
def test_services_use_the_redis_of_the_settings_or_of_the_home(home: Home, redis_url: str) -> None:
    here = Settings(redis_url=redis_url)  # type: ignore[call-arg]
    import_folder.point_at(here, ELSEWHERE)
    assert settings().database_url == ELSEWHERE
    assert settings().redis_url == os.environ["SP404_REDIS_URL"]
    expected = redis_url or f"unix://{home.sockets}"
    assert settings().redis_url.startswith(expected)
