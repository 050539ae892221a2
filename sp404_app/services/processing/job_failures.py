"""Save that an attempt at a job failed, on its row and on its sample."""

from sqlmodel import Session

from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, SampleStatus
from sp404_app.services.infra import queue
from sp404_app.services.processing import jobs


def fail_attempt(session: Session, job: ProcessingJob, reason: str) -> None:
    """Close a job as failed and show the reason on its sample.

    Nothing changes if the job was cancelled or given to another worker. If no user requested the
    analysis, the sample keeps the results of the older engine.
    """
    if not jobs.lock_current_attempt(session, job):
        return
    sample_id = job.sample_id if job.kind == JobKind.ANALYSE else None
    sample = session.get(Sample, sample_id) if sample_id else None
    # A user may have requested the analysis meanwhile, so the current row decides.
    if sample and session.get_one(ProcessingJob, job.id).queue == queue.LOW:
        jobs.record_engine_failure(session, job, reason)
    elif sample:
        sample.status, sample.error = SampleStatus.FAILED, reason
        session.add(sample)
    jobs.finish_job(session, job.id, JobStatus.FAILED, reason)
