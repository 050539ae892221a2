"""Signing a browser in and out by real HTML forms: no token is ever readable by JavaScript."""

import asyncio
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from sp404_app.api.deps import Caller
from sp404_app.api.middleware.csrf import ensure_same_origin
from sp404_app.db import in_transaction
from sp404_app.errors import (
    AppError,
    TwoFactorRequired,
    Unauthenticated,
    ValidationFailed,
    WrongCredentials,
)
from sp404_app.services.account import avatars, deletion
from sp404_app.services.auth import authentication, login, reauthentication, redirects, sessions
from sp404_app.services.auth.users import Credential
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

router = APIRouter(prefix="/auth", include_in_schema=False)

TYPED_SECONDS, STEP_SECONDS = 120, 300
SECOND = "code"


@router.post("/session")
async def sign_in(
    request: Request,
    client: Caller,
    email: Annotated[str, Form(max_length=400)] = "",
    password: Annotated[str, Form(max_length=20_000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the name of the form's field
) -> Response:
    """Sign a browser in and send it on; what went wrong comes back as `?error=` of the page."""
    ensure_same_origin(request)
    target = redirects.safe(next)
    try:
        found = await login.sign_in(email, password, client)
    except TwoFactorRequired as error:
        answer = _back("", "", target, step=SECOND)
        _set(answer, sessions.challenge_cookie_name(), error.details["challenge"], STEP_SECONDS)
        return answer
    except AppError as error:
        code = "mail_not_sent" if error.details.get("mail") == "not_sent" else error.code
        return _back(code, email, target)
    return await _signed_in(request, found, client, target)


@router.post("/session/code")
async def second_step(
    request: Request,
    client: Caller,
    code: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the name of the form's field
) -> Response:
    """Take the code of the second step; the challenge comes back in its cookie."""
    ensure_same_origin(request)
    target = redirects.safe(next)
    challenge = authentication.cookie_in(
        request.headers.get("cookie", ""), sessions.challenge_cookie_name()
    )
    try:
        found = await login.second_step(challenge, code, client)
    except Unauthenticated as error:
        again = isinstance(error, WrongCredentials)
        return _back("wrong_code" if again else "too_late", "", target, step=SECOND * again)
    except AppError as error:
        return _back(error.code, "", target, step=SECOND)
    return await _signed_in(request, found, client, target)


async def _signed_in(request: Request, found: Credential, client: Client, target: str) -> Response:
    try:
        cookie = await in_transaction(_start, found, client, _cookie_of(request))
    except Unauthenticated:  # the password was changed since it was proved
        return _back("too_late", "", target)
    answer = RedirectResponse(target, 303)
    _set(answer, sessions.cookie_name(), cookie, int(sessions.LONGEST.total_seconds()))
    for name in (sessions.typed_cookie_name(), sessions.challenge_cookie_name()):
        _set(answer, name, "", 0)
    return answer


@router.post("/session/end")
async def sign_out(request: Request, client: Caller) -> Response:
    """Sign a browser out; without a living session too, for its cookie has to go anyway."""
    ensure_same_origin(request)
    try:
        who = await authentication.of_cookie(_cookie_of(request))
        await in_transaction(login.leave, who, client)
    except Unauthenticated:
        pass
    answer = RedirectResponse(redirects.LOGIN, 303)
    _set(answer, sessions.cookie_name(), "", 0)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.post("/avatar")
async def set_avatar(request: Request, picture: Annotated[UploadFile, File()]) -> Response:
    """Set the profile picture from the account page; what went wrong comes back as `?picture=`."""
    ensure_same_origin(request)
    who = await authentication.of_cookie(_cookie_of(request))
    try:
        small = await asyncio.to_thread(avatars.squared, picture.file)
        await in_transaction(avatars.put, who.user_id, small)
    except ValidationFailed as error:
        code = "large" if str(error) == avatars.TOO_MANY else "unreadable"
        return RedirectResponse(f"/account?picture={code}", 303)
    return RedirectResponse("/account?picture=saved", 303)


@router.post("/account/end")
async def end_account(request: Request) -> Response:
    """Delete the account from its page: by a form, for the tab's own line ends with the sign-in."""
    ensure_same_origin(request)
    who = await authentication.of_cookie(_cookie_of(request))
    try:
        await in_transaction(reauthentication.ensure_fresh, who)
        await deletion.delete_account(who.user_id)
    except AppError as error:
        return RedirectResponse(f"/account?{urlencode({'end': error.code})}", 303)
    answer = RedirectResponse(f"{redirects.LOGIN}?error=gone", 303)
    _set(answer, sessions.cookie_name(), "", 0)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _start(session: Session, found: Credential, client: Client, old_cookie: str) -> str:
    """Begin a new session, and end the one this browser had."""
    user_id = login.start_session_after_sign_in(session, found, client, "browser")
    sessions.end_cookie(session, old_cookie)
    return sessions.start_browser(session, user_id, client)


def _back(code: str, email: str, target: str, step: str = "") -> Response:
    """Send the browser back to the form; what was typed travels in a cookie, not in the address."""
    query = {"step": step} if step else {}
    query |= {"error": code} if code else {}
    query |= {"next": target} if target != redirects.HOME else {}
    answer = RedirectResponse(f"{redirects.LOGIN}?{urlencode(query)}", 303)
    _set(answer, sessions.typed_cookie_name(), quote(email[:254], safe="@"), TYPED_SECONDS)
    return answer


def _cookie_of(request: Request) -> str:
    return authentication.cookie_in(request.headers.get("cookie", ""))


def _set(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=settings().origin.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
