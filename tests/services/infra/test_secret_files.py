"""Secret files are private, complete and never overwritten."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from sp404_app.services.infra import encryption
from sp404_app.services.infra.secret_files import write_secret
from sp404_app.settings import settings


def test_only_the_owner_may_read_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert write_secret(path, b"secret")
    assert path.read_bytes() == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_secret_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert write_secret(path, b"first")
    assert not write_secret(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_one_of_several_concurrent_writers_wins(tmp_path: Path) -> None:
    path = tmp_path / "key"
    contents = [bytes([number]) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda content: write_secret(path, content), contents))
    assert won.count(True) == 1
    assert path.read_bytes() == contents[won.index(True)]


def test_processes_that_start_together_use_one_pepper(environment: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(8) as pool:
        peppers = set(pool.map(lambda _: encryption.pepper(), range(8)))
    assert peppers == {(settings().secrets / "pepper").read_bytes()}
    assert settings().secrets.stat().st_mode & 0o777 == 0o700


def test_a_new_pepper_is_used_although_its_file_has_the_inode_of_a_former_one(
    environment: pytest.MonkeyPatch,
) -> None:
    encryption.pepper()
    path = settings().secrets / "pepper"
    inode = path.stat().st_ino
    path.chmod(0o600)
    path.write_bytes(b"n" * 32)  # as a file system does that gives a freed inode to the next file
    assert path.stat().st_ino == inode
    assert encryption.pepper() == b"n" * 32


def test_a_value_is_encrypted_differently_each_time(environment: pytest.MonkeyPatch) -> None:
    boxes = [encryption.encrypt(b"secret", b"row 1") for _ in range(2)]
    assert boxes[0] != boxes[1]
    assert [encryption.decrypt(box, b"row 1") for box in boxes] == [b"secret"] * 2


def test_a_value_cannot_be_moved_to_another_row_or_server(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    box = encryption.encrypt(b"secret", b"row 1")
    with pytest.raises(InvalidTag):
        encryption.decrypt(box, b"row 2")
    environment.setenv("SP404_HOME", str(tmp_path / "other"))
    settings.cache_clear()
    with pytest.raises(InvalidTag):
        encryption.decrypt(box, b"row 1")
