"""Routes about background work, and the numbers against the plan."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.services.library.schemas import JobView, job_view
from sp404_app.services.processing import jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])


class JobList(BaseModel):
    """The newest jobs."""

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
    """List jobs, the newest first."""
    found, total = jobs.page(session, user_id, cursor, limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    shown = [job_view(job) for job in found[:limit]]
    return JobList(jobs=shown, next_cursor=following, total=total)


@router.get("/{job_id}")
def get_job(session: Database, user_id: CurrentUser, job_id: uuid.UUID) -> JobView:
    """Show one job."""
    return job_view(jobs.get(session, user_id, job_id))


@router.delete("/{job_id}")
def cancel_job(session: Database, user_id: CurrentUser, job_id: uuid.UUID) -> JobView:
    """Cancel; one that has ended stays as it is."""
    return job_view(jobs.cancel(session, user_id, job_id))
