"""GET and DELETE /api/jobs: background jobs."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.services.library.schemas import JobView, job_view
from sp404_app.services.processing import jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])


class JobResponse(BaseModel):
    """The job that a request started, or that was active already."""

    job: JobView


class JobList(BaseModel):
    """One page of jobs."""

    jobs: list[JobView]
    next_cursor: str | None
    total: int


@router.get("")
def list_jobs(
    session: Database,
    user_id: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: uuid.UUID | None = None,
) -> JobList:
    """List jobs, newest first."""
    found, total = jobs.list_jobs(session, user_id, cursor, limit + 1)
    next_cursor = str(found[limit - 1].id) if len(found) > limit else None
    views = [job_view(job) for job in found[:limit]]
    return JobList(jobs=views, next_cursor=next_cursor, total=total)


@router.get("/{job_id}")
def get_job(session: Database, user_id: CurrentUser, job_id: uuid.UUID) -> JobView:
    """Return one job."""
    return job_view(jobs.get_job(session, user_id, job_id))


@router.delete("/{job_id}")
def cancel_job(session: Database, user_id: CurrentUser, job_id: uuid.UUID) -> JobView:
    """Cancel a job. A job that has ended stays unchanged."""
    return job_view(jobs.cancel_job(session, user_id, job_id))
