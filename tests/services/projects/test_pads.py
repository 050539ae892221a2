"""Put samples on pads, change, fill, move and clear them."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.devices.capabilities import SX
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import Kit, PadContent
from sp404_app.services.projects.pads import PadChange
from sp404_app.services.projects.schemas import project_details
from tests.services.projects.kits import names, place
from tests.sounds import Keep


def put(target: Target, at: str, sample_id: uuid.UUID | None = None, **parts: Any) -> PadContent:
    with transaction() as session:
        pads.set_pad(session, target, place(at), PadChange(sample_id, **parts))
    return read(target).pads[place(at)]


def fill(target: Target, at: str, ids: list[uuid.UUID]) -> tuple[list[str], list[uuid.UUID]]:
    with transaction() as session:
        done = pads.fill(session, target, place(at), ids)
        return list(map(str, done.filled)), done.not_placed


def read(target: Target) -> Kit:
    with transaction() as session:
        project = history.get_project(session, target.user_id, target.project_id)
        return history.load_kit(session, project)


def describe(sample_id: uuid.UUID, **fields: object) -> None:
    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        for name, value in fields.items():
            setattr(sample, name, value)


def test_a_new_pad_has_the_samples_name_tempo_and_length(project: Target, keep: Keep) -> None:
    sample_id = keep("Break.wav")
    describe(sample_id, bpm=92.504, duration=2.0, sample_rate=44_100)
    pad = put(project, "A1", sample_id)
    assert (pad.name, pad.settings["bpm"], pad.frames) == ("Break", 92.5, 96_000)
    describe(sample_id, bpm=250.0)  # no device stores it
    assert put(project, "A2", sample_id).settings["bpm"] is None


def test_an_empty_pad_needs_a_sample(project: Target) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        put(project, "A1", settings={"level": 5})
    assert list(refusal.value.details) == ["sample_id"]


def test_the_same_sample_again_leaves_the_pad_as_it_is(project: Target, keep: Keep) -> None:
    sample_id = keep()
    before = put(project, "A1", sample_id, settings={"start": 500}, edit={"reverse": True})
    again = put(project, "A1", sample_id, settings={"level": 5})
    assert again == replace(before, settings={**before.settings, "level": 5})


def test_another_sample_keeps_the_pads_settings_but_not_its_edit_and_positions(
    project: Target, keep: Keep
) -> None:
    wanted = {"level": 50, "mute_group": 3, "start": 500, "play_mode": "reverse"}
    put(project, "A1", keep("Kick.wav"), settings=wanted, edit={"gain_db": 3}, chops=[0, 900])
    swapped = put(project, "A1", keep("Snare.wav"))
    kept = {"level": 50, "mute_group": 3, "start": 0, "loop_top": 0, "play_mode": "forward"}
    assert {name: swapped.settings[name] for name in kept} == kept
    assert (swapped.name, swapped.edit, swapped.chops) == ("Snare", None, ())


def test_another_sample_is_not_slowed_down_by_the_former_resample_trick(
    project: Target, keep: Keep
) -> None:
    put(project, "A1", keep(), edit={"resample_trick": 5})
    assert put(project, "A1", keep()).settings["speed"] == 100


def test_a_name_is_one_line_of_200_characters_and_never_empty(project: Target, keep: Keep) -> None:
    sample_id = keep("Kick.wav")
    assert put(project, "A1", sample_id, name="x" * 300).name == "x" * 200
    assert put(project, "A1", name=" \u202eסנר\n\x00 1 ").name == "סנר 1"
    assert put(project, "A1", name="\u202e \ud800").name == "סנר 1"


def test_a_pad_link_holds_four_pads(project: Target, keep: Keep) -> None:
    sample_id = keep()
    for pad in range(1, 5):
        put(project, f"A{pad}", sample_id, settings={"pad_link": 3})
    with pytest.raises(ValidationFailed) as refusal:
        put(project, "B1", sample_id, settings={"pad_link": 3})
    assert list(refusal.value.details) == ["settings.pad_link"]
    put(project, "A1", settings={"level": 5})  # a linked pad can still be changed
    put(project, "A1", settings={"pad_link": 0})
    assert put(project, "B1", sample_id, settings={"pad_link": 3}).settings["pad_link"] == 3


def test_a_refused_change_changes_nothing(project: Target, keep: Keep) -> None:
    before = put(project, "A1", keep())
    hostile: list[dict[str, Any]] = [
        {"settings": {"level": 128}},
        {"settings": "loud"},
        {"edit": {"stretch": 9}},
        {"edit": [1]},
        {"chops": [-1]},
        {"chops": 5},
        {"name": 5},
    ]
    for parts in hostile:
        with pytest.raises(ValidationFailed):
            put(project, "A1", **{"name": "new"} | parts)
    assert read(project).pads[place("A1")] == before


@pytest.mark.parametrize("where", ["trash", "nowhere", "another library"])
def test_a_sample_that_is_not_in_the_library_cannot_be_put_on_a_pad(
    where: str, project: Target, keep: Keep, person: Callable[..., User]
) -> None:
    good = keep()
    bad = uuid.uuid4() if where == "nowhere" else keep()
    if where == "another library":
        bad = keep(owner=person().id)
    if where == "trash":
        with transaction() as session:
            samples.delete_samples(session, project.user_id, [bad])
    with pytest.raises(NotFound):
        put(project, "A1", bad)
    with pytest.raises(NotFound):
        fill(project, "A1", [good, bad])
    assert read(project).pads == {}


def test_samples_fill_the_free_pads_and_the_rest_is_returned(project: Target, keep: Keep) -> None:
    sample_id, kept = keep("New.wav"), keep("Old.wav")
    put(project, "J15", kept)
    filled, left = fill(project, "J14", [sample_id] * 4)
    assert (filled, left) == (["J14", "J16"], [sample_id, sample_id])
    assert names(read(project))["J15"] == "Old"
    assert fill(project, "J14", [sample_id]) == ([], [sample_id])


def test_one_drop_fills_all_160_pads_as_one_step(project: Target, keep: Keep) -> None:
    ids = [keep(f"{n}.wav") for n in range(4)] * 40
    filled, left = fill(project, "A1", ids)
    assert (len(filled), left, filled[-1]) == (160, [], "J16")
    with transaction() as session:
        history.undo_step(session, project)
    assert read(project).pads == {}


def test_a_pad_beyond_those_of_the_device_is_refused(user: User, keep: Keep) -> None:
    with transaction() as session:
        made = projects.create_project(session, user.id, "x", SX)
        target = Target(user.id, made.project.id)
    with pytest.raises(ValidationFailed):
        put(target, "A13", keep())
    put(target, "A1", keep())
    with transaction() as session, pytest.raises(ValidationFailed):
        pads.move(session, target, place("A1"), place("A13"), "copy")


def test_an_unknown_way_to_move_is_refused(project: Target, keep: Keep) -> None:
    put(project, "A1", keep())
    with transaction() as session, pytest.raises(ValidationFailed):
        pads.move(session, project, place("A1"), place("A2"), "steal")
    with transaction() as session, pytest.raises(ValidationFailed):
        pads.move_whole_bank(session, project, 0, 1, "steal")


def test_a_pad_shows_whether_its_sample_is_ready_trashed_or_missing(
    project: Target, keep: Keep
) -> None:
    sample_id = keep("Kick – hard.wav")
    put(project, "A1", sample_id)
    assert view(project) == ("ready", "Kick - hard", 19_200)
    with transaction() as session:
        samples.delete_samples(session, project.user_id, [sample_id])
    assert view(project)[0] == "trashed"
    with transaction() as session:
        samples.delete_for_good(session, project.user_id, [sample_id])
    assert view(project) == ("missing", "Kick - hard", None)


def view(target: Target) -> tuple[str, str, int | None]:
    with transaction() as session:
        project = history.get_project(session, target.user_id, target.project_id)
        details = project_details(session, project)
        (pad,) = details.pads
        (listed,) = projects.list_projects(session, target.user_id)
    assert details.bytes == listed.bytes == (pad.bytes or 0)
    return pad.sample_status, pad.device_name, pad.bytes


@pytest.mark.parametrize(
    ("channels", "edit", "per_frame"),
    [(1, None, 2), (2, None, 4), (2, {"channels": "mono"}, 2), (2, {"reverse": True}, 4)],
)
def test_the_bytes_of_a_project_are_those_of_its_pads(
    channels: int, edit: dict[str, Any] | None, per_frame: int, project: Target, keep: Keep
) -> None:
    sample_id = keep()
    describe(sample_id, channels=channels, duration=2.0, sample_rate=48_000)
    put(project, "A1", sample_id, edit=edit)
    assert view(project)[2] == 96_000 * per_frame


def test_a_project_counts_the_bytes_of_each_use(project: Target, keep: Keep) -> None:
    sample_id = keep()
    describe(sample_id, channels=2, duration=2.0, sample_rate=48_000)
    fill(project, "A1", [sample_id] * 3)
    put(project, "A2", edit={"trim_silence": -60})  # its length is not known yet
    with transaction() as session:
        (listed,) = projects.list_projects(session, project.user_id)
    assert (listed.filled, listed.filled_by_bank[0], listed.bytes) == (3, 3, 2 * 96_000 * 4)
