"""State of the sign-in page. Its form is plain HTML and works before the websocket connects."""

from collections.abc import AsyncIterator
from http.cookies import CookieError, SimpleCookie
from urllib.parse import unquote

import reflex as rx
from reflex.event import EventType

from sp404_app.errors import AppError, Unauthenticated
from sp404_app.services.account import demo_account
from sp404_app.services.auth import login, redirects, sessions
from sp404_app.services.infra import rate_limits
from sp404_app.settings import settings
from sp404_app.state import double_click
from sp404_app.state.base import SessionState

ERROR_MESSAGES = {
    "wrong_credentials": "Wrong email or password.",
    "email_not_verified": "Confirm your email first. Open the link in the email we sent you.",
    "mail_not_sent": (
        "We couldn't deliver email to this address. Check it, or sign up with another one."
    ),
    "rate_limited": "Too many attempts. Wait a few minutes and try again.",
    "unavailable": "Too many sign-ins right now. Try again in a moment.",
    "not_signed_in": "Sign in to continue.",
    "wrong_code": "This code is wrong or has been used. Enter the next one, or a recovery code.",
    "too_late": "That took too long. Sign in again.",
}
OTHER_ERROR = "Something went wrong. Try again."
GONE = "Your account and all its data have been deleted. Goodbye."


class LoginState(SessionState):
    """The result of the last attempt, from the page's URL."""

    goodbye: str = ""
    problem: str = ""
    password_problem: str = ""
    code_problem: str = ""
    second_step: bool = False
    unverified: bool = False
    resent: str = ""
    next: str = ""
    leaving_to: str = ""
    demo_email: str = ""
    demo_password: str = ""
    _email: str = ""
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()] | None]:
        """Show the error named in the URL; redirect users who are signed in."""
        query = self.router.url.query_parameters
        self.next = redirects.safe_redirect_target(query.get("next", ""))
        self.second_step = query.get("step") == "code"
        code = query.get("error", "")
        self.goodbye = GONE if code == "gone" else ""
        self._explain("" if self.goodbye else code)
        self._email = typed_email(self.router.headers.cookie) if self.problem else ""
        if self._email:
            yield rx.set_value("email", self._email)
        if not settings().in_production:
            self.demo_email, self.demo_password = (
                demo_account.DEMO_EMAIL,
                demo_account.DEMO_PASSWORD,
            )
        try:
            await self._user_id()
        except Unauthenticated:
            return
        if self.next.startswith(redirects.SHARED_PAGES):
            self.leaving_to = self.next
        else:
            yield rx.redirect(self.next, replace=True)  # or Back would lead here again

    def _explain(self, code: str) -> None:
        message = ERROR_MESSAGES.get(code, OTHER_ERROR) if code else ""
        self.password_problem = message if code == "wrong_credentials" else ""
        self.code_problem = message if code == "wrong_code" else ""
        self.unverified = code in ("email_not_verified", "mail_not_sent")
        self.problem, self.resent = message, ""

    @rx.event
    async def resend(self) -> None:
        """Mail the verification link again to the email that was typed."""
        if double_click.is_repeated(self._acts, "resend", self._email):
            return
        try:
            await rate_limits.count_resend(self._email, self._client().ip)
            await login.resend_verification(self._email)
        except AppError as error:
            self.resent = str(error)
            return
        self._acts = double_click.remember_action("resend", self._email)
        self.resent = "If this email needs confirming, a new link is on its way."


def typed_email(cookies: str) -> str:
    """Return the email of a failed sign-in, from its short-lived cookie."""
    try:
        found = SimpleCookie(cookies).get(sessions.typed_email_cookie_name())
    except CookieError:
        return ""
    return unquote(found.value)[:254] if found else ""
