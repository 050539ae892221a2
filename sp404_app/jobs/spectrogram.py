"""Draw a picture of one sample and keep it. Imports librosa: for the picture worker only."""

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from sp404_app.audio.dsp.spectrogram import draw_picture
from sp404_app.audio.picture import View
from sp404_app.db import transaction
from sp404_app.models import JobStatus, ProcessingJob, Sample
from sp404_app.services.infra import pictures, storage
from sp404_app.services.processing import jobs
from sp404_app.services.sample.spectrograms import part_of_job

KEPT_PICTURES = 24  # of one sample; older ones are deleted, and drawn again on request


def draw_spectrogram(job: ProcessingJob) -> None:
    """Draw the part that a job names, and store it; safe to run again.

    Raises:
        AppError: With a message for the user, if the sample cannot be drawn.
    """
    sample = _sample_of(job)
    if sample is None:
        return
    part = part_of_job(job, sample)
    with storage.local_copy(sample.storage_key) as path:
        drawn = draw_picture(path, part.view, part.start, part.end)
    storage.save_bytes(drawn.to_bytes(), part.key)
    with transaction() as session:
        if jobs.lock_current_attempt(session, job):
            jobs.finish_job(session, job.id, JobStatus.DONE)
    if _sample_of(job) is None:  # deleted meanwhile, perhaps before the picture was stored
        storage.delete_object(part.key)
    elif not part.is_whole:
        pictures.delete_oldest_pictures(job.user_id, part.sample_id, KEPT_PICTURES)


def warm_up() -> None:
    """Draw every view once, so that forked children inherit the code and filters it loads."""
    noise = np.random.default_rng(404).uniform(-0.5, 0.5, 2 * 44_100)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        soundfile.write(path, noise, 44_100, subtype="PCM_16")
        for view in View:
            draw_picture(path, view, 0.0, 2.0)


def _sample_of(job: ProcessingJob) -> Sample | None:
    with transaction() as session:
        return session.get(Sample, job.sample_id)
