"""Stored files are read back unchanged, and errors of the store have messages."""

import errno
import os
from pathlib import Path

import obstore
import pytest

from sp404_app.errors import NotFound, Unavailable
from sp404_app.services.infra import storage
from sp404_app.settings import Settings

pytestmark = pytest.mark.usefixtures("environment")


def test_a_stored_file_is_read_back_unchanged_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(2 * storage.CHUNK_BYTES + 17)
    (tmp_path / "file").write_bytes(content)
    key = storage.new_key(".wav")
    storage.save(tmp_path / "file", key)
    assert storage.object_size(key) == len(content)
    assert b"".join(storage.stream_object(key, 0, len(content))) == content
    assert (
        b"".join(storage.stream_object(key, 5, storage.CHUNK_BYTES + 9))
        == content[5 : storage.CHUNK_BYTES + 9]
    )
    assert list(storage.stream_object(key, 7, 7)) == []
    with storage.local_copy(key) as path:
        assert path.read_bytes() == content


def test_an_empty_file_can_be_stored(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage.save(tmp_path / "file", "aa/empty")
    assert storage.object_size("aa/empty") == 0


def test_a_missing_object_is_not_found_and_can_be_deleted_twice(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="missing"):
        storage.object_size("aa/nothing")
    with pytest.raises(NotFound, match="missing"), storage.local_copy("aa/nothing"):
        pass
    storage.delete_object("aa/nothing")


def test_a_deleted_object_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    storage.save(tmp_path / "file", "aa/x")
    storage.delete_object("aa/x")
    with pytest.raises(NotFound):
        storage.object_size("aa/x")


def test_a_copy_from_a_bucket_is_removed_after_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"bytes")
    storage.save(tmp_path / "file", "aa/x.wav")
    store = storage.store()
    monkeypatch.setattr(storage, "_folder", lambda: None)
    monkeypatch.setattr(storage, "store", lambda: store)
    with storage.local_copy("aa/x.wav") as path:
        assert (path.suffix, path.read_bytes()) == (".wav", b"bytes")
    assert not path.exists()


def test_a_full_or_broken_store_raises_unavailable_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "sounds").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="can't store"):
        storage.save(tmp_path / "file", "aa/x")


def test_keys_contain_no_user_input() -> None:
    keys = {storage.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.replace("/", "").isalnum() for key in keys)


def test_the_store_follows_the_settings(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sp404_app.settings import settings

    first = storage.store()
    environment.setenv("SP404_STORAGE_URL", (tmp_path / "other place").as_uri())
    settings.cache_clear()
    (tmp_path / "file").write_bytes(b"x")
    storage.save(tmp_path / "file", "aa/x")
    assert (tmp_path / "other place" / "aa" / "x").exists()
    assert [page for page in obstore.list(first) if page] == []


def test_a_store_that_can_be_listed_answers(services: Settings) -> None:
    assert storage.is_reachable()


def test_a_file_is_moved_into_a_local_store() -> None:
    path = storage.work_folder() / "made.zip"
    path.write_bytes(b"archive")
    storage.move_in(path, "folder/made.zip")
    assert not path.exists()
    with storage.local_copy("folder/made.zip") as stored:
        assert stored.read_bytes() == b"archive"


def test_a_file_on_another_disk_is_copied_into_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    path = storage.work_folder() / "made.zip"
    path.write_bytes(b"archive")
    monkeypatch.setattr(Path, "replace", refuse)
    storage.move_in(path, "folder/made.zip")
    assert not path.exists()
    with storage.local_copy("folder/made.zip") as stored:
        assert stored.read_bytes() == b"archive"
