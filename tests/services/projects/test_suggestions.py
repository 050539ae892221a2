"""Samples that complete a bank, with reasons in words."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.audio.features.sound_class import CLASSES, SoundClass
from sp404_app.errors import NotFound
from sp404_app.models import Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.projects import pads
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.kit_fit import (
    MISSING_WEIGHTS,
    Candidate,
    Neighbour,
    rate_candidate,
    suggest_candidates,
)
from sp404_app.services.projects.pad_sounds import PadSound
from sp404_app.services.projects.suggestions import CANDIDATES_PER_CLASS, suggest
from tests.services.projects.conftest import AddSample, MakeProject

PAD_5 = PadPosition(0, 5)


def sound(
    sound_class: SoundClass | None = None,
    *,
    is_loop: bool = False,
    key: str | None = None,
    bpm: float | None = None,
    lufs: float | None = None,
) -> PadSound:
    return PadSound(sound_class, is_loop, key, bpm, lufs)


def candidate(found: PadSound, **fields: object) -> Candidate:
    return Candidate(uuid.uuid4(), found, **fields)  # type: ignore[arg-type]


def reason(found: Candidate, *others: PadSound, project_bpm: float = 90.0) -> str:
    neighbours = [Neighbour(f"A{n}", each, None) for n, each in enumerate(others, 1)]
    rated = rate_candidate(found, neighbours, project_bpm)
    return rated.reason if rated else ""


def test_every_class_has_a_weight() -> None:
    assert set(MISSING_WEIGHTS) == set(CLASSES)


def test_a_missing_kind_is_the_reason() -> None:
    snare = candidate(sound(SoundClass.SNARE))
    assert reason(snare, sound(SoundClass.KICK)) == "You have no snare yet"
    assert reason(snare, sound(SoundClass.SNARE)) == "You have only one snare"
    assert reason(snare, sound(SoundClass.SNARE), sound(SoundClass.SNARE)) == ""


def test_a_bass_fills_the_low_end_if_nothing_else_does() -> None:
    bass = candidate(sound(SoundClass.BASS))
    low_end = "Fills the low end: no kick or bass plays in this bank"
    assert reason(bass, sound(SoundClass.CHORD)) == low_end
    assert reason(bass, sound(SoundClass.KICK)) == "You have no bass yet"
    low_note = candidate(sound(SoundClass.LEAD), root_note=33)
    assert reason(low_note, sound(SoundClass.LEAD)) == low_end
    stab = candidate(sound(SoundClass.LEAD), root_note=33, brightness=900.0)
    assert reason(stab, sound(SoundClass.LEAD)) == "You have only one lead"


def test_the_key_of_a_loop_is_named_by_its_code() -> None:
    loop = sound(SoundClass.MELODIC_LOOP, is_loop=True, key="A minor")
    hit = sound(SoundClass.CHORD, key="A minor")
    same = candidate(sound(SoundClass.CHORD, key="A minor"))
    near = candidate(sound(SoundClass.CHORD, key="E minor"))
    other = candidate(sound(SoundClass.CHORD, key="F# major"))
    assert reason(same, hit, loop) == "Same key as the loop on A2: 8A"
    assert reason(same, hit) == "Same key as A1: 8A"
    assert reason(near, loop, hit) == "Its key 9A goes with 8A on A1"
    scores = [rate_candidate(each, [Neighbour("A1", loop, None)], 90) for each in (same, near)]
    clash = rate_candidate(other, [Neighbour("A1", loop, None)], 90)
    assert scores[0]
    assert scores[1]
    assert clash
    assert scores[0].score > scores[1].score > 0 > clash.score


@pytest.mark.parametrize(
    ("bpm", "expected"),
    [
        (96.0, "96 BPM, like A1"),
        (97.0, "97 BPM, like A1"),
        (192.0, "192 BPM, double the tempo of A1"),
        (48.1, "48.1 BPM, half the tempo of A1"),
        (90.0, "90 BPM, like the project"),
        (110.0, ""),
    ],
)
def test_a_loop_follows_the_tempo_of_another(bpm: float, expected: str) -> None:
    loop = candidate(sound(None, is_loop=True, bpm=bpm))
    assert reason(loop, sound(SoundClass.BREAK, is_loop=True, bpm=96.0)) == expected


def test_a_free_range_of_the_spectrum_is_named() -> None:
    others = [Neighbour("A1", sound(), 200.0), Neighbour("A2", sound(), 900.0)]
    free = rate_candidate(candidate(sound(), brightness=6_440.0), others, 90)
    assert free
    assert free.reason == "Fills a free range: no other pad is centred near 6.4 kHz"
    assert rate_candidate(candidate(sound(), brightness=1_500.0), others, 90) is None


def test_equal_loudness_is_a_reason() -> None:
    loud = candidate(sound(lufs=-14.4))
    assert reason(loud, sound(lufs=-13.0)) == "As loud as the others: −14 LUFS"
    assert reason(loud, sound(lufs=-20.0)) == ""


def test_suggestions_are_of_different_classes_and_each_recording_once() -> None:
    group = uuid.uuid4()
    kicks = [candidate(sound(SoundClass.KICK), rating=n) for n in range(6)]
    twins = [candidate(sound(SoundClass.SNARE), duplicate_group_id=group) for _ in range(3)]
    found = suggest_candidates([*kicks, *twins], [], 90, 3)
    classes = [each.candidate.sound.sound_class for each in found]
    assert classes == [SoundClass.KICK, SoundClass.SNARE, SoundClass.KICK]
    assert found[0].candidate.rating == 5


def test_the_library_completes_a_kit(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    kick = add_sample("Kick", sound_class="kick")
    for each in ("kick", "snare", "closed hat", "clap"):
        add_sample(f"New {each}", sound_class=each)
    target = make_project({1: kick})
    found = suggest(session, user.id, target.project_id, PAD_5)
    assert [(each.sample.name, each.reason) for each in found] == [
        ("New snare", "You have no snare yet"),
        ("New closed hat", "You have no closed hat yet"),
        ("New clap", "You have no clap yet"),
        ("New kick", "You have only one kick"),
    ]


def test_the_sound_on_the_pad_itself_does_not_count(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    target = make_project({5: add_sample("Kick", sound_class="kick")})
    add_sample("Other", sound_class="kick")
    found = suggest(session, user.id, target.project_id, PAD_5)
    assert [each.reason for each in found] == ["You have no kick yet"]


def test_no_sample_of_the_project_its_duplicates_trash_or_strangers_is_suggested(
    session: Session,
    user: User,
    person: Callable[..., User],
    add_sample: AddSample,
    make_project: MakeProject,
) -> None:
    group = uuid.uuid4()
    used = add_sample("Used", sound_class="snare", duplicate_group_id=group)
    target = make_project({})
    pads.set_pad(session, target, PadPosition(7, 3), pads.PadChange(sample_id=used.id))
    add_sample("Copy", sound_class="snare", duplicate_group_id=group)
    add_sample("Trash", sound_class="snare", deleted_at=now())
    add_sample("Failed", sound_class="snare", status=SampleStatus.FAILED)
    add_sample("Theirs", owner=person(), sound_class="snare")
    assert suggest(session, user.id, target.project_id, PAD_5) == []


def test_samples_of_others_take_no_place_among_the_candidates(
    session: Session,
    user: User,
    person: Callable[..., User],
    add_sample: AddSample,
    make_project: MakeProject,
) -> None:
    stranger = person()
    for number in range(CANDIDATES_PER_CLASS + 2):
        add_sample(f"Theirs {number}", owner=stranger, sound_class="snare", favourite=True)
    add_sample("Mine", sound_class="snare")
    found = suggest(session, user.id, make_project({}).project_id, PAD_5)
    assert [each.sample.name for each in found] == ["Mine"]


def test_a_name_gives_the_class_of_a_sample_that_is_not_analysed(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    add_sample("SD 12", status=SampleStatus.WAITING_FOR_QUOTA)
    add_sample("Something")
    target = make_project({})
    found = suggest(session, user.id, target.project_id, PAD_5)
    assert [(each.sample.name, each.reason) for each in found] == [
        ("SD 12", "You have no snare yet")
    ]


def test_the_best_of_many_of_one_class_is_found_in_the_database(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    loop = add_sample("Loop", sound_class="melodic loop", kind="loop", key="A minor", bpm=90.0)
    for number in range(30):
        add_sample(f"Chord {number}", sound_class="chord", key="F# major")
    best: Sample = add_sample("Best", sound_class="chord", key="A minor")
    target = make_project({1: loop})
    found = suggest(session, user.id, target.project_id, PAD_5, 1)
    assert [each.sample.id for each in found] == [best.id]


def test_the_spectral_centroid_of_the_newest_analysis_is_used(
    session: Session, user: User, add_sample: AddSample, make_project: MakeProject
) -> None:
    low = [
        add_sample(f"Tom {n}", content={"brightness": 300.0}, sound_class="tom") for n in range(2)
    ]
    add_sample("Bright", content={"brightness": 4_000.0}, sound_class="tom")
    add_sample("Dark", content={"brightness": 350.0}, sound_class="tom")
    target = make_project({1: low[0], 2: low[1]})
    found = suggest(session, user.id, target.project_id, PAD_5)
    assert [(each.sample.name, each.reason) for each in found] == [
        ("Bright", "Fills a free range: no other pad is centred near 4 kHz")
    ]


def test_a_foreign_project_is_unknown(
    session: Session, person: Callable[..., User], make_project: MakeProject
) -> None:
    target = make_project({})
    with pytest.raises(NotFound):
        suggest(session, person().id, target.project_id, PAD_5)
