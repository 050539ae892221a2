"""What many sounds have in common, and previews of edits."""

from collections.abc import Callable

import pytest

from sp404_app.db import transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.bulk.common_values import CommonTag, CommonValue, read_common_values
from sp404_app.services.bulk.edits import CleanEdit, RenameEdit, SetEdit, TrashEdit
from sp404_app.services.bulk.preview import preview_edit
from tests.services.bulk.conftest import AddSounds, dump_samples, insert_sounds

pytestmark = pytest.mark.usefixtures("services")


def test_equal_values_are_common_and_others_are_mixed(user: User, sounds: AddSounds) -> None:
    ids = sounds(2, bpm=92.5, key="A minor", tags=["dusty", "tape"], rating=3, favourite=True)
    ids += sounds(1, bpm=92.5, tags=["dusty"], rating=3, favourite=True)
    with transaction() as session:
        found = read_common_values(session, user.id, ids)
    assert (found.count, found.size) == (3, 300)
    assert found.fields["bpm"] == CommonValue(92.5)
    assert found.fields["rating"] == CommonValue(3)
    assert found.fields["favourite"] == CommonValue(1)
    assert found.fields["key"] == CommonValue(is_mixed=True)  # one has none
    assert found.fields["kind"] == CommonValue()
    assert found.tags == [CommonTag("dusty", 3), CommonTag("tape", 2)]


def test_foreign_sounds_do_not_count(user: User, person: Callable[..., User]) -> None:
    foreign = insert_sounds(person().id, 2, bpm=92.5, tags=["secret"])
    with transaction() as session:
        found = read_common_values(session, user.id, foreign)
        with pytest.raises(NotFound):
            preview_edit(session, user.id, CleanEdit(), foreign)
    assert (found.count, found.tags, found.fields["bpm"]) == (0, [], CommonValue())


def test_a_preview_counts_all_and_lists_the_first(user: User, sounds: AddSounds) -> None:
    ids = sounds(6)
    before = dump_samples(user.id)
    with transaction() as session:
        found = preview_edit(session, user.id, RenameEdit(template="{name} {n}"), ids, limit=2)
    assert (found.changed, len(found.rows)) == (6, 2)
    assert found.rows[1].after == {"name": "Kick 2 2"}
    assert dump_samples(user.id) == before


def test_a_preview_shows_values_without_their_sources(user: User, sounds: AddSounds) -> None:
    with transaction() as session:
        found = preview_edit(session, user.id, SetEdit(bpm=90.0, add_tags=("a",)), sounds(1))
    assert found.rows[0].after == {"bpm": 90.0, "tags": ["a"]}


def test_a_deletion_has_no_preview(user: User, sounds: AddSounds) -> None:
    with transaction() as session, pytest.raises(ValidationFailed):
        preview_edit(session, user.id, TrashEdit(), sounds(1))
