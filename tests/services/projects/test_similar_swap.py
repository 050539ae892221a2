"""Swap a pad's sample for similar ones, back and forth."""

import datetime as dt
import uuid
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, select

from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.errors import ChangedMeanwhile, Conflict, NotFound, ValidationFailed
from sp404_app.models import ProjectStep, Sample, User
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.similar_swap import MAX_SIMILAR, swap_similar
from sp404_app.services.sample import similarity
from tests.services.projects.conftest import AddSample, MakeProject

PAD = PadPosition(0, 1)


@pytest.fixture
def ring(session: Session, user: User, add_sample: AddSample) -> list[Sample]:
    """Four snares, each a little further from the first, and a kick between them."""
    found = []
    for number, name in enumerate(["First", "Near", "Kick", "Far", "Farther"]):
        sound_class = "kick" if name == "Kick" else "snare"
        sample = add_sample(name, sound_class=sound_class, duration=1.0 + number)
        save(session, user, sample, number)
        found.append(sample)
    return [each for each in found if each.name != "Kick"]


def save(session: Session, user: User, sample: Sample, distance: float) -> None:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[0], vector[1] = 1.0, 0.1 * distance
    similarity.save_vector(session, user.id, sample.id, vector)


def name_on_pad(session: Session, target: Target) -> str:
    return history.load_pads(session, target.project_id)[PAD].name


def walk(session: Session, target: Target, *steps: int) -> list[str]:
    names, anchor = [], None
    for step in steps:
        done = swap_similar(session, target, PAD, step, anchor)
        anchor = done.anchor_id
        names.append(name_on_pad(session, target))
    return names


def test_a_step_back_undoes_a_step_forward(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    names = walk(session, target, 1, 1, -1, -1)
    assert names == ["Near", "Far", "Near", "First"]


def test_the_order_is_circular_and_of_one_class(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    names = walk(session, target, 1, 1, 1, 1, -1)
    assert names == ["Near", "Far", "Farther", "First", "Farther"]


def test_the_answer_says_where_the_sound_is(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    done = swap_similar(session, target, PAD, -1)
    assert (done.anchor_id, done.index, done.count) == (ring[0].id, 3, 4)


def test_settings_and_edit_stay_and_positions_do_not(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    settings = {"level": 90, "mute_group": 2, "start": 2_000, "play_mode": "reverse"}
    edit = {"trim": [100, 40_000], "pitch": 2, "fade_out": 0.1}
    change = pads.PadChange(settings=settings, edit=edit, chops=[0, 9_000])
    pads.set_pad(session, target, PAD, change)
    swap_similar(session, target, PAD, 1)
    row = history.load_pads(session, target.project_id)[PAD]
    kept = {name: row.settings[name] for name in settings}
    assert kept == settings | {"start": 0}
    assert (row.edit, row.chops) == ({"pitch": 2.0, "fade_out": 0.1}, [])
    assert row.frames == row.settings["loop_top"] == 2 * 48_000


def test_swaps_of_one_pad_within_a_minute_are_one_step_of_undo(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0], 2: ring[3]})
    walk(session, target, 1, 1)
    assert history.undo_step(session, target) == "Swap sound on A1"
    assert name_on_pad(session, target) == "First"
    assert history.redo_step(session, target) == "Swap sound on A1"
    assert name_on_pad(session, target) == "Far"
    swap_similar(session, target, PadPosition(0, 2), 1)
    assert history.undo_step(session, target) == "Swap sound on A2"


def test_a_swap_after_a_pause_is_a_step_of_its_own(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    walk(session, target, 1)
    for step in session.exec(select(ProjectStep)):
        step.created_at -= dt.timedelta(minutes=2)
        session.add(step)
    session.flush()
    swap_similar(session, target, PAD, 1, ring[0].id)
    history.undo_step(session, target)
    assert name_on_pad(session, target) == "Near"


def test_the_pads_sample_is_the_anchor_if_it_is_not_in_the_order(
    session: Session,
    user: User,
    ring: list[Sample],
    add_sample: AddSample,
    make_project: MakeProject,
) -> None:
    kicks = [add_sample(name, sound_class="kick") for name in ("Thump", "Boom")]
    for number, each in enumerate(kicks):
        save(session, user, each, 50 + number)
    target = make_project({1: kicks[0]})
    done = swap_similar(session, target, PAD, 1, ring[0].id)
    assert (done.anchor_id, name_on_pad(session, target)) == (kicks[0].id, "Boom")


def test_copies_of_the_anchor_are_left_out(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    ring[0].duplicate_group_id = ring[1].duplicate_group_id = uuid.uuid4()
    session.flush()
    assert walk(session, make_project({1: ring[0]}), 1) == ["Far"]


def test_loops_come_before_one_shots_if_the_pad_has_a_loop(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    for sample, kind in zip(ring, ("loop", "one_shot", "loop", "one_shot"), strict=True):
        sample.kind = kind
    session.flush()
    assert walk(session, make_project({1: ring[0]}), 1, 1, 1) == ["Far", "Near", "Farther"]


def test_the_order_is_bounded(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    made = [add_sample(f"Hat {n}", sound_class="closed hat") for n in range(MAX_SIMILAR + 5)]
    for number, each in enumerate(made):
        save(session, user, each, number)
    assert swap_similar(session, make_project({1: made[0]}), PAD, 1).count == MAX_SIMILAR + 1


def test_a_sound_without_similar_ones_is_a_conflict(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({1: add_sample("Alone", sound_class="fx")})
    with pytest.raises(Conflict):
        swap_similar(session, target, PAD, 1)


@pytest.mark.parametrize("step", [0, 2, None, [], "1", float("nan")])
def test_a_step_is_one_forward_or_back(
    session: Session, make_project: MakeProject, step: Any
) -> None:
    with pytest.raises(ValidationFailed):
        swap_similar(session, make_project({}), PAD, step)


def test_an_empty_pad_is_refused(session: Session, make_project: MakeProject) -> None:
    with pytest.raises(ValidationFailed, match="Pad A1 has no sound"):
        swap_similar(session, make_project({}), PAD, 1)


def test_foreign_projects_and_anchors_are_unknown(
    session: Session,
    ring: list[Sample],
    add_sample: AddSample,
    make_project: MakeProject,
    person: Any,
) -> None:
    stranger = person()
    target = make_project({1: ring[0]})
    with pytest.raises(NotFound):
        swap_similar(session, Target(stranger.id, target.project_id), PAD, 1)
    for anchor in (add_sample("Theirs", owner=stranger).id, uuid.uuid4()):
        with pytest.raises(NotFound):
            swap_similar(session, target, PAD, 1, anchor)


def test_an_old_revision_of_the_pad_is_refused(
    session: Session, ring: list[Sample], make_project: MakeProject
) -> None:
    target = make_project({1: ring[0]})
    with pytest.raises(ChangedMeanwhile):
        swap_similar(session, Target(target.user_id, target.project_id, 0), PAD, 1)
