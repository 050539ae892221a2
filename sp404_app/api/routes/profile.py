"""Routes for the caller's profile, password, preferences and signed-in devices."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from sp404_app.api.deps import (
    CurrentUser,
    Database,
    RecentlyReauthenticated,
    RequestClient,
    UserSession,
)
from sp404_app.api.routes.auth import Text
from sp404_app.services.account import preferences
from sp404_app.services.auth import login, sessions, users
from sp404_app.services.billing import quotas

router = APIRouter(prefix="/me", tags=["me"])


class Me(BaseModel):
    """The caller's profile and plan."""

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    tier: str
    email_verified: bool
    created_at: str


class Names(BaseModel):
    """The names to change; an omitted field is unchanged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first_name: Annotated[str, Field(max_length=2000)] | None = None
    last_name: Annotated[str, Field(max_length=2000)] | None = None


class PasswordChange(BaseModel):
    """The current password and the new one."""

    current_password: Text
    password: Text


class Choices(BaseModel):
    """The caller's preferences."""

    theme: Literal["system", "dark", "light"]
    autoplay: bool
    level_previews: bool
    folders_become_tags: bool


class ChoicesChange(BaseModel):
    """The preferences to change; an omitted field is unchanged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    theme: Literal["system", "dark", "light"] | None = None
    autoplay: bool | None = None
    level_previews: bool | None = None
    folders_become_tags: bool | None = None


class DeviceView(BaseModel):
    """A signed-in device."""

    id: str
    user_agent: str
    ip: str
    kind: Literal["browser", "api"]
    created_at: str
    last_seen_at: str
    current: bool


class Devices(BaseModel):
    """All of the caller's signed-in devices."""

    sessions: list[DeviceView]
    next_cursor: None = None
    total: int


@router.get("")
def get_me(session: Database, user_id: CurrentUser) -> Me:
    """Return the caller's profile."""
    return _to_me(session, user_id)


@router.patch("")
def patch_me(session: Database, user_id: CurrentUser, names: Names) -> Me:
    """Change the caller's names."""
    users.rename_user(session, user_id, names.first_name, names.last_name)
    return _to_me(session, user_id)


def _to_me(session: Session, user_id: uuid.UUID) -> Me:
    profile = users.get_profile(session, user_id)
    return Me(
        id=profile.id,
        email=profile.email,
        first_name=profile.first_name,
        last_name=profile.last_name,
        avatar_url=profile.avatar_url,
        tier=quotas.get_plan(session, user_id).tier,
        email_verified=profile.email_verified,
        created_at=profile.created_at,
    )


@router.put("/password", status_code=status.HTTP_204_NO_CONTENT)
async def put_password(who: UserSession, form: PasswordChange, client: RequestClient) -> None:
    """Change the password; all other devices are signed out."""
    await login.change_password(who, form.current_password, form.password, client)


@router.get("/preferences")
def get_preferences(session: Database, user_id: CurrentUser) -> Choices:
    """Return the caller's preferences."""
    return Choices.model_validate(
        preferences.get_preferences(session, user_id), from_attributes=True
    )


@router.patch("/preferences")
def patch_preferences(session: Database, user_id: CurrentUser, changes: ChoicesChange) -> Choices:
    """Change some of the caller's preferences."""
    changed = preferences.change_preferences(
        session, user_id, changes.model_dump(exclude_none=True)
    )
    return Choices.model_validate(changed, from_attributes=True)


@router.get("/sessions")
def get_sessions(session: Database, who: UserSession) -> Devices:
    """List the signed-in devices."""
    devices = sessions.list_devices(session, who.user_id, who.sign_in_id)
    views = [DeviceView.model_validate(device, from_attributes=True) for device in devices]
    return Devices(sessions=views, total=len(views))


@router.delete("/sessions/{sign_in_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_session(
    session: Database, who: RecentlyReauthenticated, sign_in_id: uuid.UUID, client: RequestClient
) -> None:
    """Sign a device out."""
    login.sign_out_device(session, who, sign_in_id, client)
