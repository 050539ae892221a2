"""The analysis job: results, values set by the user, and quota."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import func, select

from sp404_app.audio.features import analysis
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.audio.synth.drums import snare
from sp404_app.db import transaction
from sp404_app.jobs import analyse_sample, runner
from sp404_app.models import Analysis, Sample, SampleStatus, Source, User, Waveform
from sp404_app.services import plans
from sp404_app.services.billing import quotas
from sp404_app.services.infra import storage
from sp404_app.services.library import samples, search
from sp404_app.services.library.samples import Change
from sp404_app.services.processing import analysis_requests, jobs
from sp404_app.services.sample import details, previews
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import RATE, Keep, good_files, tone, write

pytestmark = pytest.mark.usefixtures("services")


def used(user: User) -> int:
    with transaction() as session:
        return quotas.get_quota_usage(session, user.id).analyses_used


def test_every_kind_of_file_gets_its_waveform_and_ends_ready(
    person: Callable[..., User], tmp_path: Path
) -> None:
    for kind, path in good_files(tmp_path).items():
        owner = person()  # a new user for each file: the Free plan has ten analyses
        with transaction() as session:
            sample_id = samples.add_sample(session, owner.id, samples.inspect_file(path, path.name))
        runner.run(str(job_of(sample_id).id))
        sample = kept(sample_id)
        assert (sample.status, sample.error) == (SampleStatus.READY, ""), kind
        assert len(sample.thumbnail) == 48
        with transaction() as session:
            assert session.get(Waveform, sample_id), kind
        if kind in {"aiff", "aifc", "high rate"}:
            assert storage.object_size(sample.preview_key or "") > 0


def test_class_and_root_note_are_saved_on_the_sample_and_the_analysis(
    user: User, keep: Keep
) -> None:
    sample_id = keep()
    runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        found = session.exec(select(Analysis.content)).one()
    sample = kept(sample_id)
    assert (sample.sound_class, sample.root_note) == (found["sound_class"], found["root_note"])
    assert sample.sound_class in set(SoundClass)
    assert sample.root_note == 55  # a sine of 200 Hz, nearest to G3


def test_defects_of_the_file_are_saved_with_the_analysis(user: User, tmp_path: Path) -> None:
    hot = np.clip(3 * tone(), -1, 1)
    path = write(tmp_path / "hot.wav", np.pad(np.stack([hot, hot], 1), ((RATE // 5, RATE), (0, 0))))
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, path.name))
    runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        found = session.exec(select(Analysis.content)).one()
    assert (found["clipped"], found["dual_mono"], found["truncated"]) == (True, True, False)
    assert found["true_peak_dbtp"] >= 0
    assert (found["silence_head"], found["silence_tail"]) == pytest.approx((0.2, 1.0), abs=0.01)
    assert abs(found["dc_offset"]) < 0.01


def test_values_set_by_the_user_are_never_overwritten(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        samples.change_sample(
            session, user.id, sample_id, Change(bpm=91, key="C major", kind="loop")
        )
    runner.run(str(job_of(sample_id).id))
    sample = kept(sample_id)
    assert (sample.bpm, sample.key, sample.kind) == (91, "C major", "loop")
    assert {sample.bpm_source, sample.key_source, sample.kind_source} == {Source.USER}


def test_a_tempo_cleared_by_the_user_stays_cleared(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        samples.change_sample(session, user.id, sample_id, Change(key=""))
    runner.run(str(job_of(sample_id).id))
    assert kept(sample_id).key is None


def test_a_sample_is_found_by_its_analysed_key(user: User, tmp_path: Path) -> None:
    chord = sum(tone(hertz, 2.0) for hertz in (130.81, 155.56, 196.0)) / 3
    path = write(tmp_path / "Pad C minor.wav", chord)
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, path.name))
    runner.run(str(job_of(sample_id).id))
    sample = kept(sample_id)
    assert (sample.key, sample.key_source) == ("C minor", Source.FILE)
    assert sample.search_text.split()[:3] == ["keycminor", "minor", "5a"]


def test_a_second_analysis_replaces_the_first(user: User, keep: Keep) -> None:
    sample_id = keep()
    runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        analysis_requests.request_analysis(session, user.id, sample_id)
    runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        assert session.exec(select(func.count()).select_from(Analysis)).one() == 1
    assert used(user) == 2


def test_over_quota_a_sample_keeps_its_waveform_and_waits(
    user: User, keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    none = plans.Plan(plans.Tier.FREE, "Free", 0, None, 1, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, none)
    first, second = keep(), keep()
    runner.run(str(job_of(first).id))
    runner.run(str(job_of(second).id))
    assert kept(first).status == SampleStatus.READY
    waiting = kept(second)
    assert waiting.status == SampleStatus.WAITING_FOR_QUOTA
    assert waiting.error.startswith("Monthly limit reached.")
    assert waiting.thumbnail
    assert used(user) == 1


def test_over_quota_a_sample_shows_what_its_name_and_folder_state(
    user: User, keep: Keep, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    none = plans.Plan(plans.Tier.FREE, "Free", 0, None, 1, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, none)
    runner.run(str(job_of(keep()).id))
    path = write(tmp_path / "Dusty 92bpm.wav", tone(seconds=2.0))
    with transaction() as session:
        found = samples.inspect_file(path, path.name, "Keys/A minor")
        sample_id = samples.add_sample(session, user.id, found)
    runner.run(str(job_of(sample_id).id))
    waiting = kept(sample_id)
    assert (waiting.status, waiting.kind) == (SampleStatus.WAITING_FOR_QUOTA, None)
    assert (waiting.bpm, waiting.bpm_source, waiting.bpm_confidence) == (92.0, Source.NAME, None)
    assert (waiting.key, waiting.key_source) == ("A minor", Source.FOLDER)
    assert used(user) == 1
    with transaction() as session:
        by_key = search.SampleQuery(q="Am", bpm_min=90, bpm_max=95)
        assert search.search_window(session, user.id, by_key, 0, 5).total == 1
        samples.change_sample(session, user.id, sample_id, Change(bpm=46, key="C major"))
    with transaction() as session:
        details.reset_to_analysis(session, user.id, sample_id, "bpm")
    again = kept(sample_id)
    assert (again.bpm, again.bpm_source, again.key) == (92.0, Source.NAME, "C major")


def test_a_hit_has_the_class_of_its_folder_until_the_sound_contradicts_it(
    user: User, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    def run(seed: int) -> Sample:
        hit = np.asarray(snare(np.random.default_rng(seed)), np.float32)
        file = write(tmp_path / "dusty.wav", hit)
        with transaction() as session:
            found = samples.inspect_file(file, file.name, "Open Hats")
            sample_id = samples.add_sample(session, user.id, found)
        runner.run(str(job_of(sample_id).id))
        return kept(sample_id)

    analysed = run(3)
    assert (analysed.status, analysed.sound_class) == (SampleStatus.READY, "snare")
    none = plans.Plan(plans.Tier.FREE, "Free", 0, None, 1, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, none)
    waiting = run(4)
    assert (waiting.status, waiting.sound_class) == (SampleStatus.WAITING_FOR_QUOTA, "open hat")
    with transaction() as session:
        query = search.SampleQuery(sound_class="open hat")
        assert search.search_window(session, user.id, query, 0, 5).total == 1


def test_a_lost_attempt_and_the_next_are_counted_once(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        job = jobs.claim_job(session, job_of(sample_id).id)
        assert job
        job.usage_period_start = quotas.reserve_analysis(session, user.id)
        job.status, job.attempts = "queued", 1
    runner.run(str(job.id))
    assert kept(sample_id).status == SampleStatus.READY
    assert used(user) == 1


def test_a_failed_analysis_is_not_counted(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = keep()
    monkeypatch.setattr(analyse_sample.analysis, "analyse", lambda *_, **__: 1 / 0)
    runner.run(str(job_of(sample_id).id))
    assert kept(sample_id).status == SampleStatus.FAILED
    assert used(user) == 0


def test_a_cancelled_job_leaves_no_preview_behind(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.aiff", tone())
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "a.aiff"))
    job_id = job_of(sample_id).id
    made: list[str] = []

    def make(source: Path) -> str:
        with transaction() as session:
            jobs.cancel_job(session, user.id, job_id)
        made.append(original(source))
        return made[0]

    original = previews.store_preview
    monkeypatch.setattr(previews, "store_preview", make)
    runner.run(str(job_id))
    assert kept(sample_id).preview_key is None
    assert not (tmp_path / "sounds" / made[0]).exists()


def test_beats_and_onsets_count_from_the_start_of_a_long_sample(user: User, tmp_path: Path) -> None:
    clicks = np.zeros(60 * RATE, np.float32)
    for beat in range(40 * RATE, 60 * RATE, RATE // 2):
        clicks[beat : beat + 400] = tone(900)[:400]
    path = write(tmp_path / "long.wav", clicks)
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "long.wav"))
    runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        onsets = session.exec(select(Analysis)).one().onsets
    assert min(onsets) == pytest.approx(40.0, abs=0.05)


def test_silence_has_neither_tempo_nor_key(user: User, tmp_path: Path) -> None:
    path = write(tmp_path / "silent.wav", np.zeros(10_000))
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "silent.wav"))
    runner.run(str(job_of(sample_id).id))
    sample = kept(sample_id)
    assert (sample.bpm, sample.key, sample.peak_dbfs, sample.loudness_lufs) == (None,) * 4


def test_a_digest_of_an_older_decoder_is_renewed(user: User, keep: Keep) -> None:
    sample_id = keep()
    right = kept(sample_id).digest
    with transaction() as session:
        sample = session.get_one(Sample, sample_id)
        sample.digest = "0" * 64
        session.add(sample)
    runner.run(str(job_of(sample_id).id))
    assert (kept(sample_id).digest, kept(sample_id).status) == (right, SampleStatus.READY)


def test_a_digest_that_another_sample_has_is_not_renewed(
    user: User, keep: Keep, tmp_path: Path
) -> None:
    older, newer = keep(), keep()
    with transaction() as session:
        sample = session.get_one(Sample, older)
        sample.digest, taken = "0" * 64, sample.digest
        session.add(sample)
        session.flush()
        twin = session.get_one(Sample, newer)
        twin.digest = taken
        session.add(twin)
    runner.run(str(job_of(older).id))
    assert (kept(older).digest, kept(older).status) == ("0" * 64, SampleStatus.READY)
    assert kept(older).duration


def test_a_worker_measures_a_file_as_the_command_line_does(user: User, tmp_path: Path) -> None:
    loop = np.concatenate([tone(110, 0.1), tone(220, 0.4)] * 16)  # 8 s at 120 BPM
    silence = np.zeros(30 * RATE, np.float32)  # longer than the window that is analysed
    path = write(tmp_path / "loop.wav", np.concatenate([loop, silence]), subtype="PCM_16")
    with transaction() as session:
        incoming = samples.inspect_file(path, "loop.wav")
        sample_id = samples.add_sample(session, user.id, incoming)
    runner.run(str(job_of(sample_id).id))
    expected = analysis.analyse_file(path, "loop").analysis
    sample = kept(sample_id)
    assert sample.duration is not None
    assert (sample.kind, sample.bpm) == (expected.kind, expected.bpm)
    assert expected.kind == "loop"
