"""The other loops of a folder as evidence between half and double tempo."""

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select, update

from sp404_app.db import transaction
from sp404_app.models import Analysis, Sample, SampleStatus, Source, User
from sp404_app.services.bulk.sound_values import read_sounds, write_sounds
from sp404_app.services.library import changed_folders, samples
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.library.samples import Change
from sp404_app.services.sample import details, folder_refresh, folder_tempo
from sp404_app.services.sample.folder_tempo import FolderLoop
from tests.sounds import Keep

DOUBTFUL = ((87.0, 0.6), (174.0, 0.35), (116.0, 0.05))


def loops(*tempi: float, weight: float = 0.95) -> list[FolderLoop]:
    return [FolderLoop(uuid.uuid4(), bpm, weight) for bpm in tempi]


def doubtful(candidates: Sequence[tuple[float, float]] = DOUBTFUL) -> FolderLoop:
    return FolderLoop(uuid.uuid4(), candidates[0][0], candidates[0][1], candidates)


def test_a_doubtful_loop_gets_the_octave_of_its_folder() -> None:
    one = doubtful()
    found = folder_tempo.weigh_folder([one, *loops(174, 174, 174, 172)])
    assert set(found) == {one.sample_id}
    tempo = found[one.sample_id]
    assert (tempo.bpm, tempo.around, tempo.sounds, tempo.same) == (174.0, 174.0, 4, True)
    assert 0.35 < tempo.confidence < 0.95


def test_the_probabilities_of_an_octave_family_keep_their_sum() -> None:
    one = doubtful()
    found = folder_tempo.weigh_folder([one, *loops(*[174] * 50)])[one.sample_id]
    assert 0.85 < found.confidence <= 0.95


def test_a_folder_of_the_same_octave_makes_it_more_certain() -> None:
    one = doubtful()
    found = folder_tempo.weigh_folder([one, *loops(85, 90, 82)])[one.sample_id]
    assert found.bpm == 87.0
    assert found.confidence > 0.6
    assert not found.same


def test_no_folder_changes_a_clear_tempo() -> None:
    clear = doubtful(((87.0, 0.96), (174.0, 0.04)))
    assert folder_tempo.weigh_folder([clear, *loops(*[174] * 500)]) == {}
    nearly = doubtful(((87.0, 0.949), (174.0, 0.051)))
    assert folder_tempo.weigh_folder([nearly, *loops(*[174] * 500)])[nearly.sample_id].bpm == 87.0


def test_other_tempi_than_half_and_double_are_never_chosen() -> None:
    one = doubtful(((87.0, 0.5), (116.0, 0.45), (43.5, 0.05)))
    found = folder_tempo.weigh_folder([one, *loops(116, 116, 116, 116)])
    assert all(tempo.bpm != 116.0 for tempo in found.values())


def test_the_candidates_share_what_the_confidence_leaves() -> None:
    one = doubtful()
    tempo = folder_tempo.weigh_folder([one, *loops(174, 174, 174, 172)])[one.sample_id]
    weighed = folder_tempo.weigh_candidates(DOUBTFUL, tempo)
    assert weighed[0] == (174.0, tempo.confidence)
    assert [bpm for bpm, _ in weighed] == [174.0, 87.0, 116.0]
    assert sum(chance for _, chance in weighed) == pytest.approx(1.0)
    assert folder_tempo.weigh_candidates(DOUBTFUL, None) == list(DOUBTFUL)


def test_one_other_loop_is_no_evidence() -> None:
    assert folder_tempo.weigh_folder([doubtful(), *loops(174)]) == {}
    assert folder_tempo.weigh_folder([]) == {}


def test_a_loop_is_no_evidence_for_itself() -> None:
    one = doubtful(((87.0, 0.55), (174.0, 0.43)))
    found = folder_tempo.weigh_folder([one, *loops(174, 174, 87)])[one.sample_id]
    assert (found.bpm, found.sounds) == (174.0, 2)


def test_thousands_of_doubtful_loops_take_under_a_second() -> None:
    many = [doubtful() for _ in range(5000)] + loops(*[174] * 5000)
    started = time.process_time()
    found = folder_tempo.weigh_folder(many)
    assert time.process_time() - started < 1.5
    assert len(found) == 5000


@pytest.fixture
def folder(user: User, keep: Keep) -> Callable[..., uuid.UUID]:
    """Return a function that adds an analysed sound to the folder "Pack/Loops"."""
    changed_folders.take_changed(1000)

    def add(
        bpm: float | None,
        confidence: float = 0.97,
        *,
        candidates: Sequence[tuple[float, float]] = (),
        path: str = "Pack/Loops",
        **values: Any,
    ) -> uuid.UUID:
        sample_id = keep("Sound.wav")
        fields: dict[str, Any] = {
            "folder": path, "status": SampleStatus.READY, "kind": "loop", "bpm": bpm,
            "bpm_confidence": confidence, "bpm_source": Source.ANALYSIS,
        }  # fmt: skip
        listed = candidates or ([(bpm, confidence)] if bpm else [])
        with transaction() as session:
            session.exec(
                update(Sample).where(col(Sample.id) == sample_id).values(**fields | values)
            )
            session.add(
                Analysis(
                    user_id=user.id,
                    sample_id=sample_id,
                    engine_version="1",
                    status=SampleStatus.READY,
                    kind="loop",
                    bpm=bpm,
                    bpm_confidence=confidence,
                    bpm_candidates=[list(each) for each in listed],
                    content={"downbeat": 1},
                )
            )
        return sample_id

    return add


def refresh(user: User, path: str = "Pack/Loops") -> int:
    with transaction() as session:
        return folder_refresh.refresh_folder(session, Folder(user.id, path))


def tempo_of(sample_id: uuid.UUID) -> tuple[float | None, str]:
    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        return sample.bpm, sample.bpm_source


def test_a_refresh_writes_the_tempo_and_its_evidence_once(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    for _ in range(3):
        folder(174.0)
    folder(120.0, kind="one_shot")
    assert refresh(user) == 1
    assert tempo_of(one) == (174.0, Source.ANALYSIS)
    with transaction() as session:
        found = details.find_sample_details(session, user.id, one)
    evidence = details.folder_tempo_of(found.analysis)
    assert evidence
    assert (evidence.bpm, evidence.sounds, evidence.same) == (174.0, 3, True)
    assert found.analysis
    assert (found.analysis.bpm, found.analysis.content["downbeat"]) == (87.0, 1)
    assert refresh(user) == 0


def test_without_the_others_the_analysis_counts_again(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    others = [folder(174.0) for _ in range(3)]
    refresh(user)
    with transaction() as session:
        samples.delete_samples(session, user.id, others)
    assert changed_folders.take_changed(10) == [Folder(user.id, "Pack/Loops")]
    assert refresh(user) == 1
    assert tempo_of(one) == (87.0, Source.ANALYSIS)
    with transaction() as session:
        found = details.find_sample_details(session, user.id, one)
        assert details.folder_tempo_of(found.analysis) is None
        samples.restore_samples(session, user.id, others)
    assert changed_folders.take_changed(10) == [Folder(user.id, "Pack/Loops")]


@pytest.mark.parametrize(
    ("bpm", "source"), [(87.0, Source.USER), (87.0, Source.FILE), (87.0, Source.NAME)]
)
def test_a_tempo_of_a_person_or_a_name_stays(
    user: User, folder: Callable[..., uuid.UUID], bpm: float, source: Source
) -> None:
    one = folder(bpm, 0.6, candidates=DOUBTFUL, bpm_source=source)
    for _ in range(6):
        folder(174.0)
    assert refresh(user) == 0
    assert tempo_of(one) == (bpm, source)


def test_a_correction_during_the_refresh_stays(
    user: User, folder: Callable[..., uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    for _ in range(3):
        folder(174.0)
    lock = folder_refresh._lock

    def correct_first(session: Session, user_id: uuid.UUID, ids: Any) -> list[uuid.UUID]:
        with transaction() as other:
            samples.change_sample(other, user_id, one, Change(bpm=58.0))
        return lock(session, user_id, ids)

    monkeypatch.setattr(folder_refresh, "_lock", correct_first)
    refresh(user)
    assert tempo_of(one) == (58.0, Source.USER)


def test_a_one_shot_neither_gets_nor_gives_a_tempo(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    hit = folder(87.0, 0.6, candidates=DOUBTFUL, kind="one_shot")
    for _ in range(4):
        folder(174.0, kind="one_shot")
    assert refresh(user) == 0
    for _ in range(3):
        folder(174.0)
    assert refresh(user) == 1
    assert tempo_of(one)[0] == 174.0
    assert tempo_of(hit)[0] == 87.0


def test_other_folders_and_other_peoples_sounds_are_no_evidence(
    user: User, folder: Callable[..., uuid.UUID], person: Callable[..., User]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    for _ in range(3):
        folder(174.0, path="Pack/Loops/Fast")
        folder(174.0, user_id=person().id)
    assert refresh(user) == 0
    assert tempo_of(one)[0] == 87.0


def test_a_persons_tempo_is_evidence_for_the_others(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    others = [folder(87.0, 0.7, candidates=((87.0, 0.7), (174.0, 0.3))) for _ in range(3)]
    refresh(user)
    assert tempo_of(one)[0] == 87.0
    changed_folders.take_changed(1000)
    with transaction() as session:
        for each in others:
            samples.change_sample(session, user.id, each, Change(bpm=174.0))
    with transaction() as session:
        folder_refresh.refresh_changed_folders(session)
    assert tempo_of(one)[0] == 174.0


def test_a_reset_shows_the_evidence_again(user: User, folder: Callable[..., uuid.UUID]) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    for _ in range(3):
        folder(174.0)
    refresh(user)
    with transaction() as session:
        samples.change_sample(session, user.id, one, Change(bpm=100.0))
        details.reset_to_analysis(session, user.id, one, "bpm")
    assert tempo_of(one) == (174.0, Source.ANALYSIS)


def test_a_bulk_edit_of_the_tempo_marks_the_folder_and_a_rating_does_not(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    one = folder(87.0, 0.6, candidates=DOUBTFUL)
    for values, marked in (({"rating": 3}, False), ({"bpm": 90.0, "bpm_source": "user"}, True)):
        with transaction() as session:
            write_sounds(session, user.id, {one: values}, read_sounds(session, user.id, [one]))
        assert bool(changed_folders.take_changed(10)) is marked


def test_a_failed_round_marks_its_folders_again(
    user: User, folder: Callable[..., uuid.UUID]
) -> None:
    folder(87.0, 0.6, candidates=DOUBTFUL)
    changed_folders.mark_now([Folder(user.id, "Pack/Loops")])

    def fail() -> None:
        with transaction() as session:
            folder_refresh.refresh_changed_folders(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert changed_folders.take_changed(10) == [Folder(user.id, "Pack/Loops")]


def test_a_sound_without_a_folder_marks_none(user: User, keep: Keep) -> None:
    changed_folders.take_changed(1000)
    sample_id = keep("Loop.wav")
    with transaction() as session:
        samples.change_sample(session, user.id, sample_id, Change(bpm=100.0))
    assert changed_folders.take_changed(10) == []


def test_a_folder_is_found_by_its_index(user: User, folder: Callable[..., uuid.UUID]) -> None:
    """In a library of 2,000 sounds in 50 folders: of an empty table any index is as good."""
    model = folder(87.0)
    with transaction() as session:
        values = session.get_one(Sample, model).model_dump(exclude={"search", "id"})
        session.add_all(
            Sample.model_validate(
                values
                | {
                    "digest": f"{number:064x}",
                    "storage_key": str(number),
                    "folder": f"Pack/Folder {number % 50}",
                }
            )
            for number in range(2_000)
        )
        session.flush()
        session.execute(text("analyze samples"))
        query = select(Sample.id).where(
            Sample.user_id == user.id,
            text("md5(folder) = md5('Pack/Loops') and deleted_at is null and bpm is not null"),
        )
        plan = session.execute(
            text(f"explain {query.compile(compile_kwargs={'literal_binds': True})}")
        )
        assert "samples_tempi_by_folder" in "\n".join(row[0] for row in plan)
        session.rollback()
