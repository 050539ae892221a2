"""Routes about how one proves who one is: password again, address, second step, own tokens."""

import uuid
from typing import Annotated

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import Caller, Confirmed, Database, Identity
from sp404_app.api.routes.auth import Message
from sp404_app.db import in_transaction
from sp404_app.services.auth import (
    email_change,
    personal_access_tokens,
    reauthentication,
    two_factor,
)
from sp404_app.services.infra import rate_limits

router = APIRouter(prefix="/me", tags=["credentials"])

Text = Annotated[str, Field(max_length=20_000)]


class Form(BaseModel):
    """A body with these fields and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Proof(Form):
    """The password once more."""

    password: Text


class NewAddress(Form):
    """The address to use from now on."""

    email: Text


class Code(Form):
    """A code of the authenticator app."""

    code: Annotated[str, Field(max_length=200)]


class SetupView(BaseModel):
    """What an authenticator app needs: the QR code is an SVG as data URI."""

    secret: str
    uri: str
    qr: str


class StandingView(BaseModel):
    """Whether signing in takes two steps, and how many recovery codes are left."""

    on: bool
    codes_left: int


class RecoveryCodes(BaseModel):
    """Codes that each sign in once without the app; shown now and never again."""

    recovery_codes: list[str]


class NewToken(Form):
    """What a token is for."""

    name: Annotated[str, Field(max_length=2000)]
    abilities: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]
    expires_in_days: int | None = None


class PersonalTokenView(BaseModel):
    """A personal access token; the secret itself is not kept."""

    id: str
    name: str
    ending: str
    abilities: list[str]
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    expired: bool


class MadeToken(PersonalTokenView):
    """A new token, with the secret: shown now and never again."""

    token: str


class PersonalTokens(BaseModel):
    """All of the caller's personal access tokens."""

    tokens: list[PersonalTokenView]
    next_cursor: None = None
    total: int


@router.post("/confirm", status_code=status.HTTP_204_NO_CONTENT)
async def confirm(who: Identity, form: Proof, client: Caller) -> None:
    """Prove the password; for ten minutes this sign-in may do what matters."""
    await reauthentication.confirm(who, form.password, client)


@router.put("/email", status_code=status.HTTP_202_ACCEPTED)
async def put_email(who: Confirmed, form: NewAddress, client: Caller) -> Message:
    """Ask for another address; the link mailed to it makes the change."""
    await rate_limits.address_change(who.user_id, form.email, client.ip)
    await in_transaction(email_change.ask, who.user_id, form.email, client)
    return Message(message="Please look at the mail to your new address.")


@router.get("/two-factor")
def get_two_factor(session: Database, who: Identity) -> StandingView:
    """Say whether signing in takes two steps."""
    found = two_factor.standing(session, who.user_id)
    return StandingView(on=found.on, codes_left=found.codes_left)


@router.post("/two-factor")
def post_two_factor(session: Database, who: Confirmed) -> SetupView:
    """Begin with an authenticator app; it counts once its first code is confirmed."""
    return SetupView.model_validate(two_factor.begin(session, who.user_id), from_attributes=True)


@router.post("/two-factor/confirm")
async def confirm_two_factor(who: Confirmed, form: Code, client: Caller) -> RecoveryCodes:
    """Turn the second step on by a first code."""
    await rate_limits.count_two_factor_attempt(who.user_id)
    codes = await in_transaction(two_factor.confirm, who.user_id, form.code, client)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/two-factor/recovery-codes")
def renew_recovery_codes(session: Database, who: Confirmed, client: Caller) -> RecoveryCodes:
    """Replace the recovery codes; the old ones are worthless."""
    return RecoveryCodes(recovery_codes=two_factor.renew_codes(session, who.user_id, client))


@router.delete("/two-factor", status_code=status.HTTP_204_NO_CONTENT)
def delete_two_factor(session: Database, who: Confirmed, client: Caller) -> None:
    """Let the password alone sign in again."""
    two_factor.turn_off(session, who.user_id, client)


@router.get("/tokens")
def get_tokens(session: Database, who: Identity) -> PersonalTokens:
    """List the personal access tokens, without their secrets."""
    found = personal_access_tokens.all_of(session, who.user_id)
    views = [PersonalTokenView.model_validate(one, from_attributes=True) for one in found]
    return PersonalTokens(tokens=views, total=len(views))


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
def post_token(session: Database, who: Confirmed, form: NewToken, client: Caller) -> MadeToken:
    """Make a personal access token; its secret is shown in this answer only."""
    view, token = personal_access_tokens.make(
        session, who.user_id, form.name, form.abilities, form.expires_in_days, client
    )
    shown = PersonalTokenView.model_validate(view, from_attributes=True)
    return MadeToken(**shown.model_dump(), token=token)


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_token(session: Database, who: Identity, token_id: uuid.UUID, client: Caller) -> None:
    """Revoke a token; it is worthless at once."""
    personal_access_tokens.revoke(session, who.user_id, token_id, client)
