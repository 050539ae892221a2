"""Render the audio of a pad and keep it."""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from sp404_app.audio.io.peaks import Peaks, PeaksBuilder
from sp404_app.audio.render.render import render
from sp404_app.db import transaction
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.infra import storage
from sp404_app.services.processing import jobs
from sp404_app.services.projects import renders

BLOCK_FRAMES = 65_536


def render_pad(job: ProcessingJob) -> None:
    """Render what a job's row of `pad_renders` names, and store it; safe to run again.

    Raises:
        AppError: With a message for the user, if the sound cannot be rendered.
    """
    with transaction() as session:
        task = renders.task_of_job(session, job)
        if task is None:  # the sample was deleted meanwhile
            _finish(job, JobStatus.CANCELLED)
            return
    with tempfile.TemporaryDirectory() as folder, storage.local_copy(task.storage_key) as source:
        target = Path(folder) / "render.wav"
        made = render(
            source,
            task.edit,
            rate=task.rate,
            loop=task.loop,
            seed=hashlib.sha256(task.key.encode()).digest()[:8],
            target=target,
        )
        peaks = _peaks_of(target)
        storage.save(target, renders.object_key(job.user_id, task.key))
    with transaction() as session:
        is_current = jobs.lock_current_attempt(session, job)
        is_kept = renders.save_result(session, job.user_id, task.key, made, peaks.to_bytes())
        if is_current:
            jobs.finish_job(session, job.id, JobStatus.DONE)
    if not is_kept:  # the sample was deleted meanwhile
        storage.delete_object(renders.object_key(job.user_id, task.key))


def _finish(job: ProcessingJob, status: JobStatus) -> None:
    with transaction() as session:
        if jobs.lock_current_attempt(session, job):
            jobs.finish_job(session, job.id, status)


def _peaks_of(path: Path) -> Peaks:
    with soundfile.SoundFile(path) as sound:
        builder = PeaksBuilder(sound.samplerate)
        for block in sound.blocks(BLOCK_FRAMES, dtype="float32", always_2d=True):
            builder.feed(np.asarray(block, np.float32))
    return builder.done()
