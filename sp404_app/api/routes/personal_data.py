"""Routes for personal data: profile picture, audit log, data export, account deletion."""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, File, Query, Response, UploadFile, status
from pydantic import BaseModel

from sp404_app.api.deps import (
    CurrentUser,
    Database,
    RecentlyReauthenticated,
    RequestClient,
    UserSession,
)
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.db import in_transaction, transaction
from sp404_app.services.account import avatars, data_export, deletion
from sp404_app.services.infra import audit_log, storage
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.library.schemas import job_view

router = APIRouter(tags=["me"])

MAX_AVATAR_SIZE = format_size(avatars.MAX_AVATAR_BYTES)
Picture = Annotated[
    UploadFile, File(description=f"PNG, JPEG, WebP or GIF, up to {MAX_AVATAR_SIZE}.")
]


class AvatarView(BaseModel):
    """The URL of the profile picture."""

    avatar_url: str


class EventView(BaseModel):
    """One event of the audit log."""

    id: uuid.UUID
    at: str
    action: str
    ip: str
    details: dict[str, str]


class Activity(BaseModel):
    """The audit log of the caller's account, newest first."""

    events: list[EventView]
    next_cursor: str | None
    total: int


@router.put("/me/avatar")
async def put_avatar(who: UserSession, picture: Picture) -> AvatarView:
    """Set the profile picture; it is cropped to a square, and metadata is removed."""
    avatar = await asyncio.to_thread(avatars.make_avatar, picture.file)
    return AvatarView(avatar_url=await in_transaction(avatars.save_avatar, who.user_id, avatar))


@router.delete("/me/avatar", status_code=status.HTTP_204_NO_CONTENT)
def delete_avatar(session: Database, who: UserSession) -> None:
    """Remove the profile picture."""
    avatars.remove_avatar(session, who.user_id)


@router.get("/avatars/{name}", response_class=Response)
def get_avatar(user_id: CurrentUser, name: uuid.UUID) -> Response:
    """Return the caller's own profile picture."""
    with transaction() as session:
        key = avatars.find_avatar_key(session, user_id, name)
    with storage.local_copy(key) as path:
        content = path.read_bytes()
    cache = "private, max-age=31536000, immutable"  # a new picture gets a new URL
    return Response(content, media_type="image/webp", headers={"Cache-Control": cache})


@router.get("/me/activity")
def get_activity(
    session: Database,
    who: UserSession,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: uuid.UUID | None = None,
) -> Activity:
    """List sign-ins, failures and changes of the caller's account, the newest first."""
    found, total = audit_log.list_audit_events(session, who.user_id, cursor, limit + 1)
    next_cursor = str(found[limit - 1].id) if len(found) > limit else None
    events = [EventView.model_validate(one, from_attributes=True) for one in found[:limit]]
    return Activity(events=events, next_cursor=next_cursor, total=total)


@router.post("/me/export", status_code=status.HTTP_202_ACCEPTED)
def post_export(
    session: Database, who: RecentlyReauthenticated, client: RequestClient
) -> JobResponse:
    """Request a zip of all the caller's data, including original files."""
    return JobResponse(job=job_view(data_export.request_export(session, who.user_id, client)))


@router.delete("/me", status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(who: RecentlyReauthenticated) -> None:
    """Delete the account and all its data for good."""
    await deletion.delete_account(who.user_id)
