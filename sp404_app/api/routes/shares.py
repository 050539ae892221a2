"""/api/shares: the user's public links."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.db import in_transaction
from sp404_app.models import ShareDownload
from sp404_app.services.auth import passwords
from sp404_app.services.sharing import shares
from sp404_app.services.sharing.shares import ShareOptions, ShareView

router = APIRouter(prefix="/shares", tags=["shares"])

Password = Annotated[str, Field(max_length=1024)]
# true and false mean the original file and none.
_BY_BOOLEAN = {True: ShareDownload.ORIGINAL, False: ShareDownload.NONE}


def _parse_download(value: object) -> object:
    return _BY_BOOLEAN[value] if isinstance(value, bool) else value


Download = Annotated[ShareDownload, BeforeValidator(_parse_download, ShareDownload | bool)]


class NewShareRequest(BaseModel):
    """What to share (one of the three ids), and how."""

    model_config = ConfigDict(extra="forbid")

    sample_id: uuid.UUID | None = None
    collection_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    expires_at: dt.datetime | None = None
    password: Password | None = None
    allow_download: Download = ShareDownload.NONE
    allow_indexing: Annotated[bool, Field(strict=True)] = False


class ShareChange(BaseModel):
    """What changes of a link; omitted fields stay. Null removes expiry and password."""

    model_config = ConfigDict(extra="forbid")

    expires_at: dt.datetime | None = None
    password: Password | None = None
    allow_download: Download = ShareDownload.NONE
    allow_indexing: Annotated[bool, Field(strict=True)] = False


class ShareList(BaseModel):
    """One page of links, newest first."""

    shares: list[ShareView]
    next_cursor: str | None
    total: int


@router.post("", status_code=201)
async def post_share(user_id: CurrentUser, wanted: NewShareRequest) -> ShareView:
    """Share a sample, a collection or a project; answer the link."""
    named = {kind: getattr(wanted, f"{kind}_id") for kind in shares.TARGETS}
    target = await in_transaction(shares.find_target, user_id, named)
    options = ShareOptions(
        expires_at=wanted.expires_at,
        password_hash=await _hash_password(wanted.password),
        allow_download=wanted.allow_download,
        allow_indexing=wanted.allow_indexing,
    )
    return await in_transaction(shares.create_share, user_id, target, options)


@router.get("")
def list_shares(
    session: Database,
    user_id: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: uuid.UUID | None = None,
) -> ShareList:
    """List the links that are not revoked, newest first, with their counts."""
    found = shares.list_shares(session, user_id)
    rest = [share for share in found if cursor is None or share.id < cursor]
    next_cursor = str(rest[limit - 1].id) if len(rest) > limit else None
    return ShareList(shares=rest[:limit], next_cursor=next_cursor, total=len(found))


@router.get("/{share_id}")
def get_share(session: Database, user_id: CurrentUser, share_id: uuid.UUID) -> ShareView:
    """Return a link with its plays and downloads by day."""
    return shares.get_share(session, user_id, share_id)


@router.patch("/{share_id}")
async def patch_share(user_id: CurrentUser, share_id: uuid.UUID, change: ShareChange) -> ShareView:
    """Change a link; its address stays."""
    changes: dict[str, Any] = change.model_dump(exclude_unset=True)
    if "password" in changes:
        await in_transaction(shares.get_share, user_id, share_id)  # before a slow hash
        changes["password_hash"] = await _hash_password(changes.pop("password"))
    return await in_transaction(shares.change_share, user_id, share_id, changes)


@router.delete("/{share_id}", status_code=204)
def delete_share(session: Database, user_id: CurrentUser, share_id: uuid.UUID) -> Response:
    """Revoke a link at once: every later request for it is answered as for an unknown one."""
    shares.revoke_share(session, user_id, share_id)
    return Response(status_code=204)


async def _hash_password(password: str | None) -> str:
    """Return the hash of a new password, or "" for None.

    Raises:
        ValidationFailed: If it is too short or too common.
    """
    if password is None:
        return ""
    passwords.ensure_acceptable_password(password)
    return await passwords.hash_password(password)
