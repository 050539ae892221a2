"""Samples are added to collections by the dialog and by drops, and both can be undone."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.jobs import runner
from sp404_app.models import User
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.processing import jobs
from sp404_app.state.bulk import bulk_progress
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.collections import add_to_collection
from sp404_app.state.collections.add_to_collection import (
    UNDO_ADDITION,
    AddToCollectionState,
)
from sp404_app.state.library.bulk_messages import addition_message
from sp404_app.state.library.library import LibraryState
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.collections.conftest import Open, run, said

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def make(user: User, name: str, *ids: uuid.UUID, rules: Any = None) -> uuid.UUID:
    with transaction() as session:
        made = collections.create_collection(
            session, user.id, name=name, sample_ids=ids, rules=rules
        )
        return made.id


def members(user: User, collection_id: uuid.UUID) -> Sequence[uuid.UUID]:
    with transaction() as session:
        return collection_samples.list_sample_ids(session, user.id, collection_id)


def library_with(tab: Open, *selected: uuid.UUID) -> LibraryState:
    library: LibraryState = tab(LibraryState)
    library.query = SampleQuery(sort="name")
    library._selected = {str(each) for each in selected}
    return library


async def test_a_selection_is_added_in_the_order_of_the_list(
    tab: Open, keep: Keep, user: User
) -> None:
    ids = [keep(f"{letter}.wav") for letter in "CAB"]
    drums = make(user, "Drums")
    library = library_with(tab, *ids)
    dialog = tab(AddToCollectionState, root=library._get_root_state())
    await run(dialog.open_dialog())
    assert (dialog.is_open, dialog.sounds) == (True, "3 sounds")
    assert [each.name for each in dialog.choices] == ["Drums"]
    events = await run(dialog.choose(str(drums)))
    assert "Added 3 sounds to “Drums”." in said(events)
    assert members(user, drums) == [ids[1], ids[2], ids[0]]
    assert not dialog.is_open


async def test_smart_collections_are_no_choice(tab: Open, keep: Keep, user: User) -> None:
    rules = {"match": "all", "terms": [{"field": "favourite", "op": "is", "value": True}]}
    make(user, "Best", rules=rules)
    dialog = tab(AddToCollectionState)
    await run(dialog.open_for_sample(str(keep())))
    assert dialog.choices == []


async def test_undo_removes_only_what_was_added(tab: Open, keep: Keep, user: User) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    drums = make(user, "Drums", kick)
    library = library_with(tab, kick, snare)
    dialog = tab(AddToCollectionState, root=library._get_root_state())
    events = await run(dialog.drop(str(drums), str(kick)))
    assert "Added 1 sound to “Drums”. 1 sound was already in it." in said(events)
    assert UNDO_ADDITION in said(events)
    await run(dialog.undo_addition())
    await run(dialog.undo_addition())
    assert members(user, drums) == [kick]


async def test_a_drop_of_a_row_outside_the_selection_adds_only_it(
    tab: Open, keep: Keep, user: User
) -> None:
    ids = [keep(f"{letter}.wav") for letter in "ABC"]
    drums = make(user, "Drums")
    library = library_with(tab, *ids[:2])
    dialog = tab(AddToCollectionState, root=library._get_root_state())
    await run(dialog.drop(str(drums), str(ids[2])))
    assert members(user, drums) == [ids[2]]


async def test_a_new_collection_gets_the_samples_once(tab: Open, keep: Keep, user: User) -> None:
    kick = keep()
    dialog = tab(AddToCollectionState)
    await run(dialog.open_for_sample(str(kick)))
    await run(dialog.create("  Drums  "))
    dialog._sample_ids = [str(kick)]
    await run(dialog.create("  Drums  "))
    with transaction() as session:
        (found,) = collections.list_collections(session, user.id)
    assert (found.name, found.count) == ("Drums", 1)


async def test_many_samples_are_added_by_a_job_that_the_page_follows(
    tab: Open, keep: Keep, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add_to_collection, "ADDED_AT_ONCE", 1)
    ids = [keep("Kick.wav"), keep("Snare.wav")]
    library = library_with(tab, *ids)
    dialog = tab(AddToCollectionState, root=library._get_root_state())
    progress = tab(BulkProgressState, root=library._get_root_state())
    for act in (dialog.create("New"), dialog.choose(str(make(user, "Drums")))):
        await run(dialog.open_dialog())
        await run(act)
        assert progress.label.startswith("Adding to “")
        runner.run(progress._job_id)
        with transaction() as session:
            job = jobs.get_job(session, user.id, uuid.UUID(progress._job_id))
        assert bulk_progress.edit_message(job).startswith("Added 2 sounds to “")
    with transaction() as session:
        found = collections.list_collections(session, user.id)
    assert {(each.name, each.count) for each in found} == {("New", 2), ("Drums", 2)}


async def test_a_collection_whose_samples_are_refused_is_not_created(
    tab: Open, keep: Keep, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add_to_collection, "ADDED_AT_ONCE", 1)
    kick = keep("Kick.wav")
    dialog = tab(AddToCollectionState)
    await run(dialog.open_for_sample(str(kick)))
    dialog._sample_ids = [str(kick), str(uuid.uuid4())]  # the second was deleted for good
    with pytest.raises(NotFound):
        await run(dialog.create("New"))
    assert dialog.is_open
    with transaction() as session:
        assert collections.list_collections(session, user.id) == []


async def test_the_dialog_says_which_collections_have_the_sounds(
    tab: Open, keep: Keep, user: User
) -> None:
    kick = keep()
    make(user, "Drums", kick)
    dialog = tab(AddToCollectionState)
    await run(dialog.open_for_sample(str(kick)))
    assert [each.is_full for each in dialog.choices] == [True]
    events = await run(dialog.choose(dialog.choices[0].id))
    assert "This sound is already in “Drums”." in said(events)


async def test_samples_and_collections_of_others_are_unknown(
    tab: Open, keep: Keep, user: User, person: Any
) -> None:
    other = person()
    theirs = make(other, "Theirs")
    foreign = keep(owner=other.id)
    dialog = tab(AddToCollectionState)
    with pytest.raises(NotFound):
        await run(dialog.drop(str(theirs), str(keep())))
    with pytest.raises(NotFound):
        await run(dialog.drop(str(make(user, "Drums")), str(foreign)))
    with pytest.raises(NotFound):
        await run(dialog.open_for_sample(str(foreign)))


async def test_handlers_survive_any_argument_and_need_a_user(tab: Open, user: User) -> None:
    dialog = tab(AddToCollectionState)
    hostile: list[Any] = [None, 3, "x", [], {}, "\x00", str(uuid.uuid4())]
    for bad in hostile:
        for handler in (dialog.open_for_sample, dialog.choose, dialog.create):
            with suppress(AppError):
                await run(handler(bad))
        with suppress(AppError):
            await run(dialog.drop(bad, bad))
    stranger = tab(AddToCollectionState, "x")
    for handler in (stranger.open_dialog, stranger.undo_addition, stranger.close):
        with pytest.raises(Unauthenticated):
            await run(handler())


@pytest.mark.parametrize(
    ("added", "already", "message"),
    [
        (1, 0, "Added 1 sound to “Drums”."),
        (3, 2, "Added 3 sounds to “Drums”. 2 sounds were already in it."),
        (0, 2, "These sounds are already in “Drums”."),
        (0, 0, "Nothing was added to “Drums”."),
    ],
)
def test_the_notice_counts_what_was_added(added: int, already: int, message: str) -> None:
    assert addition_message("Drums", added, already) == message
