"""Routes of an account's doors, for programs: sign up and in, refresh, sign out, mailed links."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Response, status
from pydantic import BaseModel, Field
from sqlmodel import Session

from sp404_app.api.deps import Caller, Identity
from sp404_app.db import in_transaction
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import access_tokens, signing_keys, users
from sp404_app.services.auth import login as login_service
from sp404_app.services.auth.access_tokens import Pair
from sp404_app.services.auth.users import Credential
from sp404_app.services.billing import quotas
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client

router = APIRouter(prefix="/auth", tags=["auth"])
well_known = APIRouter(tags=["auth"])

# Generous here, exact in the services, whose messages are written for people.
Text = Annotated[str, Field(max_length=20_000)]
Name = Annotated[str, Field(max_length=2000)]


class Registration(BaseModel):
    """What a person gives to sign up."""

    email: Text
    password: Text
    first_name: Name = ""
    last_name: Name = ""


class Login(BaseModel):
    """An address and a password."""

    email: Text
    password: Text


class SecondStep(BaseModel):
    """The challenge of a sign-in, and a code: of the app, or one for recovery."""

    challenge: Text
    code: Annotated[str, Field(max_length=200)]


class Refresh(BaseModel):
    """A refresh token, good once."""

    refresh_token: Text


class Address(BaseModel):
    """An address to send a mail to."""

    email: Text


class Verification(BaseModel):
    """The token of a confirmation mail."""

    token: Text


class NewPassword(BaseModel):
    """The token of a reset mail, and the password to set."""

    token: Text
    password: Text


class Message(BaseModel):
    """A sentence for a person."""

    message: str


class NewPerson(BaseModel):
    """What was signed up with, as we keep it."""

    email: str
    first_name: str
    last_name: str


class Registered(Message):
    """The answer to every registration."""

    user: NewPerson


class Person(BaseModel):
    """Who signed in."""

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    tier: str


class Tokens(BaseModel):
    """A pair of tokens, and whose they are."""

    token: str
    refresh_token: str
    expires_in: int
    user: Person


@router.post("/register", status_code=status.HTTP_201_CREATED)
async def register(form: Registration, client: Caller) -> Registered:
    """Sign up; a mail with a link to confirm follows. Known addresses get the same answer."""
    account = await login_service.register(
        form.email, form.password, form.first_name, form.last_name, client
    )
    person = NewPerson(
        email=account.email, first_name=account.first_name, last_name=account.last_name
    )
    return Registered(message="Please look at your mail to confirm your address.", user=person)


@router.post("/login")
async def login(form: Login, client: Caller) -> Tokens:
    """Sign in and get a pair of tokens."""
    found = await login_service.sign_in(form.email, form.password, client)
    return await in_transaction(_start, found, client)


@router.post("/two-factor")
async def two_factor(form: SecondStep, client: Caller) -> Tokens:
    """Answer the challenge of a sign-in with a code, and get a pair of tokens."""
    found = await login_service.second_step(form.challenge, form.code, client)
    return await in_transaction(_start, found, client)


def _start(session: Session, found: Credential, client: Client) -> Tokens:
    user_id = login_service.start_session_after_sign_in(session, found, client, "api")
    return _shown(session, access_tokens.start(session, user_id, client))


@router.post("/refresh")
async def refresh(form: Refresh, client: Caller) -> Tokens:
    """Exchange a refresh token for a new pair; the old one is used up."""
    await rate_limits.count_token_attempt("refresh", client.ip)
    pair = await in_transaction(_rotate, form.refresh_token, client)
    if pair is None:  # raised here, after the end of the family is committed
        raise Unauthenticated("This refresh token was used before, so its sign-in has been ended.")
    return pair


def _rotate(session: Session, refresh_token: str, client: Client) -> Tokens | None:
    pair = access_tokens.rotate(session, refresh_token, client)
    return _shown(session, pair) if pair else None


def _shown(session: Session, pair: Pair) -> Tokens:
    person = users.profile(session, pair.user_id)
    tier = quotas.plan_of(session, pair.user_id).tier
    return Tokens(
        token=pair.token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=Person(
            id=person.id,
            email=person.email,
            first_name=person.first_name,
            last_name=person.last_name,
            tier=tier,
        ),
    )


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(who: Identity, client: Caller) -> None:
    """End this sign-in; its tokens are dead at once."""
    await in_transaction(login_service.leave, who, client)


@router.post("/logout-all", status_code=status.HTTP_204_NO_CONTENT)
async def logout_all(who: Identity, client: Caller) -> None:
    """End all sign-ins of the caller."""
    await in_transaction(login_service.leave_all, who, client)


@router.post("/verify-email")
async def verify_email(form: Verification, client: Caller) -> Message:
    """Confirm an address by the token mailed to it."""
    await login_service.verify_email(form.token, client)
    return Message(message="Your address is confirmed. You can sign in now.")


@router.post("/resend-verification")
async def resend_verification(form: Address, client: Caller, later: BackgroundTasks) -> Message:
    """Mail the confirmation link again, if the address waits for one."""
    await rate_limits.resend(form.email, client.ip)
    later.add_task(login_service.resend_verification, form.email)
    return Message(message="If this address waits to be confirmed, a mail is on its way.")


@router.post("/forgot-password")
async def forgot_password(form: Address, client: Caller, later: BackgroundTasks) -> Message:
    """Mail a link to choose a new password, if the address has an account."""
    await rate_limits.forgotten(form.email, client.ip)
    later.add_task(login_service.forgot_password, form.email, client)
    return Message(message="If this address has an account, a mail is on its way.")


@router.post("/reset-password")
async def reset_password(form: NewPassword, client: Caller) -> Message:
    """Set a new password by a mailed token; every device is signed out."""
    await login_service.reset_password(form.token, form.password, client)
    return Message(message="Your password is changed. Please sign in.")


@router.post("/change-email")
async def change_email(form: Verification, client: Caller) -> Message:
    """Use a new address from now on, by the token mailed to it."""
    await login_service.confirm_email(form.token, client)
    return Message(message="Your new address is confirmed, and yours to sign in with.")


@router.post("/revert-email")
async def revert_email(form: Verification, client: Caller) -> Message:
    """Give an account back to its former address, by the token mailed to that."""
    await login_service.revert_email(form.token, client)
    return Message(message="The account is yours again. We mailed you a link for a new password.")


@router.get("/public-key", response_class=Response)
def public_key() -> Response:
    """Return the key that signs access tokens now, as PEM."""
    return Response(
        signing_keys.public_pem(),
        media_type="application/x-pem-file",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@well_known.get("/.well-known/jwks.json")
def jwks(response: Response) -> dict[str, list[dict[str, Any]]]:
    """Return all keys that access tokens may be signed with, as a JSON Web Key Set."""
    response.headers["Cache-Control"] = "public, max-age=600"
    return access_tokens.jwks()
