"""What a worker does when the bell rings: claim the row, do the work, keep it alive."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.jobs.analyse_sample import analyse_sample
from sp404_app.jobs.data_export import export_account
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, SampleStatus
from sp404_app.services.infra import queue
from sp404_app.services.processing import jobs
from sp404_app.settings import MB

log = logging.getLogger(__name__)

BEAT_EVERY = 3.0
BATCH_FILES, BATCH_SECONDS, SMALL = 16, 5.0, 5 * MB
TOO_LONG = "{0} took too long and was stopped."
OURS = "Something went wrong on our side while {1}."


def _draw_spectrogram(job: ProcessingJob) -> None:
    # librosa takes seconds to import, and only the picture worker draws.
    from sp404_app.jobs.spectrogram import draw_spectrogram  # noqa: PLC0415

    draw_spectrogram(job)


WORK = {
    JobKind.ANALYSE: analyse_sample,
    JobKind.ACCOUNT_EXPORT: export_account,
    JobKind.SPECTROGRAM: _draw_spectrogram,
}


def run(job_id: str) -> None:
    """Do one job, unless another worker has it; safe to ring twice.

    Small sounds that wait behind it are done in the same process, as long as that is short and
    nobody waits in a queue before theirs: a new process costs several times what a drum does.
    """
    until = time.monotonic() + BATCH_SECONDS
    with transaction() as session:
        job = jobs.claim(session, uuid.UUID(job_id))
    done = 0
    while job:
        _work(job)
        done += 1
        over = done >= BATCH_FILES or time.monotonic() > until or job.kind != JobKind.ANALYSE
        job = None if over else _another(job.queue)


def _another(queue_name: str) -> ProcessingJob | None:
    """Claim what waits next in a queue, if it is a small sound."""
    try:
        name = queue.next_rq_job(queue_name)
        row = queue.job_id_of(name) if name else None
        with transaction() as session:
            job = jobs.claim_small(session, row, SMALL) if row else None
        if job and name:
            queue.discard(name)
        elif name:  # it is for a process of its own, as ever
            queue.requeue(queue_name, name)
    except (RedisError, OperationalError):  # a bell that is lost so is rung again
        log.exception("no more small sounds in this process")
        return None
    return job


def _work(job: ProcessingJob) -> None:
    """Do a job that was claimed."""
    try:
        with beating(job):
            WORK[JobKind(job.kind)](job)
    except JobTimeoutException:
        _fail(job, _words(job, TOO_LONG))
    except AppError as error:
        _fail(job, str(error))
    except OperationalError:  # the database went away: left open, the job is taken up again
        log.exception("job %s lost its database", job.id)
    except Exception:  # the one border where anything may come: the row must not stay open
        log.exception("job %s failed", job.id)
        _fail(job, _words(job, OURS))


@contextmanager
def beating(job: ProcessingJob) -> Iterator[None]:
    """Show every three seconds that this attempt lives."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_EVERY):
            try:
                with transaction() as session:
                    if not jobs.beat(session, job.id, job.attempts):
                        return
            except OperationalError:
                log.warning("job %s cannot show that it lives", job.id)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _words(job: ProcessingJob, sentence: str) -> str:
    if job.kind == JobKind.ANALYSE:
        return sentence.format("The analysis", "analysing this file")
    if job.kind == JobKind.SPECTROGRAM:
        return sentence.format("The picture", "drawing this picture")
    return sentence.format("The export", "making this export")


def _fail(job: ProcessingJob, reason: str) -> None:
    with transaction() as session:
        if not jobs.still_mine(session, job):
            return
        analysed = job.sample_id if job.kind == JobKind.ANALYSE else None
        sample = session.get(Sample, analysed) if analysed else None
        # Somebody may have asked for it meanwhile: the row says so.
        if sample and session.get_one(ProcessingJob, job.id).queue == queue.LOW:
            jobs.note_failure(session, job, reason)
        elif sample:
            sample.status, sample.error = SampleStatus.FAILED, reason
            session.add(sample)
        jobs.finish(session, job.id, JobStatus.FAILED, reason)
