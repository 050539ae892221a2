"""The analysis job finds duplicates of one recording in different formats."""

import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session, select

from sp404_app.audio.synth.drums import kick, snare
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import Sample, SamplePrint, User
from sp404_app.services.account import data_export, deletion
from sp404_app.services.library import samples
from sp404_app.services.processing import analysis_requests
from sp404_app.services.sample import duplicates
from tests.audio.similarity.test_fingerprint import resampled
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import write

pytestmark = pytest.mark.usefixtures("services")

RATE = 44_100
SNARE = np.asarray(snare(np.random.default_rng(5)), np.float32)
KICK = np.asarray(kick(np.random.default_rng(5)), np.float32)
Hear = Callable[..., uuid.UUID]


@pytest.fixture
def hear(user: User, tmp_path: Path) -> Hear:
    """Upload and analyse a sample."""

    def upload(name: str, signal: np.ndarray, rate: int = RATE, **options: str) -> uuid.UUID:
        path = write(tmp_path / name, signal, rate, **options)
        with transaction() as session:
            sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, name))
        runner.run(str(job_of(sample_id).id))
        return sample_id

    return upload


def test_one_recording_in_seven_formats_is_one_duplicate_group_without_other_drums(
    user: User, hear: Hear
) -> None:
    fast = resampled(SNARE, RATE, 48_000)
    original = hear("snare.wav", SNARE, subtype="PCM_16")
    guises = [
        hear("snare 24.wav", SNARE, subtype="PCM_24"),
        hear("snare 48.wav", fast, 48_000, subtype="PCM_16"),
        hear("snare 48.mp3", fast, 48_000),
        hear("snare.flac", 0.25 * SNARE),
        hear("snare late.wav", np.pad(SNARE, (4000, 20_000)), subtype="PCM_16"),
        hear("snare wide.wav", np.stack([SNARE, SNARE], axis=1) * 0.9, subtype="PCM_16"),
    ]
    others = [
        hear("kick.wav", KICK, subtype="PCM_16"),
        hear("snare 2.wav", np.asarray(snare(np.random.default_rng(6)), np.float32)),
        hear("silence.wav", np.zeros(RATE, np.float32)),
    ]
    with transaction() as session:
        assert [
            each.id for each in duplicates.list_duplicates(session, user.id, original, 50)
        ] == guises
    assert [kept(each).duplicate_group_id for each in others] == [None] * 3
    assert kept(original).duplicate_group_id


def test_a_second_analysis_keeps_the_duplicate_group(user: User, hear: Hear) -> None:
    first, second = hear("a.wav", SNARE), hear("b.wav", 0.5 * SNARE)
    group = kept(first).duplicate_group_id
    with transaction() as session:
        analysis_requests.request_analysis(session, user.id, first)
    runner.run(str(job_of(first).id))
    assert kept(first).duplicate_group_id == kept(second).duplicate_group_id == group


def test_fingerprints_are_exported_and_deleted_with_their_user(
    session: Session, user: User, hear: Hear
) -> None:
    sample_id = hear("a.wav", SNARE)
    (row,) = dict(data_export.export_tables(session, user.id))["prints"]
    assert row["sample_id"] == str(sample_id)
    assert "packed" not in row  # derived from the audio, which is exported itself
    deletion.erase_account(session, user.id)
    assert session.exec(select(SamplePrint)).all() == []
    assert session.exec(select(Sample)).all() == []
