"""Quota routes: current usage, whether an upload or analysis is allowed, and daily usage."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.errors import AppError
from sp404_app.services.billing import quotas, usage
from sp404_app.services.library.schemas import QuotaView, quota_view

router = APIRouter(tags=["quotas"])


class Allowed(BaseModel):
    """Whether an upload or analysis is allowed; if not, the error's message, code and details."""

    allowed: bool
    reason: str | None = None
    code: str | None = None
    details: dict[str, object] = {}


class DayView(BaseModel):
    """One UTC day."""

    date: dt.date
    analyses: int
    uploads: int
    storage_bytes: int


class Usage(BaseModel):
    """Daily usage, oldest first."""

    days: list[DayView]
    total: int


@router.get("/quotas")
def get_quotas(session: Database, user_id: CurrentUser) -> QuotaView:
    """Return usage and limits of the current usage month."""
    return quota_view(quotas.get_quota_usage(session, user_id))


@router.get("/quotas/can-analyze")
def can_analyse(session: Database, user_id: CurrentUser) -> Allowed:
    """Return whether an analysis would be accepted now."""
    return _check_quota(session, user_id, None)


@router.get("/quotas/can-upload")
def can_upload(
    session: Database,
    user_id: CurrentUser,
    size: Annotated[int, Query(alias="bytes", ge=0, le=2**53)] = 0,
) -> Allowed:
    """Return whether that many bytes would fit now."""
    return _check_quota(session, user_id, size)


@router.get("/usage")
def get_usage(
    session: Database, user_id: CurrentUser, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Usage:
    """Return usage by day."""
    found = [
        DayView(
            date=day.day, analyses=day.analyses, uploads=day.added, storage_bytes=day.stored_bytes
        )
        for day in usage.daily_usage(session, user_id, days)
    ]
    return Usage(days=found, total=len(found))


def _check_quota(session: Session, user_id: uuid.UUID, size: int | None) -> Allowed:
    try:
        if size is None:
            quotas.ensure_analysis_quota(session, user_id)
        else:
            quotas.ensure_storage(session, user_id, size)
    except AppError as refusal:
        return Allowed(
            allowed=False, reason=str(refusal), code=refusal.code, details=refusal.details
        )
    return Allowed(allowed=True)
