"""A stored file that no row names is deleted, whatever crashed in between."""

import datetime as dt
from pathlib import Path

import pytest
from sqlmodel import col, select

from sp404_app.db import transaction
from sp404_app.errors import Duplicate, NotFound, Unavailable
from sp404_app.models import ObjectDeletion, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.infra import object_deletions, storage
from sp404_app.services.library import samples, trash
from tests.sounds import Keep, tone, write


def notes() -> list[str]:
    with transaction() as session:
        return list(session.exec(select(ObjectDeletion.key)))


def house_keeping(after: dt.timedelta) -> None:
    with transaction() as session:
        object_deletions.delete_due_objects(session, now() + after)


def is_stored(key: str) -> bool:
    try:
        storage.object_size(key)
    except NotFound:
        return False
    return True


@pytest.mark.usefixtures("services")
def test_a_file_of_an_upload_that_was_killed_is_deleted_after_a_day() -> None:
    key = storage.new_key()
    object_deletions.announce_object(key)
    storage.save_bytes(b"half of an upload", key)  # and here the process dies
    house_keeping(dt.timedelta(hours=23))
    assert is_stored(key)
    house_keeping(dt.timedelta(hours=25))
    assert not is_stored(key)
    assert not notes()


def test_the_file_of_a_sample_is_kept_even_if_it_is_noted(keep: Keep) -> None:
    sample_id = keep()
    assert not notes()
    with transaction() as session:
        key = session.get_one(Sample, sample_id).storage_key
    object_deletions.announce_object(key)
    house_keeping(dt.timedelta(days=2))
    assert is_stored(key)
    assert not notes()


def test_an_upload_that_is_refused_leaves_neither_file_nor_note(
    keep: Keep, user: User, tmp_path: Path
) -> None:
    keep()
    before = {stored.key for stored in storage.list_folder("")}
    path = write(tmp_path / "same.wav", tone(200.0), subtype="PCM_16")
    with transaction() as session:
        digest = session.exec(select(Sample.digest)).one()
    incoming = samples.inspect_file(path, "same.wav")
    assert incoming.digest == digest
    with pytest.raises(Duplicate), transaction() as session:
        samples.add_sample(session, user.id, incoming)
    assert {stored.key for stored in storage.list_folder("")} == before
    assert not notes()


def test_a_deletion_that_the_store_refused_is_repeated(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = keep()

    def refuse(_key: str) -> None:
        raise OSError("the store is away")

    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        key, sample.deleted_at = sample.storage_key, now()
    with monkeypatch.context() as away:
        away.setattr(storage, "delete_object", refuse)
        with transaction() as session:
            trash.purge_samples(session, col(Sample.id) == sample_id)
        house_keeping(dt.timedelta(hours=1))
    assert is_stored(key)
    assert notes() == [key]
    house_keeping(dt.timedelta(hours=1))
    assert not is_stored(key)
    assert not notes()


@pytest.mark.usefixtures("services")
def test_a_rolled_back_deletion_deletes_nothing() -> None:
    key = storage.new_key()
    storage.save_bytes(b"a sound", key)
    with pytest.raises(Unavailable):
        delete_and_fail(key)
    assert is_stored(key)
    assert not notes()


def delete_and_fail(key: str) -> None:
    with transaction() as session:
        object_deletions.delete_objects_later(session, [key])
        raise Unavailable("no")
