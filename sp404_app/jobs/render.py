"""Make the audio of a pad, and store it."""

import tempfile
import time
from pathlib import Path

from sp404_app.audio.io.decode import open_audio
from sp404_app.audio.io.peaks import PeaksBuilder
from sp404_app.audio.render.render import Rendered, render
from sp404_app.db import transaction
from sp404_app.models import ProcessingJob
from sp404_app.services.infra import storage
from sp404_app.services.processing import jobs
from sp404_app.services.projects import render_results
from sp404_app.services.projects.render_results import RenderTask

PROGRESS_INTERVAL_S = 1.0


class RenderCancelled(Exception):
    """The job was cancelled or given to another worker."""


def render_pad(job: ProcessingJob) -> None:
    """Make and store the render of a job; safe to run again.

    Raises:
        AppError: With a message for the user, if the sound cannot be rendered.
    """
    with transaction() as session:
        task = render_results.begin_render(session, job)
    if task is None:
        return
    with tempfile.TemporaryDirectory(prefix="sp404-render-") as folder:
        target = Path(folder) / "render.wav"
        try:
            rendered = _render_to(target, job, task)
        except RenderCancelled:
            return
        peaks = measure_peaks(target)
        storage.save(target, task.file_key)
    with transaction() as session:
        render_results.save_render(session, job, task, rendered, peaks)
    with transaction() as session:
        render_results.record_pad_lengths(session, task)


def measure_peaks(path: Path) -> bytes:
    """Return the packed waveform of a sound file."""
    with open_audio(path) as (header, blocks):
        builder = PeaksBuilder(header.sample_rate)
        for block in blocks:
            builder.feed(block)
    return builder.done().to_bytes()


def _render_to(target: Path, job: ProcessingJob, task: RenderTask) -> Rendered:
    reported = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal reported
        if time.monotonic() - reported > PROGRESS_INTERVAL_S:
            reported = time.monotonic()
            _report_progress(job, fraction)

    with storage.local_copy(task.source_key) as source:
        return render(
            source,
            task.edit,
            rate=task.rate,
            loop=task.loop,
            seed=bytes.fromhex(task.render_key),
            target=target,
            progress=report,
        )


def _report_progress(job: ProcessingJob, fraction: float) -> None:
    with transaction() as session:
        if not jobs.record_heartbeat(session, job.id, job.attempts, fraction):
            raise RenderCancelled
