"""A home has private folders, one lock and short socket paths."""

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

import pytest

from sp404_app.supervisor import home as module
from sp404_app.supervisor.errors import Failure, os_error_message
from sp404_app.supervisor.home import MAX_SOCKET_PATH_BYTES, SOCKET_NAME, Home, lock_home


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_folders_of_a_home_are_private(home: Home) -> None:
    for folder in (home.redis, home.web, home.logs, home.run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_can_be_locked_once(home: Home) -> None:
    with lock_home(home), pytest.raises(Failure, match=f"process {os.getpid()}"):
        lock_home(home)
    lock_home(home).close()


@pytest.mark.parametrize("length", [1, 200])
def test_socket_paths_are_short_enough_for_any_home(tmp_path: Path, length: int) -> None:
    home = Home(tmp_path / ("x" * length))
    assert len(os.fsencode(home.sockets / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES


def test_each_home_has_its_own_id_and_a_symlink_that_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert Home(tmp_path / "a").mark == Home(tmp_path / "link").mark
    assert Home(tmp_path / "a").mark != Home(tmp_path / "b").mark


def test_a_file_instead_of_a_folder_gives_one_message(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(Failure, match="is not a folder"):
        Home(tmp_path / "home").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_gives_one_message(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Failure, match="cannot be written"):
        Home(tmp_path / "home").prepare()
    tmp_path.chmod(0o700)


def test_a_full_disk_gives_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 5 << 20))
    with pytest.raises(Failure, match="5 MB left"):
        Home(tmp_path / "home").prepare()


def test_a_socket_folder_of_another_user_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    home = Home(tmp_path / ("x" * 200))
    home.sockets.symlink_to(tmp_path)
    with pytest.raises(Failure, match="another user"):
        home.prepare()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "full"),
        (errno.EROFS, "cannot be written"),
        (errno.ENOTDIR, "is not a folder"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_file_system_errors_have_a_message(number: int, words: str) -> None:
    assert words in os_error_message(OSError(number, os.strerror(number)), Path("/somewhere"))
