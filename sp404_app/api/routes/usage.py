"""Routes about quotas: what is used of what, may I, and how it went day by day."""

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
    """Whether something may be added; if not, why, as an error would say it."""

    allowed: bool
    reason: str | None = None
    code: str | None = None
    details: dict[str, object] = {}


class DayView(BaseModel):
    """One day of UTC."""

    date: dt.date
    analyses: int
    uploads: int
    storage_bytes: int


class Usage(BaseModel):
    """The last days, the oldest first."""

    days: list[DayView]
    total: int


@router.get("/quotas")
def get_quotas(session: Database, user_id: CurrentUser) -> QuotaView:
    """Show what is used of what."""
    return quota_view(quotas.usage(session, user_id))


@router.get("/quotas/can-analyze")
def can_analyse(session: Database, user_id: CurrentUser) -> Allowed:
    """Say whether an analysis would start now."""
    return _allowed(session, user_id, None)


@router.get("/quotas/can-upload")
def can_upload(
    session: Database,
    user_id: CurrentUser,
    size: Annotated[int, Query(alias="bytes", ge=0, le=2**53)] = 0,
) -> Allowed:
    """Say whether so many bytes would fit now."""
    return _allowed(session, user_id, size)


@router.get("/usage")
def get_usage(
    session: Database, user_id: CurrentUser, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Usage:
    """Show the last days."""
    found = [
        DayView(
            date=day.day, analyses=day.analyses, uploads=day.added, storage_bytes=day.stored_bytes
        )
        for day in usage.daily(session, user_id, days)
    ]
    return Usage(days=found, total=len(found))


def _allowed(session: Session, user_id: uuid.UUID, size: int | None) -> Allowed:
    try:
        if size is None:
            quotas.ensure_analysis(session, user_id)
        else:
            quotas.ensure_room(session, user_id, size)
    except AppError as refusal:
        return Allowed(
            allowed=False, reason=str(refusal), code=refusal.code, details=refusal.details
        )
    return Allowed(allowed=True)
