"""Routes for re-authentication, change of email, two-factor authentication and access tokens."""

import uuid
from typing import Annotated

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import Database, RecentlyReauthenticated, RequestClient, UserSession
from sp404_app.api.routes.auth import Message, Text
from sp404_app.db import in_transaction
from sp404_app.services.auth import (
    email_change,
    personal_access_tokens,
    reauthentication,
    two_factor,
)
from sp404_app.services.auth.personal_access_tokens import MadeToken, PersonalTokenView
from sp404_app.services.auth.two_factor import TotpSetup, TwoFactorStatus
from sp404_app.services.infra import rate_limits

router = APIRouter(prefix="/me", tags=["credentials"])


class Form(BaseModel):
    """A request body that forbids unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Proof(Form):
    """The current password."""

    password: Text


class NewAddress(Form):
    """The new email."""

    email: Text


class Code(Form):
    """A code from the authenticator app."""

    code: Annotated[str, Field(max_length=200)]


class RecoveryCodes(BaseModel):
    """Recovery codes, shown only in this response; each works once instead of the app's code."""

    recovery_codes: list[str]


class NewToken(Form):
    """The name, scopes and lifetime of a new personal access token."""

    name: Annotated[str, Field(max_length=2000)]
    abilities: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]
    expires_in_days: int | None = None


class PersonalTokens(BaseModel):
    """All of the caller's personal access tokens."""

    tokens: list[PersonalTokenView]
    next_cursor: None = None
    total: int


@router.post("/confirm", status_code=status.HTTP_204_NO_CONTENT)
async def confirm(who: UserSession, form: Proof, client: RequestClient) -> None:
    """Re-authenticate with the password; allows sensitive actions for ten minutes."""
    await reauthentication.reauthenticate(who, form.password, client)


@router.put("/email", status_code=status.HTTP_202_ACCEPTED)
async def put_email(
    who: RecentlyReauthenticated, form: NewAddress, client: RequestClient
) -> Message:
    """Request a change of email; the link mailed to the new one confirms it."""
    await rate_limits.count_email_change(who.user_id, form.email, client.ip)
    await in_transaction(email_change.request_email_change, who.user_id, form.email, client)
    return Message(message="Check the inbox of your new email.")


@router.get("/two-factor")
def get_two_factor(session: Database, who: UserSession) -> TwoFactorStatus:
    """Return whether two-factor authentication is on."""
    return two_factor.two_factor_status(session, who.user_id)


@router.post("/two-factor")
def post_two_factor(session: Database, who: RecentlyReauthenticated) -> TotpSetup:
    """Begin to set up two-factor authentication; the first code confirms it."""
    return two_factor.begin_totp_setup(session, who.user_id)


@router.post("/two-factor/confirm")
async def confirm_two_factor(
    who: RecentlyReauthenticated, form: Code, client: RequestClient
) -> RecoveryCodes:
    """Turn two-factor authentication on by the first code."""
    await rate_limits.count_two_factor_attempt(who.user_id)
    codes = await in_transaction(two_factor.confirm_totp_setup, who.user_id, form.code, client)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/two-factor/recovery-codes")
def renew_recovery_codes(
    session: Database, who: RecentlyReauthenticated, client: RequestClient
) -> RecoveryCodes:
    """Replace the recovery codes; the old ones stop working."""
    return RecoveryCodes(
        recovery_codes=two_factor.renew_recovery_codes(session, who.user_id, client)
    )


@router.delete("/two-factor", status_code=status.HTTP_204_NO_CONTENT)
def delete_two_factor(
    session: Database, who: RecentlyReauthenticated, client: RequestClient
) -> None:
    """Turn two-factor authentication off."""
    two_factor.turn_off_two_factor(session, who.user_id, client)


@router.get("/tokens")
def get_tokens(session: Database, who: UserSession) -> PersonalTokens:
    """List the personal access tokens, without their secrets."""
    tokens = personal_access_tokens.list_personal_tokens(session, who.user_id)
    return PersonalTokens(tokens=tokens, total=len(tokens))


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
def post_token(
    session: Database, who: RecentlyReauthenticated, form: NewToken, client: RequestClient
) -> MadeToken:
    """Create a personal access token; its secret is shown only in this response."""
    return personal_access_tokens.create_personal_token(
        session, who.user_id, form.name, form.abilities, form.expires_in_days, client
    )


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_token(
    session: Database, who: UserSession, token_id: uuid.UUID, client: RequestClient
) -> None:
    """Revoke a personal access token; it stops working at once."""
    personal_access_tokens.revoke_personal_token(session, who.user_id, token_id, client)
