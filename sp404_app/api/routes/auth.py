"""Authentication routes for API clients: sign-up, sign-in, refresh, sign-out, mailed links."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Response, status
from pydantic import BaseModel, Field
from sqlmodel import Session

from sp404_app.api.deps import RequestClient, UserSession
from sp404_app.db import in_transaction
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import access_tokens, signing_keys, users
from sp404_app.services.auth import login as login_flows
from sp404_app.services.auth.access_tokens import TokenPair
from sp404_app.services.auth.users import Credential
from sp404_app.services.billing import quotas
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client

router = APIRouter(prefix="/auth", tags=["auth"])
well_known = APIRouter(tags=["auth"])

# Loose limits against abuse; the services check the exact ones, with messages for users.
Text = Annotated[str, Field(max_length=20_000)]
Name = Annotated[str, Field(max_length=2000)]


class Registration(BaseModel):
    """The fields of a sign-up."""

    email: Text
    password: Text
    first_name: Name = ""
    last_name: Name = ""


class Login(BaseModel):
    """Email and password."""

    email: Text
    password: Text


class SecondStep(BaseModel):
    """A two-factor challenge, and a TOTP or recovery code."""

    challenge: Text
    code: Annotated[str, Field(max_length=200)]


class Refresh(BaseModel):
    """A refresh token; it can be used once."""

    refresh_token: Text


class Address(BaseModel):
    """The email to send a mail to."""

    email: Text


class Verification(BaseModel):
    """The token of a mailed link."""

    token: Text


class NewPassword(BaseModel):
    """The token of a reset link, and the new password."""

    token: Text
    password: Text


class Message(BaseModel):
    """A message for the user."""

    message: str


class NewPerson(BaseModel):
    """The fields of the sign-up, normalized."""

    email: str
    first_name: str
    last_name: str


class Registered(Message):
    """The response to every sign-up."""

    user: NewPerson


class Person(BaseModel):
    """The signed-in user."""

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    tier: str


class Tokens(BaseModel):
    """An access token, a refresh token and their user."""

    token: str
    refresh_token: str
    expires_in: int
    user: Person


@router.post("/register", status_code=status.HTTP_201_CREATED)
async def register(form: Registration, client: RequestClient) -> Registered:
    """Sign up; a verification link is mailed. An email with an account gets the same response."""
    account = await login_flows.register(
        form.email, form.password, form.first_name, form.last_name, client
    )
    user = NewPerson(
        email=account.email, first_name=account.first_name, last_name=account.last_name
    )
    return Registered(message="Check your email to confirm your account.", user=user)


@router.post("/login")
async def login(form: Login, client: RequestClient) -> Tokens:
    """Sign in and get an access token and a refresh token."""
    credential = await login_flows.verify_credentials(form.email, form.password, client)
    return await in_transaction(_issue_tokens, credential, client)


@router.post("/two-factor")
async def two_factor(form: SecondStep, client: RequestClient) -> Tokens:
    """Answer a two-factor challenge with a code, and get both tokens."""
    credential = await login_flows.verify_second_factor(form.challenge, form.code, client)
    return await in_transaction(_issue_tokens, credential, client)


def _issue_tokens(session: Session, credential: Credential, client: Client) -> Tokens:
    user_id = login_flows.complete_sign_in(session, credential, client, "api")
    return _to_tokens(session, access_tokens.start_token_family(session, user_id, client))


@router.post("/refresh")
async def refresh(form: Refresh, client: RequestClient) -> Tokens:
    """Exchange a refresh token for a new pair of tokens. Reuse revokes the session."""
    await rate_limits.count_token_attempt("refresh", client.ip)
    pair = await in_transaction(_rotate_tokens, form.refresh_token, client)
    if pair is None:  # reuse detected; raised after the revocation is committed
        raise Unauthenticated(
            "This refresh token was already used, so its session has been revoked."
        )
    return pair


def _rotate_tokens(session: Session, refresh_token: str, client: Client) -> Tokens | None:
    pair = access_tokens.rotate_refresh_token(session, refresh_token, client)
    return _to_tokens(session, pair) if pair else None


def _to_tokens(session: Session, pair: TokenPair) -> Tokens:
    profile = users.get_profile(session, pair.user_id)
    tier = quotas.get_plan(session, pair.user_id).tier
    return Tokens(
        token=pair.token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=Person(
            id=profile.id,
            email=profile.email,
            first_name=profile.first_name,
            last_name=profile.last_name,
            tier=tier,
        ),
    )


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(who: UserSession, client: RequestClient) -> None:
    """End this session; its tokens stop working at once."""
    await in_transaction(login_flows.sign_out, who, client)


@router.post("/logout-all", status_code=status.HTTP_204_NO_CONTENT)
async def logout_all(who: UserSession, client: RequestClient) -> None:
    """End all sessions of the caller."""
    await in_transaction(login_flows.sign_out_everywhere, who, client)


@router.post("/verify-email")
async def verify_email(form: Verification, client: RequestClient) -> Message:
    """Verify an email by the token mailed to it."""
    await login_flows.verify_email(form.token, client)
    return Message(message="Your email is confirmed. You can sign in now.")


@router.post("/resend-verification")
async def resend_verification(
    form: Address, client: RequestClient, later: BackgroundTasks
) -> Message:
    """Mail the verification link again, if the account awaits it."""
    await rate_limits.count_resend(form.email, client.ip)
    later.add_task(login_flows.resend_verification, form.email)
    return Message(message="If this email needs confirming, a new link is on its way.")


@router.post("/forgot-password")
async def forgot_password(form: Address, client: RequestClient, later: BackgroundTasks) -> Message:
    """Mail a reset link, if the email has an account."""
    await rate_limits.count_password_reset_request(form.email, client.ip)
    later.add_task(login_flows.forgot_password, form.email, client)
    return Message(message="If this email has an account, a reset link is on its way.")


@router.post("/reset-password")
async def reset_password(form: NewPassword, client: RequestClient) -> Message:
    """Set a new password by a mailed token; every device is signed out."""
    await login_flows.reset_password(form.token, form.password, client)
    return Message(message="Your password has been changed. Sign in.")


@router.post("/change-email")
async def change_email(form: Verification, client: RequestClient) -> Message:
    """Confirm a change of email by the token mailed to the new one."""
    await login_flows.confirm_email(form.token, client)
    return Message(message="Your new email is confirmed. Use it to sign in.")


@router.post("/revert-email")
async def revert_email(form: Verification, client: RequestClient) -> Message:
    """Revert a change of email by the token mailed to the former one."""
    await login_flows.revert_email(form.token, client)
    return Message(
        message="Your email has been restored. We sent you a link to choose a new password."
    )


@router.get("/public-key", response_class=Response)
def public_key() -> Response:
    """Return the public key of the current signing key, as PEM."""
    return Response(
        signing_keys.signing_public_key_pem(),
        media_type="application/x-pem-file",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@well_known.get("/.well-known/jwks.json")
def jwks(response: Response) -> dict[str, list[dict[str, Any]]]:
    """Return all public keys that verify access tokens, as a JSON Web Key Set."""
    response.headers["Cache-Control"] = "public, max-age=600"
    return access_tokens.json_web_key_set()
