"""The sign-in page. The form itself is plain HTML, and works before any of this is there."""

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

WORDS = {
    "wrong_credentials": "The address or the password is wrong.",
    "email_not_verified": "Please confirm your address first: the link is in our mail.",
    "mail_not_sent": (
        "Our mail could not be sent to this address. Check it, or sign up with another one."
    ),
    "rate_limited": "That was too often. Please wait a few minutes and try again.",
    "unavailable": "Very many people are signing in. Please try again in a moment.",
    "not_signed_in": "Please sign in to go on.",
    "wrong_code": "This code is not right, or was used already.",
    "gone": "Your account is deleted, with everything in it. Goodbye.",
    "too_late": "This took too long. Please sign in again.",
}
OTHER = "That did not work. Please try again."


class LoginState(SessionState):
    """What came back from the form, in words."""

    problem: str = ""
    beside_password: str = ""
    beside_code: str = ""
    second_step: bool = False
    unverified: bool = False
    resent: str = ""
    next: str = ""
    demo_email: str = ""
    demo_password: str = ""
    _email: str = ""
    _acts: double_click.Acts = {}

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()] | None]:
        """Read from the address what went wrong; send on who is signed in already."""
        query = self.router.url.query_parameters
        self.next = redirects.safe(query.get("next", ""))
        self.second_step = query.get("step") == "code"
        self._explain(query.get("error", ""))
        self._email = typed(self.router.headers.cookie) if self.problem else ""
        if self._email:
            yield rx.set_value("email", self._email)
        if not settings().in_production:
            self.demo_email, self.demo_password = demo_account.EMAIL, demo_account.PASSWORD
        try:
            await self._user_id()
        except Unauthenticated:
            return
        yield rx.redirect(self.next)

    def _explain(self, code: str) -> None:
        words = WORDS.get(code, OTHER) if code else ""
        self.beside_password = words if code == "wrong_credentials" else ""
        self.beside_code = words if code == "wrong_code" else ""
        self.unverified = code in ("email_not_verified", "mail_not_sent")
        self.problem, self.resent = words, ""

    @rx.event
    async def resend(self) -> None:
        """Mail the confirmation link again to the address that was typed."""
        if double_click.is_repeated(self._acts, "resend", self._email):
            return
        try:
            await rate_limits.resend(self._email, self._client().ip)
            await login.resend_verification(self._email)
        except AppError as error:
            self.resent = str(error)
            return
        self._acts = double_click.remember("resend", self._email)
        self.resent = "If this address waits to be confirmed, a mail is on its way."


def typed(cookies: str) -> str:
    """Return the address a refused form was sent with, from its short-lived cookie."""
    try:
        found = SimpleCookie(cookies).get(sessions.typed_cookie_name())
    except CookieError:
        return ""
    return unquote(found.value)[:254] if found else ""
