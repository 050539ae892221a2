"""Routes about what is one's own: the picture, what happened, all data as a zip, and the end."""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, File, Query, Request, Response, UploadFile, status
from pydantic import BaseModel

from sp404_app.api.deps import Caller, Confirmed, CurrentUser, Database, Identity
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.api.routes.media import ranged
from sp404_app.db import in_transaction, transaction
from sp404_app.services.account import avatars, data_export, deletion
from sp404_app.services.infra import audit_log, storage
from sp404_app.services.library.schemas import job_view

router = APIRouter(tags=["me"])

Picture = Annotated[UploadFile, File(description="PNG, JPEG, WebP or GIF, up to 10 MB.")]


class AvatarView(BaseModel):
    """Where the picture is."""

    avatar_url: str


class EventView(BaseModel):
    """One line of the log."""

    id: uuid.UUID
    at: str
    action: str
    ip: str
    details: dict[str, str]


class Activity(BaseModel):
    """What happened in the caller's account, the newest first."""

    events: list[EventView]
    next_cursor: str | None
    total: int


@router.put("/me/avatar")
async def put_avatar(who: Identity, picture: Picture) -> AvatarView:
    """Set the profile picture; it is cut to a square and stripped of everything but pixels."""
    small = await asyncio.to_thread(avatars.squared, picture.file)
    return AvatarView(avatar_url=await in_transaction(avatars.put, who.user_id, small))


@router.delete("/me/avatar", status_code=status.HTTP_204_NO_CONTENT)
def delete_avatar(session: Database, who: Identity) -> None:
    """Remove the profile picture."""
    avatars.remove(session, who.user_id)


@router.get("/avatars/{name}", response_class=Response)
def get_avatar(user_id: CurrentUser, name: uuid.UUID) -> Response:
    """Return the caller's own profile picture."""
    with transaction() as session:
        key = avatars.key_for(session, user_id, name)
    with storage.local_copy(key) as path:
        content = path.read_bytes()
    cache = "private, max-age=31536000, immutable"  # another picture has another address
    return Response(content, media_type="image/webp", headers={"Cache-Control": cache})


@router.get("/me/activity")
def get_activity(
    session: Database,
    who: Identity,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: uuid.UUID | None = None,
) -> Activity:
    """List sign-ins, failures and changes of the caller's account, the newest first."""
    found, total = audit_log.list_events(session, who.user_id, cursor, limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    events = [EventView.model_validate(one, from_attributes=True) for one in found[:limit]]
    return Activity(events=events, next_cursor=following, total=total)


@router.post("/me/export", status_code=status.HTTP_202_ACCEPTED)
def post_export(session: Database, who: Confirmed, client: Caller) -> JobResponse:
    """Ask for a zip of everything about the caller, with all sounds."""
    return JobResponse(job=job_view(data_export.ask(session, who.user_id, client)))


@router.get("/exports/{export_id}", response_class=Response)
def get_export(request: Request, who: Identity, export_id: uuid.UUID) -> Response:
    """Download an export of one's own; it is there for a week."""
    with transaction() as session:
        key = data_export.key_for(session, who.user_id, export_id)
    headers = {
        "Content-Disposition": 'attachment; filename="crate-404-export.zip"',
        "Cache-Control": "private, no-store",
    }
    return ranged(request, key, "application/zip", headers)


@router.delete("/me", status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(who: Confirmed) -> None:
    """Delete the account: the subscription ends first, then everything is gone for good."""
    await deletion.delete_account(who.user_id)
