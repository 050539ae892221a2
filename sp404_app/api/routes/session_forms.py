"""Browser sign-in and sign-out by HTML forms: JavaScript never sees a token or cookie value."""

import asyncio
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from sp404_app.api.cookies import set_cookie
from sp404_app.api.deps import RequestClient
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

router = APIRouter(prefix="/auth", include_in_schema=False)

TYPED_EMAIL_TTL_S, CHALLENGE_TTL_S = 120, 300
CODE_STEP = "code"
VERIFY_PATH = "/verify-email"


@router.post("/session")
async def sign_in(
    request: Request,
    client: RequestClient,
    email: Annotated[str, Form(max_length=400)] = "",
    password: Annotated[str, Form(max_length=20_000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the form field's name
) -> Response:
    """Sign a browser in and redirect it; an error comes back as `?error=` of the sign-in page."""
    ensure_same_origin(request)
    target = redirects.safe_redirect_target(next)
    try:
        credential = await login.verify_credentials(email, password, client)
    except TwoFactorRequired as error:
        answer = _redirect_to_login("", "", target, step=CODE_STEP)
        set_cookie(
            answer, sessions.challenge_cookie_name(), error.details["challenge"], CHALLENGE_TTL_S
        )
        return answer
    except AppError as error:
        code = "mail_not_sent" if error.details.get("mail") == "not_sent" else error.code
        return _redirect_to_login(code, email, target)
    return await _finish_sign_in(request, credential, client, target)


@router.post("/session/code")
async def second_step(
    request: Request,
    client: RequestClient,
    code: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the form field's name
) -> Response:
    """Verify the two-factor code; the challenge is read from its cookie."""
    ensure_same_origin(request)
    target = redirects.safe_redirect_target(next)
    challenge = authentication.read_cookie(
        request.headers.get("cookie", ""), sessions.challenge_cookie_name()
    )
    try:
        credential = await login.verify_second_factor(challenge, code, client)
    except Unauthenticated as error:
        wrong_code = isinstance(error, WrongCredentials)
        return _redirect_to_login(
            "wrong_code" if wrong_code else "too_late", "", target, step=CODE_STEP * wrong_code
        )
    except AppError as error:
        return _redirect_to_login(error.code, "", target, step=CODE_STEP)
    return await _finish_sign_in(request, credential, client, target)


async def _finish_sign_in(
    request: Request, credential: Credential, client: Client, target: str
) -> Response:
    try:
        cookie = await in_transaction(_start_session, credential, client, _session_cookie(request))
    except Unauthenticated:  # the password changed after it was verified
        return _redirect_to_login("too_late", "", target)
    answer = RedirectResponse(_target_after_sign_in(request, target), 303)
    set_cookie(
        answer, sessions.cookie_name(), cookie, int(sessions.SESSION_LIFETIME.total_seconds())
    )
    for name in (
        sessions.typed_email_cookie_name(),
        sessions.challenge_cookie_name(),
        sessions.return_cookie_name(),
    ):
        set_cookie(answer, name, "", 0)
    return answer


def _target_after_sign_in(request: Request, target: str) -> str:
    """Return the page to open; if none was asked for, the shared page the visitor came from."""
    came_from = authentication.read_cookie(
        request.headers.get("cookie", ""), sessions.return_cookie_name()
    )
    is_shared_page = redirects.safe_redirect_target(came_from).startswith(redirects.SHARED_PAGES)
    return came_from if target == redirects.HOME and is_shared_page else target


@router.post("/session/confirmed")
async def confirm_email(
    request: Request,
    client: RequestClient,
    token: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Verify the email of a new account and sign the browser in, unless it is signed in already."""
    ensure_same_origin(request)
    is_signed_in = await _is_signed_in(request)
    try:
        credential = await login.verify_email(token, client)
    except AppError as error:
        if is_signed_in and isinstance(error, ValidationFailed):
            return RedirectResponse(redirects.HOME, 303)  # sent twice
        return RedirectResponse(f"{VERIFY_PATH}?{urlencode({'error': error.code})}", 303)
    if is_signed_in:
        return RedirectResponse(f"{VERIFY_PATH}?confirmed=other", 303)
    if credential is None:
        return RedirectResponse(f"{VERIFY_PATH}?confirmed=sign_in", 303)
    return await _finish_sign_in(request, credential, client, redirects.HOME)


async def _is_signed_in(request: Request) -> bool:
    try:
        await authentication.authenticate_cookie(_session_cookie(request))
    except Unauthenticated:
        return False
    return True


@router.post("/session/end")
async def sign_out(request: Request, client: RequestClient) -> Response:
    """Sign a browser out; clear its cookie even if the session has ended already."""
    ensure_same_origin(request)
    try:
        who = await authentication.authenticate_cookie(_session_cookie(request))
        await in_transaction(login.sign_out, who, client)
    except Unauthenticated:
        pass
    answer = RedirectResponse(redirects.LOGIN_PATH, 303)
    set_cookie(answer, sessions.cookie_name(), "", 0)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.post("/avatar")
async def set_avatar(request: Request, picture: Annotated[UploadFile, File()]) -> Response:
    """Set the profile picture from the account page; the result comes back as `?picture=`."""
    ensure_same_origin(request)
    who = await authentication.authenticate_cookie(_session_cookie(request))
    try:
        avatar = await asyncio.to_thread(avatars.make_avatar, picture.file)
        await in_transaction(avatars.save_avatar, who.user_id, avatar)
    except ValidationFailed as error:
        code = "large" if str(error) == avatars.TOO_MANY_PIXELS else "unreadable"
        return RedirectResponse(f"/account?picture={code}", 303)
    return RedirectResponse("/account?picture=saved", 303)


@router.post("/account/end")
async def end_account(request: Request) -> Response:
    """Delete the account.

    A form and not an event: the tab's websocket closes when the session is revoked.
    """
    ensure_same_origin(request)
    who = await authentication.authenticate_cookie(_session_cookie(request))
    try:
        await in_transaction(reauthentication.ensure_reauthenticated, who)
        await deletion.delete_account(who.user_id)
    except AppError as error:
        return RedirectResponse(f"/account?{urlencode({'end': error.code})}", 303)
    answer = RedirectResponse(f"{redirects.LOGIN_PATH}?error=gone", 303)
    set_cookie(answer, sessions.cookie_name(), "", 0)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _start_session(
    session: Session, credential: Credential, client: Client, old_cookie: str
) -> str:
    """Start a browser session, and revoke the one this browser had."""
    user_id = login.complete_sign_in(session, credential, client, "browser")
    sessions.revoke_cookie_session(session, old_cookie)
    return sessions.start_browser_session(session, user_id, client)


def _redirect_to_login(code: str, email: str, target: str, step: str = "") -> Response:
    """Redirect to the sign-in page; the typed email travels in a cookie, not in the URL."""
    query = {"step": step} if step else {}
    query |= {"error": code} if code else {}
    query |= {"next": target} if target != redirects.HOME else {}
    answer = RedirectResponse(f"{redirects.LOGIN_PATH}?{urlencode(query)}", 303)
    set_cookie(
        answer, sessions.typed_email_cookie_name(), quote(email[:254], safe="@"), TYPED_EMAIL_TTL_S
    )
    return answer


def _session_cookie(request: Request) -> str:
    return authentication.read_cookie(request.headers.get("cookie", ""))
