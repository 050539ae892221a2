"""Revisions, undo and redo of a project, also under concurrent changes."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import func, select, update

from sp404_app.db import in_transaction, transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import AppError, ChangedMeanwhile, Conflict, NotFound
from sp404_app.models import Project, ProjectPad, ProjectStep, User
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.services.library import samples
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import MAX_STEPS, Target
from sp404_app.services.projects.kit import Kit, PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.services.projects.kits import names, place
from tests.sounds import Keep


def run(change: Callable[..., Any], target: Target, *values: Any) -> Any:
    with transaction() as session:
        return change(session, target, *values)


def put(target: Target, at: str, sample_id: uuid.UUID) -> None:
    run(pads.set_pad, target, place(at), PadChange(sample_id))


def set_level(target: Target, at: str, level: int) -> None:
    run(pads.set_pad, target, place(at), PadChange(settings={"level": level}))


def read(target: Target) -> Kit:
    with transaction() as session:
        return history.load_kit(
            session, history.get_project(session, target.user_id, target.project_id)
        )


def row(target: Target) -> Project:
    with transaction() as session:
        return history.get_project(session, target.user_id, target.project_id)


def labels(target: Target) -> tuple[str, str]:
    with transaction() as session:
        project = history.get_project(session, target.user_id, target.project_id)
        return history.next_labels(session, project)


def at_revision(target: Target) -> Target:
    return replace(target, revision=row(target).revision)


def outcomes(*calls: Callable[[], object]) -> list[object]:
    """Run calls at the same time; return what each returned or which error it raised."""
    start = Barrier(len(calls))

    def call(work: Callable[[], object]) -> object:
        start.wait(timeout=20)
        try:
            return work()
        except AppError as error:
            return type(error)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_a_change_is_one_revision_and_one_step(project: Target, keep: Keep) -> None:
    put(project, "A1", keep())
    changed = row(project)
    assert (changed.revision, changed.history_position) == (2, 1)
    assert labels(project) == ("Put sound on A1", "")


def test_a_change_that_changes_nothing_is_no_step(project: Target, keep: Keep) -> None:
    sample_id = keep()
    put(project, "A1", sample_id)
    set_level(project, "A1", 50)
    run(pads.set_pad, project, place("A1"), PadChange(settings={"level": 50}))
    put(project, "A1", sample_id)
    run(pads.clear_pad, project, place("B1"))
    assert (row(project).revision, read(project).pads[place("A1")].settings["level"]) == (3, 50)


def test_an_old_revision_is_refused_and_changes_nothing(project: Target, keep: Keep) -> None:
    seen = at_revision(project)
    sample_id = keep()
    put(project, "A1", sample_id)
    with pytest.raises(ChangedMeanwhile) as refusal:
        run(pads.fill, seen, place("A2"), [sample_id])
    assert refusal.value.details == {"revision": 2}
    for change in (history.undo_step, history.redo_step):
        with pytest.raises((ChangedMeanwhile, Conflict)):
            run(change, seen)
    assert names(read(project)) == {"A1": "Kick"}


def test_the_revision_of_a_pad_is_that_of_its_last_change(project: Target, keep: Keep) -> None:
    first, second = keep(), keep()
    put(replace(project, revision=0), "A1", first)
    put(replace(project, revision=0), "A2", second)
    set_level(replace(project, revision=2), "A1", 5)  # A2 has changed since, A1 has not
    with pytest.raises(ChangedMeanwhile) as refusal:
        set_level(replace(project, revision=2), "A1", 6)
    assert refusal.value.details == {"revision": 4}
    run(pads.clear_pad, replace(project, revision=4), place("A1"))
    with pytest.raises(ChangedMeanwhile) as refusal:
        set_level(replace(project, revision=4), "A1", 6)
    assert refusal.value.details == {"revision": 0}


def test_a_new_change_clears_what_could_be_redone(project: Target, keep: Keep) -> None:
    for at in ("A1", "A2", "A3"):
        put(project, at, keep())
    run(history.undo_step, project)
    run(history.undo_step, project)
    assert labels(project) == ("Put sound on A1", "Put sound on A2")
    put(project, "B1", keep())
    assert labels(project) == ("Put sound on B1", "")
    with pytest.raises(Conflict):
        run(history.redo_step, project)
    assert set(names(read(project))) == {"A1", "B1"}


def test_two_hundred_steps_can_be_undone_and_the_201st_cannot(project: Target, keep: Keep) -> None:
    put(project, "A1", keep())
    levels = [n % 100 for n in range(MAX_STEPS)]
    for level in levels:
        set_level(project, "A1", level)
    for expected in [*reversed(levels[:-1]), 127]:
        run(history.undo_step, project)
        assert read(project).pads[place("A1")].settings["level"] == expected
    with pytest.raises(Conflict):  # putting the sound on the pad was the 201st
        run(history.undo_step, project)
    with transaction() as session:
        assert session.exec(select(func.count()).select_from(ProjectStep)).one() == MAX_STEPS
    for _ in range(MAX_STEPS):
        run(history.redo_step, project)
    assert read(project).pads[place("A1")].settings["level"] == levels[-1]


def test_undo_brings_back_name_tempo_and_banks(project: Target) -> None:
    first = read(project)
    changes = {"name": "Dawn", "tempo": 120.5, "banks": [{"bank": "C", "volume": 5}]}
    run(projects.change_details, project, changes)
    changed = read(project)
    assert (changed.name, changed.tempo, changed.banks[2]["volume"]) == ("Dawn", 120.5, 5)
    run(history.undo_step, project)
    assert read(project) == first
    run(history.redo_step, project)
    assert read(project) == changed


def test_undo_after_a_sample_was_deleted_for_good_leaves_its_pad_with_its_name(
    project: Target, keep: Keep
) -> None:
    sample_id = keep("Snare.wav")
    put(project, "A1", sample_id)
    run(pads.clear_pad, project, place("A1"))
    delete_for_good(project, sample_id)
    run(history.undo_step, project)
    pad = read(project).pads[place("A1")]
    assert (pad.sample_id, pad.name) == (None, "Snare")
    run(history.undo_step, project)
    assert read(project).pads == {}


def delete_for_good(target: Target, sample_id: uuid.UUID) -> None:
    with transaction() as session:
        samples.delete_samples(session, target.user_id, [sample_id])
        samples.delete_for_good(session, target.user_id, [sample_id])


def test_a_project_in_the_trash_cannot_be_changed(project: Target, keep: Keep) -> None:
    put(project, "A1", keep())
    with transaction() as session:
        projects.delete_project(session, project.user_id, project.project_id)
    before = read(project)
    changes: list[Callable[[], object]] = [
        lambda: set_level(project, "A1", 5),
        lambda: run(pads.clear_pad, project, place("A1")),
        lambda: run(history.undo_step, project),
        lambda: run(projects.change_details, project, {"name": "x"}),
    ]
    for change in changes:
        with pytest.raises(Conflict, match="trash"):
            change()
    assert read(project) == before


def test_the_project_of_another_user_does_not_exist(
    project: Target, keep: Keep, person: Callable[..., User]
) -> None:
    stranger = replace(project, user_id=person().id)
    theirs = keep(owner=stranger.user_id)
    changes: list[Callable[[], object]] = [
        lambda: put(stranger, "A1", theirs),
        lambda: run(pads.fill, stranger, place("A1"), [theirs]),
        lambda: run(pads.move, stranger, place("A1"), place("A2"), "swap"),
        lambda: run(pads.clear_whole_bank, stranger, 0),
        lambda: run(history.undo_step, stranger),
        lambda: run(projects.change_details, stranger, {"name": "x"}),
    ]
    for change in changes:
        with pytest.raises(NotFound, match="no such project"):
            change()
    assert row(project).revision == 1


def test_of_two_changes_of_one_pad_with_the_same_revision_one_wins(
    project: Target, keep: Keep
) -> None:
    put(project, "A1", keep())
    seen = replace(project, revision=2)
    done = outcomes(*[lambda n=n: set_level(seen, "A1", n) for n in range(8)])
    assert done.count(None) == 1
    assert done.count(ChangedMeanwhile) == 7
    assert read(project).pads[place("A1")].settings["level"] == done.index(None)
    assert row(project).revision == 3


def test_no_change_is_lost_when_many_come_at_once(project: Target, keep: Keep) -> None:
    ids = [keep() for _ in range(8)]
    outcomes(*[lambda n=n: put(project, f"A{n + 1}", ids[n]) for n in range(8)])
    outcomes(*[lambda n=n: set_level(project, f"A{n + 1}", n) for n in range(8)])
    kit = read(project)
    assert [kit.pads[place(f"A{n + 1}")].settings["level"] for n in range(8)] == list(range(8))
    assert (row(project).revision, row(project).history_position) == (17, 16)


def test_changes_of_different_settings_of_one_pad_at_once_are_merged(
    project: Target, keep: Keep
) -> None:
    put(project, "A1", keep())
    changes = [{"level": 5}, {"pan": 6}, {"attack": 7}, {"mute_group": 8}]
    outcomes(
        *[
            lambda each=each: run(pads.set_pad, project, place("A1"), PadChange(settings=each))
            for each in changes
        ]
    )
    assert (
        read(project).pads[place("A1")].settings.items()
        >= {name: value for each in changes for name, value in each.items()}.items()
    )


def test_undo_from_two_tabs_at_once_undoes_one_step_each_or_refuses_one(
    project: Target, keep: Keep
) -> None:
    for at in ("A1", "A2", "A3"):
        put(project, at, keep())
    seen = at_revision(project)
    done = outcomes(*[lambda: run(history.undo_step, seen)] * 2)
    assert sorted(map(str, done)) == sorted([str(ChangedMeanwhile), "Put sound on A3"])
    done = outcomes(*[lambda: run(history.undo_step, project)] * 3)
    assert sorted(map(str, done)) == sorted([str(Conflict), "Put sound on A1", "Put sound on A2"])
    assert read(project).pads == {}


def test_a_sample_that_is_deleted_while_pads_change_leaves_a_pad_without_sample(
    project: Target, keep: Keep
) -> None:
    """The deletion has locked the sample, but not yet cleared its pads."""
    sample_id, other = keep(), keep()
    put(project, "A1", sample_id)
    put(project, "A2", other)
    deleted, moved = Event(), Event()

    def delete() -> None:
        with transaction() as session:
            samples.delete_samples(session, project.user_id, [sample_id])
            samples.delete_for_good(session, project.user_id, [sample_id])
            deleted.set()
            moved.wait(timeout=1)  # the change below waits for this transaction

    def move() -> None:
        deleted.wait(timeout=20)
        run(pads.move, project, place("A1"), place("A2"), "swap")
        moved.set()

    assert outcomes(delete, move) == [None, None]
    kit = read(project)
    assert [kit.pads[place(at)].sample_id for at in ("A1", "A2")] == [other, None]


def test_samples_may_be_deleted_for_good_while_their_pads_move(project: Target, keep: Keep) -> None:
    ids = [keep() for _ in range(6)]
    run(pads.fill, project, place("A1"), ids)

    def swap(number: int) -> None:
        for _ in range(10):
            run(pads.move, project, place(f"A{number}"), place(f"A{7 - number}"), "swap")

    def delete() -> None:
        for sample_id in ids:
            delete_for_good(project, sample_id)

    assert outcomes(lambda: swap(1), lambda: swap(2), lambda: swap(3), delete) == [None] * 4
    kit = read(project)
    assert len(kit.pads) == 6
    assert {pad.sample_id for pad in kit.pads.values()} == {None}


def test_a_pad_read_before_the_lock_is_read_again(project: Target, keep: Keep) -> None:
    """A service may read pads first, in the same transaction."""
    put(project, "A1", keep())
    with transaction() as session:
        seen = history.load_pads(session, project.project_id)
        set_level(project, "A1", 5)
        pads.set_pad(session, project, place("A1"), PadChange(settings={"pan": 6}))
        assert seen
    settings_now = read(project).pads[place("A1")].settings
    assert (settings_now["level"], settings_now["pan"]) == (5, 6)


@pytest.mark.parametrize("column", ["sample_id", "project_id"])
def test_the_database_keeps_pad_project_and_sample_with_one_owner(
    column: str, project: Target, keep: Keep, person: Callable[..., User]
) -> None:
    put(project, "A1", keep())
    stranger = person()
    with transaction() as session:
        theirs = projects.create_project(session, stranger.id, "x", read(project).device).project
    foreign = {"sample_id": keep(owner=stranger.id), "project_id": theirs.id}[column]
    with pytest.raises(Exception, match="foreign key"), transaction() as session:
        session.exec(update(ProjectPad).values({column: foreign}))


async def test_a_change_is_published_and_updates_the_quota_only_if_a_trashed_sample_is_involved(
    project: Target, keep: Keep
) -> None:
    sample_id = keep()
    stream = events.listen(project.user_id)
    await anext(stream)
    await in_transaction(pads.set_pad, project, place("A1"), PadChange(sample_id))
    assert {each.topic for each in await anext(stream)} == {Topic.PROJECT}
    await in_transaction(samples.delete_samples, project.user_id, [sample_id])
    await anext(stream)
    await in_transaction(pads.clear_pad, project, place("A1"))
    assert {each.topic for each in await anext(stream)} == {Topic.PROJECT, Topic.QUOTA}
    await stream.aclose()


places = st.builds(PadPosition, st.integers(0, 2), st.integers(1, 4))
operations = st.one_of(
    st.tuples(st.just("put"), places, st.integers(0, 2)),
    st.tuples(st.just("level"), places, st.integers(0, 127)),
    st.tuples(st.just("edit"), places, st.sampled_from([{}, {"reverse": True}, {"stretch": 2}])),
    st.tuples(st.just("clear"), places, st.none()),
    st.tuples(st.just("fill"), places, st.integers(1, 5)),
    st.tuples(st.just("swap"), places, places),
    st.tuples(st.just("copy"), places, places),
    st.tuples(st.just("bank"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("clear bank"), st.integers(0, 2), st.none()),
    st.tuples(st.just("tempo"), st.none(), st.integers(40, 200)),
)


def perform(target: Target, ids: list[uuid.UUID], what: str, first: Any, second: Any) -> None:
    works: dict[str, Callable[[], Any]] = {
        "put": lambda: run(pads.set_pad, target, first, PadChange(ids[second])),
        "level": lambda: run(pads.set_pad, target, first, PadChange(settings={"level": second})),
        "edit": lambda: run(pads.set_pad, target, first, PadChange(edit=second)),
        "clear": lambda: run(pads.clear_pad, target, first),
        "fill": lambda: run(pads.fill, target, first, [*ids, *ids][:second]),
        "swap": lambda: run(pads.move, target, first, second, "swap"),
        "copy": lambda: run(pads.move, target, first, second, "copy"),
        "bank": lambda: run(pads.move_whole_bank, target, first, second, "swap"),
        "clear bank": lambda: run(pads.clear_whole_bank, target, first),
        "tempo": lambda: run(projects.change_details, target, {"tempo": second}),
    }
    works[what]()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(several=st.lists(operations, min_size=1, max_size=12))
def test_any_changes_undone_give_the_first_kit_and_redone_the_last(
    several: list[tuple[str, Any, Any]], user: User, keep: Keep
) -> None:
    ids = [keep() for _ in range(3)]
    with transaction() as session:
        made = projects.create_project(session, user.id, "x", MK2, ids[:2])
        target = Target(user.id, made.project.id)
    kits = [read(target)]
    for what, first, second in several:
        try:
            perform(target, ids, what, first, second)
        except AppError:  # such as a move of an empty pad
            assert read(target) == kits[-1]
            continue
        if read(target) != kits[-1]:
            kits.append(read(target))
    for kit in reversed(kits[:-1]):
        run(history.undo_step, target)
        assert read(target) == kit
    with pytest.raises(Conflict):
        run(history.undo_step, target)
    for kit in kits[1:]:
        run(history.redo_step, target)
        assert read(target) == kit
