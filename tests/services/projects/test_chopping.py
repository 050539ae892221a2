"""Chop a pad to markers and to pads."""

import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from sp404_app.audio.render.edit import Edit, Normalise
from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import ChangedMeanwhile, Conflict, NotFound, ValidationFailed
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.projects import chopping, history, pads
from sp404_app.services.projects.chopping import Method, chop, divide_beats, fixed_gain
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.services.projects.conftest import AddSample, MakeProject, names_on_pads
from tests.sounds import write

PAD = PadPosition(0, 1)
RATE = 48_000
HITS_S = (0.0, 0.5, 1.0, 1.5)


def hits(rate: int = RATE, seconds: float = 2.0) -> np.ndarray:
    """Return a decaying 200 Hz tone at each of `HITS_S`, the third less loud."""
    time = np.arange(round(seconds * rate)) / rate
    signal = np.zeros(len(time))
    for number, start in enumerate(HITS_S):
        after = time - start
        gain = 0.5 if number == 2 else 0.8
        signal += gain * np.where(
            after >= 0, np.sin(2 * np.pi * 200 * after) * np.exp(-12 * np.abs(after)), 0
        )
    return signal


@pytest.fixture
def add_file(user: User, tmp_path: Path, session: Session) -> Callable[..., Sample]:
    """Add a sound with a file to the library; its rows are committed."""

    def add(signal: np.ndarray, rate: int = RATE, **fields: object) -> Sample:
        path = write(tmp_path / f"{uuid.uuid4().hex}.wav", signal, rate, subtype="PCM_16")
        incoming = samples.inspect_file(path, "Break.wav")
        with transaction() as own:
            sample_id = samples.add_sample(own, user.id, incoming)
        sample = samples.get_sample(session, user.id, sample_id)
        for name, value in fields.items():
            setattr(sample, name, value)
        session.flush()
        return sample

    return add


@pytest.fixture
def pad(add_file: Callable[..., Sample], make_project: MakeProject) -> Target:
    """A project with the hits on A1."""
    return make_project({1: add_file(hits())})


def chops_of(session: Session, target: Target) -> list[int]:
    return history.load_pads(session, target.project_id)[PAD].chops


def test_markers_are_at_the_hits_and_the_first_is_0(session: Session, pad: Target) -> None:
    chop(session, pad, PAD, Method("transients", sensitivity=0.8), "markers")
    assert chops_of(session, pad) == pytest.approx([0, 24_000, 48_000, 72_000], abs=240)
    assert chops_of(session, pad)[0] == 0
    assert history.undo_step(session, pad) == "Chop A1 to markers"
    assert chops_of(session, pad) == []


def test_a_low_sensitivity_and_few_parts_keep_the_strong_hits(
    session: Session, pad: Target
) -> None:
    chop(session, pad, PAD, Method("transients", sensitivity=0.0), "markers")
    assert len(chops_of(session, pad)) < 4
    chop(session, pad, PAD, Method("transients", parts=2, sensitivity=1.0), "markers")
    assert len(chops_of(session, pad)) == 2


def test_markers_are_frames_of_the_pads_audio(
    session: Session, add_file: Callable[..., Sample], make_project: MakeProject
) -> None:
    target = make_project({1: add_file(hits(22_050), 22_050)})
    pads.set_pad(session, target, PAD, PadChange(edit={"stretch": 2.0}))
    chop(session, target, PAD, Method("transients", sensitivity=0.8), "markers")
    assert chops_of(session, target) == pytest.approx([0, 48_000, 96_000, 144_000], abs=480)


def test_equal_parts_are_at_zero_crossings(session: Session, pad: Target) -> None:
    chop(session, pad, PAD, Method("equal", parts=7), "markers")
    found = chops_of(session, pad)
    assert found == pytest.approx([96_000 * part // 7 for part in range(7)], abs=240)
    signal = hits()
    assert all(signal[frame - 2] * signal[frame + 1] < 0 for frame in found[1:])


def test_only_the_region_that_the_pad_plays_is_chopped(session: Session, pad: Target) -> None:
    pads.set_pad(session, pad, PAD, PadChange(settings={"start": 24_000, "end": 72_000}))
    chop(session, pad, PAD, Method("equal", parts=2), "markers")
    assert chops_of(session, pad) == pytest.approx([0, 24_000, 48_000], abs=240)
    done = chop(session, pad, PAD, Method("equal", parts=2), "pads")
    trims = trims_of(session, pad, done.filled)
    assert [end for _, end in trims][-1] == 72_000
    assert trims[0][0] == 24_000


def trims_of(session: Session, target: Target, filled: list[PadPosition]) -> list[list[int]]:
    rows = history.load_pads(session, target.project_id)
    return [rows[at].edit["trim"] for at in filled]  # type: ignore[index]


def test_parts_go_to_the_free_pads_after_it_and_leave_no_gap(
    session: Session, pad: Target, add_sample: AddSample
) -> None:
    taken = PadChange(sample_id=add_sample("Taken").id)
    pads.set_pad(session, pad, PadPosition(0, 3), taken)
    settings = {"level": 90, "loop": True, "start": 0}
    pads.set_pad(session, pad, PAD, PadChange(settings=settings, edit={"pitch": 3}))
    done = chop(session, pad, PAD, Method("transients", sensitivity=0.8), "pads")
    assert names_on_pads(session, pad) == {
        1: "Break", 2: "Break 1", 3: "Taken", 4: "Break 2", 5: "Break 3", 6: "Break 4",
    }  # fmt: skip
    trims = trims_of(session, pad, done.filled)
    assert (trims[0][0], trims[-1][1]) == (0, 2 * RATE)
    assert all(one[1] == other[0] for one, other in pairwise(trims))
    row = history.load_pads(session, pad.project_id)[PadPosition(0, 4)]
    assert (row.settings["level"], row.settings["loop"]) == (90, False)
    assert row.edit["pitch"] == 3  # type: ignore[index]
    assert row.frames == trims[1][1] - trims[1][0]
    history.undo_step(session, pad)
    assert names_on_pads(session, pad) == {1: "Break", 3: "Taken"}


def test_parts_of_a_reversed_pad_are_in_the_order_in_which_they_are_heard(
    session: Session, pad: Target
) -> None:
    pads.set_pad(session, pad, PAD, PadChange(edit={"reverse": True}))
    done = chop(session, pad, PAD, Method("equal", parts=4), "pads")
    assert trims_of(session, pad, done.filled)[0][1] == 2 * RATE
    chop(session, pad, PAD, Method("equal", parts=4), "markers")
    assert chops_of(session, pad) == pytest.approx([0, 24_000, 48_000, 72_000], abs=240)


def test_parts_without_a_free_pad_are_counted(
    session: Session, add_file: Callable[..., Sample], make_project: MakeProject
) -> None:
    sample = add_file(hits())
    target, last = make_project({}), PadPosition(9, 14)
    pads.set_pad(session, target, last, PadChange(sample_id=sample.id))
    done = chop(session, target, last, Method("equal", parts=8), "pads")
    assert ([str(at) for at in done.filled], done.not_placed) == (["J15", "J16"], 6)


def test_a_grid_follows_the_tempo(
    session: Session, add_file: Callable[..., Sample], make_project: MakeProject
) -> None:
    target = make_project({1: add_file(hits(), bpm=120.0)})
    chop(session, target, PAD, Method("grid"), "markers")
    assert chops_of(session, target) == pytest.approx([0, 24_000, 48_000, 72_000], abs=240)
    chop(session, target, PAD, Method("grid", parts=8), "markers")
    assert len(chops_of(session, target)) == 8
    chop(session, target, PAD, Method("grid", parts=3), "markers")
    assert chops_of(session, target) == pytest.approx([0, 48_000], abs=240)


def test_the_end_of_a_loop_is_no_beat(
    session: Session, add_file: Callable[..., Sample], make_project: MakeProject
) -> None:
    target = make_project({1: add_file(hits(), bpm=121.0)})
    chop(session, target, PAD, Method("grid"), "markers")
    assert chops_of(session, target) == pytest.approx([0, 23_802, 47_603, 71_405], abs=240)


def test_a_grid_needs_a_tempo(session: Session, pad: Target) -> None:
    with pytest.raises(ValidationFailed, match="no tempo"):
        chop(session, pad, PAD, Method("grid"), "markers")


def test_beats_are_halved_as_long_as_they_fit() -> None:
    assert divide_beats([0, 0.5, 1.0, 1.5], 2.0, 8) == [n / 4 for n in range(8)]
    assert divide_beats([0, 0.5, 1.0, 1.5], 2.0, 7) == [0, 0.5, 1.0, 1.5]
    assert divide_beats([0.0], 2.0, 16) == [0.0]
    assert divide_beats([], 2.0, 16) == []


def test_a_normalised_pad_keeps_the_levels_of_its_parts() -> None:
    sample = Sample(peak_dbfs=-6.0, loudness_lufs=-20.0)
    edit = Edit(normalise=Normalise("peak", -1.0), gain_db=2.0, fade_in=1.0, fade_out=1.0)
    assert fixed_gain(edit, sample) == Edit(gain_db=7.0)
    assert fixed_gain(edit, Sample()) == Edit(gain_db=2.0)
    assert fixed_gain(Edit(normalise=Normalise("lufs", -14.0)), sample) == Edit(gain_db=6.0)


def test_a_pad_that_trims_silence_is_refused(session: Session, pad: Target) -> None:
    pads.set_pad(session, pad, PAD, PadChange(edit={"trim_silence": -60}))
    with pytest.raises(Conflict, match="trims silence"):
        chop(session, pad, PAD, Method("equal"), "markers")


def test_a_sample_that_is_not_decoded_is_refused(
    session: Session, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({1: add_sample("New", duration=None, sample_rate=None)})
    with pytest.raises(Conflict, match="not decoded"):
        chop(session, target, PAD, Method("equal"), "markers")


def test_a_pad_that_changes_while_it_is_chopped_is_not_written(
    session: Session, pad: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(*_: object) -> list[int]:
        pads.set_pad(session, pad, PAD, PadChange(name="Other"))
        return [0, 9_000]

    monkeypatch.setattr(chopping, "find_chops", change)
    with pytest.raises(ChangedMeanwhile):
        chop(session, pad, PAD, Method("equal"), "markers")
    assert chops_of(session, pad) == []


def test_a_long_sound_is_decoded_for_two_minutes_only(
    session: Session, add_file: Callable[..., Sample], make_project: MakeProject
) -> None:
    tone = np.sin(np.arange(800) / 3) * np.exp(-np.arange(800) / 100)
    signal = np.zeros(150 * 8_000)
    for second in (1, 100, 140):
        signal[second * 8_000 : second * 8_000 + 800] = tone
    target = make_project({1: add_file(signal, 8_000)})
    chop(session, target, PAD, Method("transients", sensitivity=0.8), "markers")
    assert chops_of(session, target) == pytest.approx([0, MK2.rate, 100 * MK2.rate], abs=500)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("by", {"by": "ears"}),
        ("parts", {"by": "equal", "parts": 1}),
        ("parts", {"by": "equal", "parts": 17}),
        ("parts", {"by": "equal", "parts": True}),
        ("parts", {"by": "equal", "parts": "8"}),
        ("sensitivity", {"by": "transients", "sensitivity": float("nan")}),
        ("sensitivity", {"by": "transients", "sensitivity": 1.1}),
        ("sensitivity", {"by": "transients", "sensitivity": "1"}),
    ],
)
def test_an_invalid_value_names_its_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Method(**values)
    assert list(refused.value.details) == [field]


def test_markers_need_the_pads_revision_and_pads_the_projects(
    session: Session, user: User, pad: Target
) -> None:
    row = history.load_pads(session, pad.project_id)[PAD]
    project = history.get_project(session, user.id, pad.project_id)
    pads.set_pad(session, pad, PadPosition(1, 1), PadChange(sample_id=row.sample_id))
    of_pad = Target(user.id, pad.project_id, row.revision)
    of_project = Target(user.id, pad.project_id, project.revision)
    with pytest.raises(ChangedMeanwhile):
        chop(session, of_pad, PAD, Method("equal", 2), "pads")
    chop(session, of_project, PAD, Method("equal", 2), "pads")
    chop(session, of_pad, PAD, Method("equal", 2), "markers")


def test_empty_pads_and_foreign_projects_are_refused(
    session: Session, pad: Target, person: Callable[..., User]
) -> None:
    with pytest.raises(ValidationFailed, match="Pad A2 has no sound"):
        chop(session, pad, PadPosition(0, 2), Method("equal"), "markers")
    with pytest.raises(ValidationFailed):
        chop(session, pad, PAD, Method("equal"), "elsewhere")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        chop(session, Target(person().id, pad.project_id), PAD, Method("equal"), "pads")
