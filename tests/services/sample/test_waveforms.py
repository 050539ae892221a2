"""Waveform peaks at any zoom, and for any numbers."""

import math
import uuid
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session

from sp404_app.audio.features.survey import survey_file
from sp404_app.errors import NotFound
from sp404_app.models import Sample, User, Waveform
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.sample import waveforms
from tests.sounds import RATE, tone, write


@pytest.fixture
def sample_id(session: Session, user: User, tmp_path: Path) -> uuid.UUID:
    path = write(tmp_path / "a.wav", np.concatenate([tone(100, 1.0), np.zeros(RATE)]))
    found = samples.add_sample(session, user.id, samples.inspect_file(path, "a.wav"))
    peaks = survey_file(path).peaks.to_bytes()
    session.add(Waveform(sample_id=found, user_id=user.id, peaks=peaks))
    session.flush()
    return found


def test_the_whole_waveform_shows_signal_and_silence(
    session: Session, user: User, sample_id: uuid.UUID
) -> None:
    found = waveforms.waveform_of_stretch(session, user.id, sample_id, 0, None, 20)
    assert (found.start, found.end, found.duration) == (0, 2.0, 2.0)
    assert found.points.shape == (20, 2)
    assert found.points[:9].max() == pytest.approx(0.5, abs=0.02)
    assert np.abs(found.points[11:]).max() == 0


def test_a_deep_zoom_decodes_the_file(session: Session, user: User, sample_id: uuid.UUID) -> None:
    found = waveforms.waveform_of_stretch(session, user.id, sample_id, 0.1, 0.11, 200)
    middle = found.points.mean(axis=1)
    assert middle.max() == pytest.approx(0.5, abs=0.03)
    assert middle.min() == pytest.approx(-0.5, abs=0.03)


def test_any_numbers_give_a_finite_waveform_inside_the_sample(
    session: Session, user: User, sample_id: uuid.UUID
) -> None:
    starts = (math.nan, -5.0, 0.0, 1.99999, 1e9, math.inf, -math.inf)
    ends = (None, math.nan, -5.0, 0.001, 2.0, 1e9, math.inf)
    for start, end, points in product(starts, ends, (-1, 1, 4000)):
        found = waveforms.waveform_of_stretch(session, user.id, sample_id, start, end, points)
        assert 0 <= found.start <= found.end <= found.duration
        assert 1 <= len(found.points) <= 4000
        assert np.isfinite(found.points).all()


def test_another_users_waveform_is_not_found(
    session: Session, sample_id: uuid.UUID, person: Callable[..., User]
) -> None:
    with pytest.raises(NotFound):
        waveforms.waveform_of_stretch(session, person().id, sample_id, 0, None, 10)


def test_an_unanalysed_sample_has_no_waveform(
    session: Session, user: User, sample_id: uuid.UUID
) -> None:
    session.delete(session.get_one(Waveform, sample_id))
    session.flush()
    with pytest.raises(NotFound, match="no waveform yet"):
        waveforms.waveform_of_stretch(session, user.id, sample_id, 0, None, 10)


def test_a_missing_file_is_not_found_when_it_must_be_decoded(
    session: Session, user: User, sample_id: uuid.UUID
) -> None:
    storage.delete_object(session.get_one(Sample, sample_id).storage_key)
    assert len(waveforms.waveform_of_stretch(session, user.id, sample_id, 0, None, 10).points) == 10
    with pytest.raises(NotFound, match="missing"):
        waveforms.waveform_of_stretch(session, user.id, sample_id, 0, 0.01, 500)
