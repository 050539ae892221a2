"""Run a job of `processing_jobs`: claim its row, keep a heartbeat, save errors."""

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
from sp404_app.jobs.bulk_edit import run_bulk_edit
from sp404_app.jobs.card_import import import_card
from sp404_app.jobs.convert import convert_samples
from sp404_app.jobs.data_export import export_account
from sp404_app.jobs.job_log import Outcome, log_job
from sp404_app.jobs.project_export import export_project
from sp404_app.jobs.render import render_pad
from sp404_app.models import JobKind, ProcessingJob
from sp404_app.services.infra import queue
from sp404_app.services.infra.attempt_connections import AttemptConnection
from sp404_app.services.infra.queue import Origin
from sp404_app.services.processing import job_failures, jobs
from sp404_app.settings import MB
from sp404_app.telemetry import metrics

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_S = 2.0  # less than `jobs.SUSPECT_AFTER`
BATCH_FILES, MAX_BATCH_S, MAX_BATCH_FILE_BYTES = 16, 5.0, 5 * MB
BATCHED_KINDS = (JobKind.ANALYSE, JobKind.RENDER)
TIMED_OUT = "{job} took too long and was stopped."
INTERNAL_ERROR = "Something went wrong on our side while {action}."


def _draw_spectrogram(job: ProcessingJob) -> None:
    # librosa takes seconds to import, and only the picture worker draws.
    from sp404_app.jobs.spectrogram import draw_spectrogram  # noqa: PLC0415

    draw_spectrogram(job)


JOB_FUNCTIONS = {
    JobKind.ANALYSE: analyse_sample,
    JobKind.ACCOUNT_EXPORT: export_account,
    JobKind.EXPORT: export_project,
    JobKind.IMPORT: import_card,
    JobKind.SPECTROGRAM: _draw_spectrogram,
    JobKind.RENDER: render_pad,
    JobKind.CONVERT: convert_samples,
    JobKind.BULK: run_bulk_edit,
}


# What people read about a job that failed: its name, and what it was doing.
JOB_WORDS = {
    JobKind.ANALYSE: ("The analysis", "analysing this file"),
    JobKind.ACCOUNT_EXPORT: ("The export", "making this export"),
    JobKind.EXPORT: ("The export", "making this export"),
    JobKind.IMPORT: ("The import", "reading this card"),
    JobKind.SPECTROGRAM: ("The picture", "drawing this picture"),
    JobKind.RENDER: ("The audio of this pad", "rendering this pad"),
    JobKind.CONVERT: ("This download", "converting these sounds"),
    JobKind.BULK: ("This change", "changing these sounds"),
}


def run(job_id: str) -> None:
    """Run one job, unless another worker has claimed it; safe to queue twice.

    Small samples that wait behind it are analysed or rendered in the same process, for a few
    seconds and while no queue of higher priority has jobs: forking a process takes several times as
    long as analysing a drum hit.
    """
    until = time.monotonic() + MAX_BATCH_S
    with transaction() as session:
        job = jobs.claim_job(session, uuid.UUID(job_id))
    done, origin = 0, queue.current_origin()
    while job:
        _run_claimed(job, origin)
        done += 1
        is_last = done >= BATCH_FILES or time.monotonic() > until or job.kind not in BATCHED_KINDS
        job, origin = (None, Origin()) if is_last else _claim_next_small(job.queue)


def _claim_next_small(queue_name: str) -> tuple[ProcessingJob | None, Origin]:
    """Claim the next job of a queue if its file is small; otherwise leave it there.

    Return it with what enqueued it.
    """
    origin = Origin()
    try:
        rq_id = queue.next_rq_job(queue_name)
        job_id = queue.job_id_of(rq_id) if rq_id else None
        with transaction() as session:
            job = jobs.claim_small_job(session, job_id, MAX_BATCH_FILE_BYTES) if job_id else None
        if job and rq_id:
            origin = queue.origin_of_id(rq_id)
            queue.discard(rq_id)
        elif rq_id:  # too large to batch: leave it for its own process
            queue.requeue(queue_name, rq_id)
    except (RedisError, OperationalError):  # housekeeping queues a job that was lost here
        log.exception("the batch of small samples ended early")
        return None, Origin()
    return job, origin


def _run_claimed(job: ProcessingJob, origin: Origin) -> None:
    if job.started_at and job.attempts == 1:
        waited = (job.started_at - job.created_at).total_seconds()
        metrics.JOB_WAIT_SECONDS.labels(job.queue).observe(waited)
    with (
        log_job(job.queue, job.kind, origin) as ending,
        metrics.JOB_SECONDS.labels(job.kind).time(),
    ):
        ending.outcome = _attempt(job)
    metrics.JOBS_FINISHED.labels(job.kind, ending.outcome).inc()


def _attempt(job: ProcessingJob) -> Outcome:
    """Run the function of a job and save an error on its row; return the outcome."""
    try:
        with heartbeat(job):
            JOB_FUNCTIONS[JobKind(job.kind)](job)
    except JobTimeoutException:
        _fail(job, _message(job, TIMED_OUT))
        return "timeout"
    except AppError as error:
        _fail(job, str(error))
        return "refused"
    except OperationalError:  # no database: the row stays open and is queued again
        log.exception("job %s: database unavailable", job.id)
        return "no_database"
    except Exception:  # outermost handler of the job: any error must close the row
        log.exception("job %s failed", job.id)
        _fail(job, _message(job, INTERNAL_ERROR))
        return "failed"
    return "done"


@contextmanager
def heartbeat(job: ProcessingJob) -> Iterator[None]:
    """Update the heartbeat of an attempt every two seconds, in a thread.

    Meanwhile the process has a connection to Redis that is named after the attempt. Redis drops it
    as soon as the process ends, so that housekeeping need not wait for a missing heartbeat.
    """
    done = threading.Event()
    sign_of_life = AttemptConnection(job.id, job.attempts)

    def beat() -> None:
        while not done.wait(HEARTBEAT_INTERVAL_S):
            try:
                with transaction() as session:
                    if not jobs.record_heartbeat(session, job.id, job.attempts):
                        return
            except OperationalError:
                log.warning("heartbeat of job %s failed", job.id)
            sign_of_life.keep()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sign_of_life.end()


def _message(job: ProcessingJob, template: str) -> str:
    name, action = JOB_WORDS[JobKind(job.kind)]
    return template.format(job=name, action=action)


def _fail(job: ProcessingJob, reason: str) -> None:
    with transaction() as session:
        job_failures.fail_attempt(session, job, reason)
